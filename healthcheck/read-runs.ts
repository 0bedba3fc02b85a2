/** Reads what `deploy_run` says of the run that is open and of the last that was closed. */
import sql, { type Sql } from 'sql-template-tag';
import type { Db } from '../src/database/connect.ts';
import { qualified } from '../src/database/identifier.ts';
import { lockName } from '../src/database/lock-name.ts';
import { isMissingTable } from '../src/database/server-errors.ts';
import type { RunMode, RunOutcome, RunState } from '../src/history/run-row.ts';
import type { ClosedRun, OpenRun } from './facts.ts';

export type Runs = { readonly openRun: OpenRun | null; readonly lastRun: ClosedRun | null };

/**
 * Reads the runs, and whether somebody holds the deploy lock, which it never waits for. One
 * query, a second one for the progress of an open run.
 */
export async function readRuns(db: Db, database: string): Promise<Runs> {
  const rows = await readRows(db, database);
  const lastRun = closedRun(rows);
  const open = rows.find(isOpen);
  if (open === undefined) return { openRun: null, lastRun };
  const isAlive = open.held_by !== null;
  if (isAlive) return { openRun: openRun(open, await readProgress(db, database, open)), lastRun };
  // The lock was read after the run: one that ended in between would look as if it was cut off.
  const again = await readRows(db, database);
  const same = again.find((row) => isOpen(row) && row.run_id === open.run_id);
  return { openRun: same === undefined ? null : openRun(same, null), lastRun: closedRun(again) };
}

type RunRow = {
  readonly held_by: string | null;
  readonly run_id: string | null;
  readonly mode: RunMode;
  readonly state: RunState;
  readonly step: string | null;
  readonly from_version: string | null;
  readonly to_version: string | null;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly outcome: RunOutcome | null;
  readonly exit_code: number | null;
  readonly error_code: string | null;
};

/** The newest open run and the newest closed one; none when there is no such table. */
async function readRows(db: Db, database: string): Promise<RunRow[]> {
  const newest = (which: Sql) => sql`(
    SELECT run_id, mode, state, step, from_version, to_version, started_at, finished_at, outcome,
      exit_code, IF(state = 'closed', JSON_VALUE(report, '$.error.code'), NULL) AS error_code
    FROM ${qualified(database, 'deploy_run')} WHERE ${which} ORDER BY id DESC LIMIT 1)`;
  try {
    return await db.query<RunRow>(sql`
      SELECT runs.*, IS_USED_LOCK(${lockName(database)}) AS held_by
      FROM (${newest(sql`state <> 'closed'`)} UNION ALL ${newest(sql`state = 'closed'`)}) runs`);
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}

function isOpen({ state }: RunRow): boolean {
  return state !== 'closed';
}

function openRun(row: RunRow, progress: OpenRun['progress']): OpenRun {
  return {
    runId: row.run_id ?? '',
    mode: row.mode,
    state: row.state,
    step: row.step,
    from: row.from_version,
    to: row.to_version,
    startedAt: toIso(row.started_at),
    isAlive: row.held_by !== null,
    progress,
  };
}

function closedRun(rows: readonly RunRow[]): ClosedRun | null {
  const row = rows.find((found) => !isOpen(found));
  if (row === undefined) return null;
  return {
    mode: row.mode,
    outcome: row.outcome,
    exitCode: row.exit_code,
    finishedAt: row.finished_at === null ? null : toIso(row.finished_at),
    errorCode: row.error_code,
  };
}

async function readProgress(db: Db, database: string, run: RunRow): Promise<OpenRun['progress']> {
  try {
    const row = await db.one<{ done: string; total: string | null }>(sql`
      SELECT JSON_LENGTH(run.plan, '$.actions') AS total,
        (SELECT COUNT(*) FROM ${qualified(database, 'deploy_journal')} journal
         WHERE journal.run_id = run.run_id AND journal.state = 'done') AS done
      FROM ${qualified(database, 'deploy_run')} run WHERE run.run_id = ${run.run_id}`);
    if (row === undefined || row.total === null) return null;
    return { done: Number(row.done), total: Number(row.total) };
  } catch (error) {
    if (isMissingTable(error)) return null;
    throw error;
  }
}

/** The column holds UTC without saying so. */
function toIso(utc: string): string {
  return `${utc.replace(' ', 'T')}Z`;
}
