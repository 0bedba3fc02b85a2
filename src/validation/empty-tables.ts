/** Which tables have no row. Helper of the checks about rows that are missing. */
import sql, { join } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified } from '../database/identifier.ts';

const AT_ONCE = 100;

/** Gives those of the tables that are empty. One query for every hundred tables; reads one row of each. */
export async function findEmptyTables(
  db: Db,
  database: string,
  tables: readonly string[],
): Promise<Set<string>> {
  const empty = new Set<string>();
  for (let first = 0; first < tables.length; first += AT_ONCE) {
    const part = tables.slice(first, first + AT_ONCE);
    // The index instead of the name: a name in a result may change its collation on the way.
    const selects = part.map(
      (table, index) =>
        sql`SELECT ${index} AS i, EXISTS (SELECT 1 FROM ${qualified(database, table)}) AS filled`,
    );
    const rows = await db.query<{ i: number | string; filled: number | string }>(
      join(selects, ' UNION ALL '),
    );
    for (const { i, filled } of rows)
      if (Number(filled) === 0) empty.add(part[Number(i)] as string);
  }
  return empty;
}
