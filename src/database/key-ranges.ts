/** Cuts large tables into parts of about equal size, for several connections to read at once. */
import sql, { join } from 'sql-template-tag';
import type { Db } from './connect.ts';
import { quoteNameText } from './identifier.ts';

export type RangeOptions = {
  readonly schema: string;
  /** How many parts each table is to have, by name. */
  readonly parts: ReadonlyMap<string, number>;
  /** As `readKeyColumns` gives them, when the caller has them. */
  readonly keys?: ReadonlyMap<string, string>;
};

/**
 * Conditions on the primary key that together select every row of a table exactly once, for each
 * table whose key begins with an integer; others are not in the result. The borders come from the
 * span of the key, or when that is
 * uneven from the server's estimates, so the parts are only about equal; that they cover the table
 * depends on neither, but on the key: where it may have changed since, `readKeyColumns` tells.
 * Reads the ends of the key and a few index pages.
 */
export async function readKeyRanges(
  db: Db,
  { schema, parts, keys }: RangeOptions,
): Promise<Map<string, string[]>> {
  const ranges = new Map<string, string[]>();
  for (const [tableName, columnName] of keys ?? (await readKeyColumns(db, schema, parts))) {
    const table = `${quoteNameText(schema)}.${quoteNameText(tableName)}`;
    const column = quoteNameText(columnName);
    const borders = await readBorders(db, { table, column }, parts.get(tableName)!);
    if (borders.length > 0) ranges.set(tableName, conditions(column, borders));
  }
  return ranges;
}

/** The column that the primary key begins with, by table, of those where it is an integer. */
export async function readKeyColumns(
  db: Db,
  schema: string,
  tables: ReadonlyMap<string, unknown>,
): Promise<Map<string, string>> {
  if (tables.size === 0) return new Map();
  const rows = await db.query<{ tableName: string; columnName: string }>(sql`
    SELECT s.table_name AS tableName, s.column_name AS columnName
    FROM information_schema.statistics s JOIN information_schema.columns c
      ON c.table_schema = s.table_schema AND c.table_name = s.table_name
        AND c.column_name = s.column_name
    WHERE s.table_schema = ${schema} AND c.table_schema = ${schema}
      AND s.table_name IN (${join([...tables.keys()])})
      AND s.index_name = 'PRIMARY' AND s.seq_in_index = 1
      AND c.data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')`);
  return new Map(rows.map(({ tableName, columnName }) => [tableName, columnName]));
}

/** `k < 10`, `k >= 10 AND k < 20`, `k >= 20` for the borders 10 and 20. Pure. */
export function conditions(column: string, borders: readonly bigint[]): string[] {
  const middle = borders.slice(1).map((border, index) => {
    return `${column} >= ${borders[index]} AND ${column} < ${border}`;
  });
  return [`${column} < ${borders[0]}`, ...middle, `${column} >= ${borders.at(-1)}`];
}

type Key = { readonly table: string; readonly column: string };

async function readBorders(db: Db, key: Key, parts: number): Promise<bigint[]> {
  const { table, column } = key;
  const ends = await db.one<{ least: string | null; greatest: string | null }>(
    `SELECT CAST(MIN(${column}) AS CHAR) AS least, CAST(MAX(${column}) AS CHAR) AS greatest FROM ${table}`,
  );
  if (ends?.least == null || ends.greatest === null) return [];
  const span: Span = [BigInt(ends.least), BigInt(ends.greatest)];
  const even = evenBorders(span, parts);
  if (even.length === 0 || (await areEven(db, key, even))) return even;
  const all = await estimateRows(db, key, `${column} IS NOT NULL`);
  const borders: bigint[] = [];
  for (let part = 1; part < parts; part++) {
    borders.push(await findBorder(db, key, { at: part / parts, of: all }, span));
  }
  return [...new Set(borders)].sort((a, b) => (a < b ? -1 : 1));
}

type Span = readonly [least: bigint, greatest: bigint];

/** Values that cut a span into parts of the same width. Pure. */
export function evenBorders([least, greatest]: Span, parts: number): bigint[] {
  const width = greatest - least + 1n;
  const borders = Array.from({ length: parts - 1 }, (_, index) => {
    return least + (width * BigInt(index + 1)) / BigInt(parts);
  });
  return [...new Set(borders)].filter((border) => border > least);
}

/** Keys that were counted up are; those with a few far away are not. Estimates are rough. */
async function areEven(db: Db, key: Key, borders: readonly bigint[]): Promise<boolean> {
  const estimates: number[] = [];
  for (const where of conditions(key.column, borders)) {
    estimates.push(await estimateRows(db, key, where));
  }
  return Math.min(...estimates) * 5 > Math.max(...estimates);
}

/** The value below which about `at` of `of` rows lie. */
async function findBorder(
  db: Db,
  key: Key,
  share: { readonly at: number; readonly of: number },
  [least, greatest]: Span,
): Promise<bigint> {
  let low = least;
  let high = greatest;
  // Beyond a thousandth of the key's span it does not matter.
  const enough = (greatest - least) / 1000n + 1n;
  while (high - low > enough) {
    const middle = (low + high) / 2n;
    // InnoDB estimates no range as more than half of the table: the smaller side is asked.
    const below =
      share.at <= 0.5
        ? await estimateRows(db, key, `${key.column} < ${middle}`)
        : share.of - (await estimateRows(db, key, `${key.column} >= ${middle}`));
    if (below < share.of * share.at) low = middle;
    else high = middle;
  }
  return high;
}

async function estimateRows(db: Db, { table, column }: Key, where: string): Promise<number> {
  const row = await db.one<{ rows: string | null }>(
    `EXPLAIN SELECT ${column} FROM ${table} FORCE INDEX (PRIMARY) WHERE ${where}`,
  );
  return Number(row?.rows ?? 0);
}
