import sql, { bulk, join, type RawValue } from 'sql-template-tag';
import type { Db } from '../../../src/database/connect.ts';
import { quoteName } from '../../../src/database/identifier.ts';

export type Value = string | number | null;

/** Column names and values. All rows of one table have the same columns. */
export type Row = Readonly<Record<string, Value>>;

/** Rows for a table. A list of them is in the order of the foreign keys. */
export type TableRows = { readonly table: string; readonly rows: readonly Row[] };

// Below the smallest max_allowed_packet in use (16 MiB) also when each byte is escaped.
const MAX_STATEMENT_CHARS = 1_000_000;
const MAX_STATEMENT_ROWS = 500;

/** Inserts rows in their order, many to a statement, and adds to `counts`. Foreign keys are checked. */
export async function insertRows(
  db: Db,
  tables: readonly TableRows[],
  counts: Map<string, number>,
): Promise<void> {
  for (const { table, rows } of tables) {
    for (const part of cut(rows)) await insertPart(db, table, part);
    counts.set(table, (counts.get(table) ?? 0) + rows.length);
  }
}

async function insertPart(db: Db, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0]!);
  const values: RawValue[][] = rows.map((row) => columns.map((column) => row[column]!));
  await db.run(
    sql`INSERT INTO ${quoteName(table)} (${join(columns.map(quoteName))}) VALUES ${bulk(values)}`,
  );
}

function* cut(rows: readonly Row[]): Generator<readonly Row[]> {
  let part: Row[] = [];
  let chars = 0;
  for (const row of rows) {
    part.push(row);
    for (const value of Object.values(row)) chars += typeof value === 'string' ? value.length : 8;
    if (part.length < MAX_STATEMENT_ROWS && chars < MAX_STATEMENT_CHARS) continue;
    yield part;
    part = [];
    chars = 0;
  }
  if (part.length > 0) yield part;
}
