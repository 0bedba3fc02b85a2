/**
 * A hash of all rows of a table, exact and independent of their order: two tables of the same
 * structure have the same hash if and only if (2⁻¹²⁸) they hold the same rows.
 *
 * Each row becomes one text in which no two different rows are equal, the text its SHA-1, and of that
 * two numbers of 64 bits are summed up over the table. A sum, not XOR: two equal rows would cancel out.
 * What each column contributes was tried value by value (mariadb-experiments.md §7): NULL, '',
 * 'N' and '0' differ, and so do one unit in the last place of a FLOAT, case, trailing spaces,
 * microseconds and invalid dates. -0.0 counts as 0: a dump cannot carry its sign.
 * Of a system-versioned table every version of every row counts, with its times.
 * Not covered: virtual columns (they follow from others).
 */
import sql, { join } from 'sql-template-tag';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { columnTexts, type HashColumn } from './hash-text.ts';
import { quoteNameText } from './identifier.ts';

export type TableHash = {
  /** Of a system-versioned table those of its history too. */
  readonly rows: number;
  readonly hash: string;
};

/** What is hashed of a table. */
export type HashTarget = {
  readonly columns: readonly HashColumn[];
  /** All versions of each row, of a system-versioned table. */
  readonly history?: boolean;
};

/**
 * How the SHA-1s of rows become sums: 1 is what sets of format 1 have in their manifest. Half of the
 * time went into the digits of these numbers.
 */
export type HashFormat = 1 | 2;

type HashPart = HashTarget & {
  readonly where?: string | null;
  readonly format?: HashFormat | undefined;
};

export type HashOptions = {
  /** 2 when left out. */
  readonly format?: HashFormat;
  /** Called after each table. */
  readonly onTable?: (done: number, of: number, table: string) => void;
  /** Conditions that cut a table into parts, hashed by several connections at the same time. */
  readonly ranges?: ReadonlyMap<string, readonly string[]>;
};

/**
 * Hashes the given base tables of a schema as the connections see them: in a transaction with a
 * consistent snapshot that snapshot. Several connections share the work; they must see the same.
 * Reads only, needs no lock.
 *
 * @throws DeployError `QUERY_FAILED` when a table is not there, or when a row is longer than the server can
 *   join into one text (max_allowed_packet): such a row would silently not be hashed.
 */
export async function hashTables(
  dbs: Db | readonly Db[],
  schema: string,
  tables: readonly string[],
  options: HashOptions = {},
): Promise<Map<string, TableHash>> {
  const workers = 'length' in dbs ? dbs : [dbs];
  const targets = await readTargets(workers[0]!, schema, tables);
  const missing = tables.find((table) => !targets.has(table));
  if (missing !== undefined) {
    throw new DeployError('QUERY_FAILED', `table ${missing} is not there to be hashed`, {
      where: `${schema}.${missing}`,
    });
  }
  const sums = new Map(tables.map((table) => [table, { rows: 0, high: 0n, low: 0n }]));
  const left = new Map<string, number>();
  const queue = tables.flatMap((table) => {
    const ranges = options.ranges?.get(table) ?? [null];
    left.set(table, ranges.length);
    return ranges.map((where) => ({ table, where }));
  });
  let done = 0;
  const work = async (db: Db) => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      const { table, where } = part;
      const found = await hashPart(db, schema, table, {
        ...targets.get(table)!,
        ...{ where, format: options.format },
      });
      const sum = sums.get(table)!;
      sum.rows += found.rows;
      sum.high += found.high;
      sum.low += found.low;
      left.set(table, left.get(table)! - 1);
      if (left.get(table) === 0) options.onTable?.(++done, tables.length, table);
    }
  };
  await Promise.all(workers.map(work));
  return new Map(
    [...sums].map(([table, { rows, high, low }]) => {
      return [table, { rows, hash: `${high.toString(16)}-${low.toString(16)}` }];
    }),
  );
}

/**
 * The statement that hashes one table, or those of its rows that `where` selects. Pure. Its row has
 * `row_count`, `hashed` (rows whose text was not too long; must equal `row_count`), `high`, `low`.
 */
export function hashQuery(
  schema: string,
  table: string,
  { columns, history = false, where = null, format = 2 }: HashPart,
): string {
  const texts = columnTexts(columns).join(',');
  const versions = history ? ' FOR SYSTEM_TIME ALL' : '';
  // SET STATEMENT ends with the statement, so that the session's own settings stay.
  return `SET STATEMENT sql_mode='', time_zone='+00:00', max_statement_time=0 FOR
SELECT ${sumsOf(`SHA1(CONCAT_WS('|',${texts}))`, format)}, COUNT(*) AS row_count, COUNT(@h) AS hashed
FROM ${quoteNameText(schema)}.${quoteNameText(table)}${versions}${where === null ? '' : ` WHERE ${where}`}`;
}

/**
 * Two sums of the rows' SHA-1s. @h is assigned in the first and read by what follows it: the other
 * way round it would be that of the row before. An inner SELECT would be merged and compute SHA1 once
 * per mention.
 *
 * Each CRC sees five bytes more than the one before. These alone would give every value of it equally
 * often, so the four together are 128 bits of the SHA-1, and cost much less than its hexadecimal digits.
 */
function sumsOf(sha1: string, format: HashFormat): string {
  if (format === 1) {
    const half = (digits: string) => `SUM(CAST(CONV(${digits},16,10) AS UNSIGNED))`;
    return `${half(`LEFT(@h:=${sha1},16)`)} AS high,\n ${half('RIGHT(@h,16)')} AS low`;
  }
  return `SUM(CRC32(LEFT(@h:=UNHEX(${sha1}),5))<<32|CRC32(LEFT(@h,10))) AS high,
 SUM(CRC32(LEFT(@h,15))<<32|CRC32(@h)) AS low`;
}

type Part = { readonly rows: number; readonly high: bigint; readonly low: bigint };

async function hashPart(db: Db, schema: string, table: string, target: HashPart): Promise<Part> {
  const row = await db.one<{ high: string | null; low: string | null } & Counts>(
    hashQuery(schema, table, target),
  );
  const rows = Number(row?.row_count);
  if (row === undefined || rows !== Number(row.hashed)) {
    throw new DeployError('QUERY_FAILED', `a row of table ${table} is too long to be hashed`, {
      where: `${schema}.${table}`,
      next: ['raise max_allowed_packet on the server to more than the longest row'],
    });
  }
  return { rows, high: BigInt(row.high ?? 0), low: BigInt(row.low ?? 0) };
}

type Counts = { row_count: string; hashed: string };

type ColumnRow = {
  readonly table_name: string;
  readonly table_type: string;
  readonly name: string;
  readonly data_type: string;
  readonly is_nullable: string;
  readonly max_bytes: string | null;
  readonly expression: string | null;
};

async function readTargets(
  db: Db,
  schema: string,
  tables: readonly string[],
): Promise<Map<string, HashTarget>> {
  if (tables.length === 0) return new Map();
  const rows = await db.query<ColumnRow>(sql`
    SELECT c.table_name AS table_name, t.table_type AS table_type, c.column_name AS name,
      c.data_type AS data_type, c.is_nullable AS is_nullable,
      c.character_octet_length AS max_bytes, c.generation_expression AS expression
    FROM information_schema.columns c JOIN information_schema.tables t
      ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE c.table_schema = ${schema} AND c.table_name IN (${join([...tables])})
      AND t.table_schema = ${schema} AND c.extra NOT LIKE '%VIRTUAL GENERATED%'
    ORDER BY c.table_name, c.ordinal_position`);
  return new Map(
    [...Map.groupBy(rows, (row) => row.table_name)].map(([name, own]) => [name, targetOf(own)]),
  );
}

function targetOf(rows: readonly ColumnRow[]): HashTarget {
  const columns = rows.map(
    (row): HashColumn => ({
      name: row.name,
      dataType: row.expression === 'ROW END' ? 'row end' : row.data_type.toLowerCase(),
      nullable: row.is_nullable === 'YES',
      maxBytes: row.max_bytes === null ? null : Number(row.max_bytes),
    }),
  );
  if (rows[0]?.table_type !== 'SYSTEM VERSIONED') return { columns };
  // Without columns of its own for them, the times have names that information_schema does not show.
  const hasOwn = rows.some(({ expression }) => expression === 'ROW END');
  return { columns: hasOwn ? columns : [...columns, ...HIDDEN_TIMES], history: true };
}

const HIDDEN_TIMES: readonly HashColumn[] = [
  { name: 'row_start', dataType: 'timestamp', nullable: false, maxBytes: null },
  { name: 'row_end', dataType: 'row end', nullable: false, maxBytes: null },
];
