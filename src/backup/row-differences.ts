import sql, { join } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { isDeployTable, quoteNameText } from '../database/identifier.ts';
import { hashTables } from '../database/value-hash.ts';
import type { Manifest } from './manifest.ts';

/** In which rows one table of the live schema differs from that of a staged backup. */
export type RowDifference = {
  readonly table: string;
  /** Columns by which rows are the same one; empty when the two tables have no such key. */
  readonly key: readonly string[];
  readonly liveRows: number;
  readonly backupRows: number;
  /** Null when rows cannot be told apart: there is no common key, and the tables are not equal. */
  readonly onlyLive: number | null;
  readonly onlyBackup: number | null;
  /** Rows of the same key with another value in one of the columns that both tables have. */
  readonly differing: number | null;
};

/**
 * Compares the rows of two schemas of one server, table by table, by primary key over the columns
 * that both have. The server joins them by key: no row comes here, whatever the size. Without
 * transaction: what is written meanwhile may count or not. Reads only.
 */
export async function readRowDifferences(
  db: Db,
  { live, staged }: { readonly live: string; readonly staged: string },
): Promise<RowDifference[]> {
  const [own, other] = [await readTables(db, live), await readTables(db, staged)];
  const names = [...new Set([...own.keys(), ...other.keys()])].sort();
  const differences: RowDifference[] = [];
  for (const table of names) {
    const columns = { live: own.get(table) ?? null, staged: other.get(table) ?? null };
    differences.push(await compareTable(db, { live, staged }, table, columns));
  }
  return differences;
}

/**
 * The same without a staging, from what the manifest says: which tables have the same rows, and how
 * many rows the others have. Reads every row of the live schema.
 */
export async function readDifferenceFromManifest(
  db: Db,
  live: string,
  { tables, format }: Pick<Manifest, 'tables' | 'format'>,
): Promise<RowDifference[]> {
  const names = [...(await readTables(db, live)).keys()];
  const hashes = await hashTables([db], live, names, { format });
  const all = [...new Set([...names, ...tables.map(({ name }) => name)])].sort();
  return all.map((table) => {
    const own = hashes.get(table);
    const other = tables.find(({ name }) => name === table);
    const counts = { table, key: [], liveRows: own?.rows ?? 0, backupRows: other?.rows ?? 0 };
    const { liveRows, backupRows } = counts;
    if (liveRows === 0 || backupRows === 0)
      return { ...counts, onlyLive: liveRows, onlyBackup: backupRows, differing: 0 };
    const same = own?.hash === other?.hash ? 0 : null;
    return { ...counts, onlyLive: same, onlyBackup: same, differing: same };
  });
}

/** True when the restore would change a row of the table. */
export function hasDifference({ onlyLive, onlyBackup, differing }: RowDifference): boolean {
  return onlyLive !== 0 || onlyBackup !== 0 || differing !== 0;
}

/** The differences for people, one line for each table that has some. Pure; no row data. */
export function describeRowDifferences(differences: readonly RowDifference[]): string[] {
  const lines = differences.filter(hasDifference).map((difference) => {
    const { table, onlyLive, onlyBackup, differing, liveRows, backupRows } = difference;
    if (onlyLive === null) {
      return `${table}: ${liveRows} rows now, ${backupRows} in the backup, not the same ones (no common key)`;
    }
    return `${table}: ${onlyLive} rows only in the database, ${onlyBackup} only in the backup, ${differing} differ`;
  });
  const equal = differences.length - lines.length;
  return [...lines, `${equal} tables hold the same rows as the backup`];
}

type Column = {
  readonly name: string;
  readonly dataType: string;
  /** Type, character set and collation: keys of other types are not compared. */
  readonly type: string;
  readonly isKey: boolean;
};

type Schemas = { readonly live: string; readonly staged: string };

async function compareTable(
  db: Db,
  schemas: Schemas,
  table: string,
  columns: { readonly live: readonly Column[] | null; readonly staged: readonly Column[] | null },
): Promise<RowDifference> {
  const liveRows = columns.live === null ? 0 : await countRows(db, schemas.live, table);
  const backupRows = columns.staged === null ? 0 : await countRows(db, schemas.staged, table);
  const counts = { table, liveRows, backupRows };
  if (columns.live === null || columns.staged === null || liveRows === 0 || backupRows === 0) {
    return { ...counts, key: [], onlyLive: liveRows, onlyBackup: backupRows, differing: 0 };
  }
  const key = commonKey(columns.live, columns.staged);
  if (key.length === 0) {
    const isEqual = liveRows === backupRows && (await haveEqualRows(db, schemas, table, columns));
    const unknown = isEqual ? 0 : null;
    return { ...counts, key, onlyLive: unknown, onlyBackup: unknown, differing: unknown };
  }
  const row = await db.one<{ matched: string; differing: string | null }>(
    differenceQuery(schemas, table, key, columns.live, columns.staged),
  );
  const matched = Number(row?.matched);
  return {
    ...{ ...counts, key, differing: Number(row?.differing ?? 0) },
    ...{ onlyLive: liveRows - matched, onlyBackup: backupRows - matched },
  };
}

/** The primary key's columns when both tables have the same one, of the same types; else none. */
function commonKey(live: readonly Column[], staged: readonly Column[]): string[] {
  const keyOf = (columns: readonly Column[]) => columns.filter(({ isKey }) => isKey);
  const text = (columns: readonly Column[]) =>
    JSON.stringify(keyOf(columns).map(({ name, type }) => [name, type]));
  return text(live) === text(staged) ? keyOf(live).map(({ name }) => name) : [];
}

/**
 * Counts the pairs of rows with one key, and those of them whose other common columns differ. Pure.
 */
export function differenceQuery(
  { live, staged }: Schemas,
  table: string,
  key: readonly string[],
  liveColumns: readonly Column[],
  stagedColumns: readonly Column[],
): string {
  const name = quoteNameText(table);
  const on = key.map((column) => `l.${quoteNameText(column)} = s.${quoteNameText(column)}`);
  const equal = liveColumns.flatMap((column) => {
    const other = stagedColumns.find((each) => each.name === column.name);
    if (other === undefined || key.includes(column.name)) return [];
    return [sameValue(quoteNameText(column.name), column.dataType, other.dataType)];
  });
  const same = equal.length === 0 ? 'TRUE' : equal.join(' AND ');
  // SET STATEMENT ends with the statement, so that the session's own settings stay.
  return `SET STATEMENT max_statement_time=0, sql_mode='' FOR
SELECT COUNT(*) AS matched, SUM(NOT (${same})) AS differing
FROM ${quoteNameText(live)}.${name} l JOIN ${quoteNameText(staged)}.${name} s ON ${on.join(' AND ')}`;
}

const TEXT = new Set('char varchar tinytext text mediumtext longtext enum set'.split(' '));
const PLAIN = new Set(
  'tinyint smallint mediumint int bigint decimal float double bit year date time datetime timestamp'.split(
    ' ',
  ),
);

/** Values are the same when their bytes are: neither case nor trailing spaces are overlooked. */
function sameValue(column: string, liveType: string, stagedType: string): string {
  if (PLAIN.has(liveType) && PLAIN.has(stagedType)) return `l.${column} <=> s.${column}`;
  const isText = [liveType, stagedType].some((type) => TEXT.has(type) || PLAIN.has(type));
  const bytes = (side: string) =>
    isText
      ? `CAST(CONVERT(${side}.${column} USING utf8mb4) AS BINARY)`
      : `CAST(${side}.${column} AS BINARY)`;
  return `${bytes('l')} <=> ${bytes('s')}`;
}

async function haveEqualRows(
  db: Db,
  { live, staged }: Schemas,
  table: string,
  columns: { readonly live: readonly Column[] | null; readonly staged: readonly Column[] | null },
): Promise<boolean> {
  const names = (list: readonly Column[] | null) => JSON.stringify(list?.map(({ name }) => name));
  if (names(columns.live) !== names(columns.staged)) return false;
  const hashOf = async (schema: string) => (await hashTables(db, schema, [table])).get(table)?.hash;
  return (await hashOf(live)) === (await hashOf(staged));
}

async function countRows(db: Db, schema: string, table: string): Promise<number> {
  const row = await db.one<{ n: string }>(
    `SET STATEMENT max_statement_time=0 FOR SELECT COUNT(*) AS n FROM ${quoteNameText(schema)}.${quoteNameText(table)}`,
  );
  return Number(row?.n);
}

/** The stored columns of every base table, in their order; of keys in the order of the key. */
async function readTables(db: Db, schema: string): Promise<Map<string, Column[]>> {
  const rows = await db.query<{
    tableName: string;
    name: string;
    dataType: string;
    type: string;
    isKey: string;
  }>(sql`SELECT c.table_name AS tableName, c.column_name AS name, LOWER(c.data_type) AS dataType,
      CONCAT_WS(' ', c.column_type, c.character_set_name, c.collation_name) AS type,
      k.column_name IS NOT NULL AS isKey
    FROM information_schema.columns c
      JOIN information_schema.tables t
        ON t.table_schema = c.table_schema AND t.table_name = c.table_name
      LEFT JOIN information_schema.statistics k
        ON k.table_schema = c.table_schema AND k.table_name = c.table_name
          AND k.column_name = c.column_name AND k.index_name = 'PRIMARY'
    WHERE c.table_schema = ${schema} AND t.table_type IN (${join(['BASE TABLE', 'SYSTEM VERSIONED'])})
      AND c.extra NOT LIKE '%VIRTUAL GENERATED%'
    ORDER BY c.table_name, k.seq_in_index, c.ordinal_position`);
  const own = rows.filter(({ tableName }) => !isDeployTable(tableName));
  const tables = new Map<string, Column[]>();
  for (const { tableName, isKey, ...column } of own) {
    const list = tables.get(tableName) ?? [];
    tables.set(tableName, list);
    list.push({ ...column, isKey: Number(isKey) === 1 });
  }
  return tables;
}
