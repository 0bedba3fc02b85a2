/**
 * A hash of all rows of a table, exact and independent of their order: two tables of the same
 * structure have the same hash if and only if (2⁻¹²⁸) they hold the same rows.
 *
 * Each row becomes one text in which no two different rows are equal, the text its SHA-1, and two
 * halves of that are summed up over the table. A sum, not XOR: two equal rows would cancel out.
 * What each column contributes was tried value by value (mariadb-experiments.md §7): NULL, '',
 * 'N' and '0' differ, and so do one unit in the last place of a FLOAT, case, trailing spaces,
 * microseconds and invalid dates. -0.0 counts as 0: a dump cannot carry its sign.
 * Not covered: virtual columns (they follow from others) and the history of versioned tables.
 */
import sql, { join } from 'sql-template-tag';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { quoteNameText } from './identifier.ts';

export type TableHash = { readonly rows: number; readonly hash: string };

/** A column as `information_schema.columns` describes it. */
export type HashColumn = {
  readonly name: string;
  /** DATA_TYPE, e.g. `varchar`. */
  readonly dataType: string;
  readonly nullable: boolean;
  /** CHARACTER_OCTET_LENGTH of a string or binary column, else null. */
  readonly maxBytes: number | null;
};

export type HashOptions = {
  /** Called after each table. */
  readonly onTable?: (done: number, of: number, table: string) => void;
};

/**
 * Hashes the given base tables of a schema, one after the other, as the connection sees them: in
 * a transaction with a consistent snapshot that snapshot. Reads only, needs no lock.
 *
 * @throws DeployError `QUERY_FAILED` when a table is not there, or when a row is longer than the server can
 *   join into one text (max_allowed_packet): such a row would silently not be hashed.
 */
export async function hashTables(
  db: Db,
  schema: string,
  tables: readonly string[],
  options: HashOptions = {},
): Promise<Map<string, TableHash>> {
  const columns = await readColumns(db, schema, tables);
  const hashes = new Map<string, TableHash>();
  for (const table of tables) {
    const own = columns.get(table);
    if (own === undefined) {
      throw new DeployError('QUERY_FAILED', `table ${table} is not there to be hashed`, {
        where: `${schema}.${table}`,
      });
    }
    hashes.set(table, await hashTable(db, schema, table, own));
    options.onTable?.(hashes.size, tables.length, table);
  }
  return hashes;
}

/**
 * The statement that hashes one table. Pure. Its row has `row_count`, `hashed` (rows whose text
 * was not too long; must equal `row_count`), `high` and `low`.
 */
export function hashQuery(schema: string, table: string, columns: readonly HashColumn[]): string {
  const digestLong = inlineBytes(columns) > MAX_INLINE_ROW;
  const parts = columns.map((column) => columnText(column, digestLong));
  // @h is assigned in the first SUM and read by what follows it: the other way round it would be
  // that of the row before. An inner SELECT would be merged and compute SHA1 once per mention.
  // SET STATEMENT ends with the statement, so that the session's own settings stay.
  return `SET STATEMENT sql_mode='', time_zone='+00:00', max_statement_time=0 FOR
SELECT SUM(CAST(CONV(LEFT(@h:=SHA1(CONCAT_WS('|',${parts.join(',')})),16),16,10) AS UNSIGNED)) AS high,
 SUM(CAST(CONV(RIGHT(@h,16),16,10) AS UNSIGNED)) AS low, COUNT(*) AS row_count, COUNT(@h) AS hashed
FROM ${quoteNameText(schema)}.${quoteNameText(table)}`;
}

async function hashTable(
  db: Db,
  schema: string,
  table: string,
  columns: readonly HashColumn[],
): Promise<TableHash> {
  const row = await db.one<{ high: string | null; low: string | null } & Counts>(
    hashQuery(schema, table, columns),
  );
  const rows = Number(row?.row_count);
  if (row === undefined || rows !== Number(row.hashed)) {
    throw new DeployError('QUERY_FAILED', `a row of table ${table} is too long to be hashed`, {
      where: `${schema}.${table}`,
      next: ['raise max_allowed_packet on the server to more than the longest row'],
    });
  }
  return { rows, hash: `${toHex(row.high)}-${toHex(row.low)}` };
}

type Counts = { row_count: string; hashed: string };

function toHex(sum: string | null): string {
  return BigInt(sum ?? 0).toString(16);
}

async function readColumns(
  db: Db,
  schema: string,
  tables: readonly string[],
): Promise<Map<string, HashColumn[]>> {
  const byTable = new Map<string, HashColumn[]>();
  if (tables.length === 0) return byTable;
  const rows = await db.query<{
    table_name: string;
    name: string;
    data_type: string;
    is_nullable: string;
    max_bytes: string | null;
  }>(sql`
    SELECT table_name AS table_name, column_name AS name, data_type AS data_type,
      is_nullable AS is_nullable, character_octet_length AS max_bytes
    FROM information_schema.columns
    WHERE table_schema = ${schema} AND table_name IN (${join([...tables])})
      AND extra NOT LIKE '%VIRTUAL GENERATED%'
    ORDER BY table_name, ordinal_position`);
  for (const row of rows) {
    const own = byTable.get(row.table_name) ?? [];
    byTable.set(row.table_name, own);
    own.push({
      name: row.name,
      dataType: row.data_type.toLowerCase(),
      nullable: row.is_nullable === 'YES',
      maxBytes: row.max_bytes === null ? null : Number(row.max_bytes),
    });
  }
  return byTable;
}

/** A row whose strings together can be longer than this has those that can be long hashed one by one. */
const MAX_INLINE_ROW = 512 * 1024;
const MAX_INLINE_COLUMN = 65_535;
const ALWAYS_INLINE = 255;

function inlineBytes(columns: readonly HashColumn[]): number {
  return columns
    .map(({ maxBytes }) => maxBytes ?? 0)
    .filter((bytes) => bytes <= MAX_INLINE_COLUMN)
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** What a column adds to the text of its row. 'N' stands for NULL: no other value gives it. */
function columnText(column: HashColumn, digestLong: boolean): string {
  const text = valueText(column, digestLong);
  return column.nullable ? `IFNULL(${text},'N')` : text;
}

function valueText({ name, dataType, maxBytes }: HashColumn, digestLong: boolean): string {
  const column = quoteNameText(name);
  const kind = KINDS[dataType] ?? 'digest';
  switch (kind) {
    case 'plain':
      return column;
    case 'float':
      // A FLOAT as text loses digits; CAST shows all of them. -0 = 0 is true.
      return `IF(${column}=0,0,CAST(${column} AS DOUBLE))`;
    case 'bits':
      return `CAST(${column} AS UNSIGNED)`;
    case 'number of label':
      return `${column}+0`;
    case 'digest':
      return `MD5(${column})`;
    case 'text':
    case 'bytes': {
      const limit = digestLong ? ALWAYS_INLINE : MAX_INLINE_COLUMN;
      if ((maxBytes ?? 0) > limit) return `MD5(${column})`;
      const bytes = kind === 'text' ? `CAST(${column} AS BINARY)` : column;
      // The length first: ('ab','c') and ('a','bc') must not give one text.
      return `CONCAT(OCTET_LENGTH(${column}),':',${bytes})`;
    }
  }
}

type Kind = 'plain' | 'float' | 'bits' | 'number of label' | 'text' | 'bytes' | 'digest';

/** By DATA_TYPE. Anything else (geometry, types of later servers) is digested. */
const KINDS: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    [
      'tinyint smallint mediumint int bigint decimal year',
      'date time datetime timestamp inet4 inet6 uuid',
    ]
      .join(' ')
      .split(' ')
      .map((type) => [type, 'plain' as const]),
  ),
  float: 'float',
  double: 'float',
  bit: 'bits',
  enum: 'number of label',
  set: 'number of label',
  char: 'text',
  varchar: 'text',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  binary: 'bytes',
  varbinary: 'bytes',
  tinyblob: 'bytes',
  blob: 'bytes',
  mediumblob: 'bytes',
  longblob: 'bytes',
};
