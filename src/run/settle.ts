/** Decides what follows from a failure, and puts the database back where that is the policy. */
import { findSet } from '../backup/list.ts';
import type { BackupSet } from '../backup/manifest.ts';
import type { RestoreState } from '../backup/restore-state.ts';
import { findReusableSet } from '../backup/reuse.ts';
import type { Hold } from '../database/lock.ts';
import {
  isConnectionRefused,
  isOwnTableMissing,
  isQueryInterrupted,
} from '../database/server-errors.ts';
import { setFreshSession } from '../database/session.ts';
import { causeChain } from '../errors/chain.ts';
import { codeOf, DeployError, isDeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { readUnfinishedRun } from '../history/read-runs.ts';
import { isEndRecorded } from '../history/run-row.ts';
import { type RunRow, updateRun } from '../history/runs.ts';
import type { RunContext } from './context.ts';
import { letIn } from './fence.ts';
import { cutOff, fencedText } from './half-way.ts';
import { asInterrupted } from './interrupted.ts';
import { noteLongWork } from './long-work.ts';
import { type Report, step } from './report.ts';
import { isCutOff, SettledError, type Settlement, untouched } from './settled.ts';

/** Gives the failure together with where it leaves the database. Never throws. */
export async function settle(
  context: RunContext,
  hold: Hold,
  known: RunRow,
  thrown: unknown,
): Promise<SettledError> {
  const database = context.config.database.name;
  const error = asInterrupted(context, thrown);
  // The row has moved on since the caller read it; it alone says how far the run is.
  const run = (await readUnfinishedRun(hold.db, database).catch(() => null)) ?? known;
  if (run.state === 'locked') return settleUnchanged(context, hold, run, error);
  if (isCut(context, hold, error)) return new SettledError(error, cutOff(database, run));
  // Recorded, and perhaps with the application in: it is closed by the next `up`, never put back.
  if (isEndRecorded(run)) return new SettledError(error, cutOff(database, run));
  if (run.mode === 'restore') return settleRestore(context, hold, run, error);
  if (run.state === 'putting_back') return stuck(context, run, error);
  if (context.config.onFailure === 'stop') {
    return new SettledError(error, {
      exitCode: 21,
      state: 'partial',
      statement: `${database} is between ${run.from ?? 'no version'} and ${run.to ?? 'no version'}, left as the failure left it (ON_FAILURE=stop); backup set ${run.backupSet}${fencedText(run)}`,
    });
  }
  return putBackAndSettle(context, hold, run, error);
}

/**
 * Gives the failure of taking the database as it is: whatever failed, a person wanted every table
 * kept, so nothing is put back and the run stays open. Never throws.
 */
export async function settleAccept(
  context: RunContext,
  hold: Hold,
  known: RunRow,
  thrown: unknown,
): Promise<SettledError> {
  const { database } = hold;
  const error = asInterrupted(context, thrown);
  const run = (await readUnfinishedRun(hold.db, database).catch(() => null)) ?? known;
  if (isEndRecorded(run)) return new SettledError(error, cutOff(database, run));
  return new SettledError(error, {
    exitCode: isCut(context, hold, error) ? 23 : 21,
    state: 'partial',
    statement: `${database} is as it was, and not accepted yet: deploy resolve --accept again${fencedText(run)}`,
  });
}

async function settleUnchanged(
  context: RunContext,
  hold: Hold,
  run: RunRow,
  error: unknown,
): Promise<SettledError> {
  const settlement = untouched(error, context.config.database.name, run.from);
  try {
    await letIn(context, hold, run);
    await updateRun(hold, run.runId, {
      ...{ state: 'closed', outcome: 'failed', exitCode: settlement.exitCode },
      report: withError(context, error),
    });
    return new SettledError(error, settlement);
  } catch {
    // The server or the lock is gone: the run stays open, and the next `up` opens the fence.
    const statement = `${settlement.statement}${fencedText(run)}`;
    return new SettledError(error, { ...settlement, statement });
  }
}

async function putBackAndSettle(
  context: RunContext,
  hold: Hold,
  run: RunRow,
  error: unknown,
): Promise<SettledError> {
  try {
    return new SettledError(error, await putBack(context, hold, run, error));
  } catch (second) {
    if (isCut(context, hold, second))
      return new SettledError(error, cutOff(context.config.database.name, run));
    context.log.error({ err: error }, 'the failure that came first');
    return stuck(context, run, second);
  }
}

/** The server, the lock or the wish to stop ended the run, whatever the failing layer called it. */
function isCut({ stop }: RunContext, hold: Hold, error: unknown): boolean {
  if (isCutOff(error) || hold.signal.aborted || isConnectionRefused(error)) return true;
  if (isOwnTableMissing(error)) return true;
  return stop.aborted && isQueryInterrupted(error);
}

/** A put-back or a restore that failed on its way: the run stays open, the fence stays closed. */
function stuck({ report }: RunContext, run: RunRow, cause: unknown): SettledError {
  report.warnings.push('putting the database back failed');
  const what = 'the run failed and the database could not be put back';
  const knowsMore = (each: unknown) =>
    isDeployError(each, 'TABLES_IN_USE') || isDeployError(each, 'SPACE_SHORT');
  const next = (causeChain(cause).find(knowsMore) as DeployError | undefined)?.next;
  const error = new DeployError('PUT_BACK_FAILED', what, {
    cause,
    ...(next === undefined ? {} : { next }),
    where: `backup set ${run.backupSet}`,
  });
  return new SettledError(error, {
    exitCode: 22,
    state: 'unknown',
    statement: `UNKNOWN. Do not start the application. The backup set ${run.backupSet} is kept${fencedText(run)}`,
  });
}

/** A restore that failed before it decided to swap has changed nothing; later it only goes forward. */
async function settleRestore(
  context: RunContext,
  hold: Hold,
  run: RunRow,
  error: unknown,
): Promise<SettledError> {
  const database = context.config.database.name;
  const now = await readUnfinishedRun(hold.db, database).catch(() => null);
  const state = now?.restoreState as RestoreState | null | undefined;
  if (state === undefined || (state !== null && state.phase !== 'staging'))
    return stuck(context, run, error);
  const { settlement } = await settleUnchanged(context, hold, run, error);
  return new SettledError(error, {
    ...settlement,
    exitCode: Math.max(settlement.exitCode, 20),
    statement: `${database} is at ${run.from ?? 'no version'}, as before: nothing was swapped in`,
  });
}

/**
 * Puts the database back to the proven set of `run`: staged, compared, swapped, compared again.
 * When the database still equals the set nothing is written. Also goes on with a put-back that
 * was cut off. Needs the lock.
 *
 * DATA LOSS: rows written since the set was taken go; the fence keeps writers out where granted.
 */
export async function putBack(
  context: RunContext,
  hold: Hold,
  run: RunRow,
  error: unknown,
): Promise<Settlement> {
  const { config, report, log } = context;
  const database = config.database.name;
  await updateRun(hold, run.runId, { state: 'putting_back' });
  await failPoint('put-back.begun');
  const set = await findSet(config.backupDir, run.backupSet!);
  const how = await step(report, 'put_back', async () => {
    await setFreshSession(hold.db, { collation: set.manifest.collation });
    if (run.restoreState === null && (await isEqualNow(context, hold, set))) {
      // From here on nothing is put back again: the application may be let in at any moment.
      const compared: RestoreState = { phase: 'compared', set: set.name };
      await updateRun(hold, run.runId, { restoreState: compared });
      return `compared with ${set.name}`;
    }
    log.warn({ set: set.name }, `putting ${database} back from ${set.name}`);
    const { restoreSet } = await import('../backup/restore.ts');
    await restoreSet({
      ...{ hold, address: config.database, database, set, log, onProgress: noteLongWork(log) },
      saved: run.restoreState as RestoreState | null,
      save: (restoreState) => updateRun(hold, run.runId, { restoreState }),
      // The schema is half-way, and nobody but this run can make anything of it.
      mayMoveAside: true,
    });
    return `restored from ${set.name} and compared`;
  });
  await failPoint('put-back.restored');
  await letIn(context, hold, run);
  await updateRun(hold, run.runId, {
    ...{ state: 'closed', outcome: 'put_back', exitCode: 20 },
    report: withError(context, error),
  });
  const { before, after } = report.database;
  const begin = after !== before && after === run.from ? `the step to ${run.to}` : 'this run';
  const statement = `${database} is at ${run.from ?? 'no version'}, as before ${begin}: ${how}`;
  return { exitCode: 20, state: 'as_before', statement };
}

/** What `deploy_run` keeps of a failed run: waiters of the same plan end as it did. */
function withError({ report }: RunContext, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const failed: Report = {
    ...report,
    outcome: 'failed',
    error: { code: codeOf(error), message, hint: '' },
  };
  return JSON.stringify(failed);
}

/** Whether the database still equals the set, structure and values: then there is nothing to put back. */
async function isEqualNow(
  { config, log }: RunContext,
  hold: Hold,
  set: BackupSet,
): Promise<boolean> {
  const equal = await findReusableSet({
    ...{ address: config.database, database: config.database.name, dir: config.backupDir, log },
    registerConnection: (connectionId) => hold.register(connectionId),
  });
  return equal?.name === set.name;
}
