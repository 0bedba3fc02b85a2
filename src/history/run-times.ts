import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified } from '../database/identifier.ts';
import { isMissingTable } from '../database/server-errors.ts';

/** What the clock of the server says: now, and at the beginning of each run. */
export type RunTimes = { readonly now: Date; readonly runs: ReadonlyMap<string, Date> };

/**
 * Reads when the runs began, by run id, all by the clock of the server. No runs when there is no
 * `deploy_run`. Reads only, needs no lock.
 */
export async function readRunTimes(db: Db, schema: string): Promise<RunTimes> {
  const row = await db.one<{ now: string }>('SELECT UTC_TIMESTAMP(3) AS now');
  const runs = new Map<string, Date>();
  try {
    const rows = await db.query<{ run_id: string; started_at: string }>(
      sql`SELECT run_id, started_at FROM ${qualified(schema, 'deploy_run')}`,
    );
    for (const { run_id, started_at } of rows) runs.set(run_id, utc(started_at));
  } catch (error) {
    if (!isMissingTable(error)) throw error;
  }
  return { now: utc(row!.now), runs };
}

function utc(text: string): Date {
  return new Date(`${text.replace(' ', 'T')}Z`);
}
