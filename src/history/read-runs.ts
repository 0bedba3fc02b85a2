/** Reads the records of runs in `deploy_run`. Needs no lock. */
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db, Row } from '../database/connect.ts';
import { qualified } from '../database/identifier.ts';
import { isMissingTable, toDeployError } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { type RunRow, toRunRow } from './run-row.ts';

/**
 * Gives the run that somebody began and nobody closed, or null; also null when there is no
 * `deploy_run`. Reads only, needs no lock.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when there are several, or the table was changed.
 */
export async function readUnfinishedRun(db: Db, schema: string): Promise<RunRow | null> {
  const table = qualified(schema, 'deploy_run');
  const runs = await readRuns(
    db,
    sql`SELECT * FROM ${table} WHERE state <> 'closed' ORDER BY id DESC`,
  );
  if (runs.length > 1) {
    const ids = runs.map(({ runId }) => runId).join(', ');
    throw new DeployError('HISTORY_UNREADABLE', `deploy_run has more than one open run: ${ids}`, {
      where: 'deploy_run',
      next: [
        "close all but the last that really changed something: UPDATE deploy_run SET state = 'closed' WHERE run_id = '…'",
        'then: deploy resolve shows what that one left',
      ],
    });
  }
  return runs[0] ?? null;
}

/** Master data as a run has synced it. */
export type SyncedMasterdata = {
  /** Digest of what it says. */
  readonly digest: string;
  /** Digest of its files, byte by byte; null when they came in a package. */
  readonly files: string | null;
};

/** What the runs say that matters for a plan. */
export type RunFacts = {
  /** The run that somebody began and nobody closed, or null. */
  readonly unfinished: RunRow | null;
  /** The last run that was no mere backup, or null; without its plan and its report. */
  readonly lastRun: RunRow | null;
  /**
   * The master data that the last run to reach its end has synced, or null when it synced none. What
   * the database holds is what that run left: runs that were put back or refused changed nothing. Null
   * also when a later run synced some and did not reach its end, because a person took the database as
   * it was: what holds then only a comparison tells.
   */
  readonly lastMasterdata: SyncedMasterdata | null;
};

/**
 * Reads what the runs say, in one query, or two when a run is open; all null when there is no
 * `deploy_run`. Reads only, needs no lock.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when several are open, or the table was changed.
 */
export async function readRunFacts(db: Db, schema: string): Promise<RunFacts> {
  const table = qualified(schema, 'deploy_run');
  const newest = (condition: string) =>
    sql`(SELECT id FROM ${table} WHERE mode <> 'backup' AND (${raw(condition)}) ORDER BY id DESC LIMIT 1)`;
  const rows = await readRows(
    db,
    // Of the plan, which may have megabytes, only this.
    sql`SELECT ${raw(LIGHT)}, JSON_VALUE(plan, '$.masterdataFiles') AS files FROM ${table}
        WHERE state <> 'closed' OR id IN (${newest('TRUE')}, ${newest(DECIDES_MASTERDATA)})
        ORDER BY id DESC`,
  );
  const found = rows.map((row) => ({ run: toRunRow(row), files: row['files'] as string | null }));
  const runs = found.filter(({ run }) => run.mode !== 'backup');
  const isOpen = found.some(({ run }) => run.state !== 'closed');
  return {
    unfinished: isOpen ? await readUnfinishedRun(db, schema) : null,
    lastRun: runs[0]?.run ?? null,
    lastMasterdata: syncedBy(runs.find(({ run }) => decidesMasterdata(run))),
  };
}

/** The same as `decidesMasterdata`. */
const DECIDES_MASTERDATA = "outcome = 'done' OR outcome = 'left' AND masterdata_digest IS NOT NULL";

function decidesMasterdata({ outcome, masterdataDigest }: RunRow): boolean {
  return outcome === 'done' || (outcome === 'left' && masterdataDigest !== null);
}

function syncedBy(
  last: { readonly run: RunRow; readonly files: string | null } | undefined,
): SyncedMasterdata | null {
  const digest = last?.run.masterdataDigest ?? null;
  return last === undefined || digest === null || last.run.outcome === 'left'
    ? null
    : { digest, files: last.files };
}

/**
 * Gives the last runs, the newest first, without mere backups; none when there is no `deploy_run`.
 * Reads only. Their plan and their report, which may have megabytes, are left out: they are null.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when the table was changed.
 */
export function readLastRuns(db: Db, schema: string, limit: number): Promise<RunRow[]> {
  const table = qualified(schema, 'deploy_run');
  return readRuns(
    db,
    sql`SELECT ${raw(LIGHT)} FROM ${table} WHERE mode <> 'backup' ORDER BY id DESC LIMIT ${limit}`,
  );
}

/**
 * Gives one run with its plan and its report, or null. Reads only.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when the table was changed.
 */
export async function readRun(db: Db, schema: string, runId: string): Promise<RunRow | null> {
  const table = qualified(schema, 'deploy_run');
  const [run] = await readRuns(db, sql`SELECT * FROM ${table} WHERE run_id = ${runId}`);
  return run ?? null;
}

/** All columns but the two long ones. */
const LIGHT = `id, run_id, epoch, plan_digest, mode, direction, from_version, to_version, state, step,
  backup_set, fenced_accounts, disabled_events, restore_state, started_at, finished_at, outcome, exit_code,
  masterdata_digest`;

async function readRuns(db: Db, query: Sql): Promise<RunRow[]> {
  return (await readRows(db, query)).map(toRunRow);
}

async function readRows<R extends object = Row>(db: Db, query: Sql): Promise<R[]> {
  try {
    return await db.query<R>(query);
  } catch (error) {
    if (isMissingTable(error)) return [];
    const failure = toDeployError(error, 'the runs could not be read');
    if (failure.code !== 'QUERY_FAILED') throw failure;
    throw new DeployError('HISTORY_UNREADABLE', 'the table deploy_run cannot be read', {
      cause: error,
      where: 'deploy_run',
    });
  }
}

/**
 * Whether this database has a record of a run, or of one of its steps from version to version.
 * Under the deploy lock such a run is over, unless it is the holder's own. Reads only.
 */
export async function hasRun(db: Db, schema: string, runId: string): Promise<boolean> {
  const table = qualified(schema, 'deploy_run');
  const [run] = await readRows(
    db,
    sql`SELECT id FROM ${table} WHERE SUBSTRING_INDEX(run_id, '.', 1) = ${runId} LIMIT 1`,
  );
  return run !== undefined;
}
