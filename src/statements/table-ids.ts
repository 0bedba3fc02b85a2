/**
 * The ids of InnoDB tables and partitions: what EXCHANGE PARTITION and a RENAME in a circle change,
 * when the structure looks the same before and after (DESIGN §5a).
 */
import sql, { join } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { isMissingRight } from '../database/server-errors.ts';

/** `table`, or `table#P#partition` as the server writes it, → id. */
export type TableIds = Readonly<Record<string, string>>;

/**
 * Reads the ids of `tables` and of their partitions. Null without the PROCESS right, and when none
 * of them is an InnoDB table. Reads only.
 */
export async function readTableIds(
  db: Db,
  database: string,
  tables: readonly string[],
): Promise<TableIds | null> {
  if (tables.length === 0) return null;
  try {
    // With lower_case_table_names the names are in lower case; a table too many does no harm.
    const names = tables.map((name) => name.toLowerCase());
    // InnoDB has names as files have them: `db/t@002d1#P#p0`. A # of the name itself is written @0023.
    const rows = await db.query<{ name: string; parts: string; id: string }>(sql`
      SELECT name, parts, id FROM (
        SELECT table_id AS id,
          CONVERT(CONVERT(CAST(SUBSTRING_INDEX(name, '/', 1) AS BINARY) USING filename)
            USING utf8mb4) AS folder,
          CONVERT(CONVERT(CAST(SUBSTRING_INDEX(SUBSTRING_INDEX(name, '/', -1), '#', 1) AS BINARY)
            USING filename) USING utf8mb4) AS name,
          SUBSTRING(name, LOCATE('#', CONCAT(name, '#'))) AS parts
        FROM information_schema.innodb_sys_tables) AS known
      WHERE BINARY folder = ${database} AND BINARY LOWER(name) IN (${join(names)})`);
    if (rows.length === 0) return null;
    return Object.fromEntries(rows.map(({ name, parts, id }) => [`${name}${parts}`, String(id)]));
  } catch (error) {
    if (isMissingRight(error)) return null;
    throw error;
  }
}

/**
 * - `before`: no id has moved, so the statement was not executed;
 * - `moved`: the same ids are under the same names, but not each where it was: it was executed;
 * - `unknown`: anything else, also when one of the two could not be read.
 */
export type IdsSeen = 'before' | 'moved' | 'unknown';

/** Compares two readings of the same tables. Pure. */
export function compareIds(before: TableIds | null, now: TableIds | null): IdsSeen {
  if (before === null || now === null) return 'unknown';
  const names = Object.keys(before);
  if (names.length !== Object.keys(now).length) return 'unknown';
  if (names.every((name) => before[name] === now[name])) return 'before';
  const sorted = (ids: TableIds) => Object.values(ids).sort().join();
  const sameNames = names.every((name) => name in now);
  return sameNames && sorted(before) === sorted(now) ? 'moved' : 'unknown';
}
