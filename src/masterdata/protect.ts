import sql, { empty, join } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { readMatchingTables } from './columns.ts';
import type { EntityReport } from './report.ts';

/** Rows by table. */
export type Counts = ReadonlyMap<string, number>;

/** Counts the rows of the protected tables and of those of the entities. */
export async function countRows(
  db: Db,
  patterns: readonly string[],
  tables: readonly string[],
): Promise<Counts> {
  const all = [...new Set([...(await readMatchingTables(db, patterns)), ...tables])];
  if (all.length === 0) return new Map();
  // By another index the server looks for each new row again, to see whether it is visible.
  const parts = all.map((name) => {
    const by = tables.includes(name) ? sql`FORCE INDEX (PRIMARY)` : empty;
    return sql`SELECT ${name} AS name, COUNT(*) AS n FROM ${quoteName(name)} ${by}`;
  });
  const rows = await db.query<{ name: string; n: string }>(join(parts, ' UNION ALL '));
  return new Map(rows.map(({ name, n }) => [name, Number(n)]));
}

/**
 * Compares the counts from before and after: no protected table may have fewer rows, and every
 * other one exactly those that were planned. Pure.
 *
 * @throws DeployError `MASTERDATA_FAILED` with each table that does not.
 */
export function compareCounts(
  before: Counts,
  after: Counts,
  reports: readonly EntityReport[],
): void {
  const planned = new Map(reports.map((one) => [one.table, one.inserted - one.deleted]));
  const problems = [...before].flatMap(([name, rows]) => {
    const now = after.get(name) ?? 0;
    const change = planned.get(name);
    if (change === undefined ? now >= rows : now === rows + change) return [];
    return [`table ${name}: ${rows} rows before, ${now} after`];
  });
  if (problems.length === 0) return;
  throw new DeployError('MASTERDATA_FAILED', 'the sync would take rows that are not its own', {
    where: problems[0]!,
    facts: { problems },
  });
}
