/** What `deploy_run` says of the run that is open and of the last that was closed. */
import sql, { type Sql } from 'sql-template-tag';
import type { Row } from '../src/database/connect.ts';
import { qualified } from '../src/database/identifier.ts';
import { lockNameSql } from '../src/database/lock-name.ts';
import { selectTextRow } from '../src/history/read.ts';
import type { RunMode, RunOutcome, RunState } from '../src/history/run-row.ts';
import type { ClosedRun, OpenRun } from './facts.ts';

export type Runs = {
  readonly openRun: OpenRun | null;
  readonly lastRun: ClosedRun | null;
  /** Another value when a run was written or closed since: what else the runs say may be new. */
  readonly mark: string;
};

/**
 * The SELECT of both runs, in the form of `selectHistory`, and whether somebody holds the deploy
 * lock, which it never waits for. Needs `deploy_run` and `deploy_journal`, and `deploy_lock` if
 * `withLease`: GET_LOCK is known to one node of a Galera cluster only, the lease of its holder to all.
 */
export function selectRuns(database: string, withLease: boolean): Sql {
  const table = qualified(database, 'deploy_run');
  const lock = qualified(database, 'deploy_lock');
  const lease = withLease
    ? sql`(SELECT COUNT(*) FROM ${lock} held JOIN ${lock} lease ON lease.epoch = held.epoch
        WHERE held.id = 1 AND held.owner <> '' AND lease.id = 2
          AND lease.expires_at > UTC_TIMESTAMP(3))`
    : sql`0`;
  const text = sql`JSON_OBJECT('held_by', IS_USED_LOCK(${lockNameSql(database)}), 'leased', ${lease},
    'newest', (SELECT MAX(id) FROM ${table}),
    'run_id', run_id, 'mode', mode, 'state', state, 'step', step, 'from_version', from_version,
    'to_version', to_version, 'started_at', CAST(started_at AS CHAR),
    'finished_at', CAST(finished_at AS CHAR), 'outcome', outcome, 'exit_code', exit_code,
    'total', JSON_LENGTH(plan, '$.actions'),
    'done', IF(state = 'closed', NULL, (SELECT COUNT(*)
      FROM ${qualified(database, 'deploy_journal')} journal
      WHERE journal.run_id = run.run_id AND journal.state = 'done')))`;
  const columns = sql`id, run_id, mode, state, step, from_version, to_version, started_at,
    finished_at, outcome, exit_code`;
  // Each select by itself: the plan of a closed run, which may be long, is of no interest.
  return sql`${selectTextRow('deploy_run', sql`id`, text)} FROM (
    (SELECT ${columns}, plan FROM ${table} WHERE state <> 'closed' ORDER BY id DESC LIMIT 1)
    UNION ALL (SELECT ${columns}, NULL FROM ${table} WHERE state = 'closed' AND mode <> 'backup'
      ORDER BY id DESC LIMIT 1)) run`;
}

type RunRow = {
  readonly held_by: number | null;
  /** 1 while the lease of a holder has not run out. */
  readonly leased: number;
  readonly newest: number;
  readonly run_id: string;
  readonly mode: RunMode;
  readonly state: RunState;
  readonly step: string | null;
  readonly from_version: string | null;
  readonly to_version: string | null;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly outcome: RunOutcome | null;
  readonly exit_code: number | null;
  readonly done: number | null;
  readonly total: number | null;
};

/** Picks the runs out of the rows that `selectRuns` gave, also among other rows. Pure. */
export function runsOf(rows: readonly Row[]): Runs {
  const runs = rows
    .filter((row) => row['t'] === 'deploy_run')
    .map((row) => JSON.parse(String(row['c0'])) as RunRow);
  const open = runs.find(({ state }) => state !== 'closed');
  const closed = runs.find(({ state }) => state === 'closed');
  return {
    openRun: open === undefined ? null : openRun(open),
    lastRun: closed === undefined ? null : closedRun(closed),
    mark: `${runs[0]?.newest ?? 0} ${closed?.run_id ?? ''}`,
  };
}

function openRun(row: RunRow): OpenRun {
  const { done, total } = row;
  return {
    runId: row.run_id,
    mode: row.mode,
    state: row.state,
    step: row.step,
    from: row.from_version,
    to: row.to_version,
    startedAt: toIso(row.started_at),
    isAlive: row.held_by !== null || row.leased > 0,
    progress: done === null || total === null ? null : { done, total },
  };
}

function closedRun(row: RunRow): ClosedRun {
  return {
    runId: row.run_id,
    mode: row.mode,
    outcome: row.outcome,
    exitCode: row.exit_code,
    startedAt: toIso(row.started_at),
    finishedAt: row.finished_at === null ? null : toIso(row.finished_at),
  };
}

/** The columns hold UTC without saying so. */
export function toIso(utc: string): string {
  return `${utc.replace(' ', 'T')}Z`;
}
