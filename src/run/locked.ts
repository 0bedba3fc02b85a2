/** Holds the deploy lock around a command, and turns the wish to stop into an end in time. */
import { connect, withConnection } from '../database/connect.ts';
import { type Hold, holdLock } from '../database/lock.ts';
import { within } from '../database/within.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { assertOwnTables } from '../history/own-tables.ts';
import { readUnfinishedRun } from '../history/read-runs.ts';
import { ensureRunTable, type RunRow } from '../history/runs.ts';
import { ensureJournalTable } from '../statements/journal.ts';
import type { RunContext } from './context.ts';
import { besideRun } from './half-way.ts';
import { asInterrupted } from './interrupted.ts';
import { step } from './report.ts';
import { watchStop } from './watch-stop.ts';

/**
 * Runs `work` while holding the deploy lock, with this program's own tables in place.
 * The lock belongs to the connection: if the process dies, the server frees it.
 * When the process is told to stop it ends in time (watch-stop.ts).
 *
 * @throws DeployError `LOCK_HELD` after LOCK_WAIT_SECONDS, naming the holder; SettledError with it as
 *   cause when that holder is changing the database
 */
export async function withLock<T>(
  context: RunContext,
  work: (hold: Hold, lock: { readonly waited: boolean }) => Promise<T>,
): Promise<T> {
  context.keepLog();
  const { hold, waited } = await takeLock(context);
  const watch = watchStop(context, hold);
  try {
    await ensureRunTable(hold.db);
    await ensureJournalTable(hold);
    await assertOwnTables(hold).catch(async (error: unknown) => {
      if (!isDeployError(error)) throw error;
      throw besideRun(error, hold.database, await readUnfinishedRun(hold.db, hold.database));
    });
    return await work(hold, { waited });
  } finally {
    watch.end();
    await hold.release();
  }
}

/** @throws SettledError when another run is changing the database: then it is not simply as before. */
async function takeLock(context: RunContext): Promise<{ hold: Hold; waited: boolean }> {
  const { config, report, log, stop } = context;
  const { name: database } = config.database;
  const open = () => connect(config.database, { database });
  const options = { database, waitMs: config.lockWaitMs, runId: report.run_id, log, signal: stop };
  try {
    return await step(report, 'lock', () => holdLock(open, options));
  } catch (thrown) {
    const error = asInterrupted(context, thrown);
    if (!isDeployError(error)) throw error;
    throw besideRun(error, database, await readOther(context));
  }
}

/** The run that has not ended, over a connection of its own; null also when the server does not answer soon. */
async function readOther({ config }: RunContext): Promise<RunRow | null> {
  const { name: database } = config.database;
  const signal = AbortSignal.timeout(2_000);
  return withConnection(config.database, { database, signal }, (db) =>
    within(2_000, readUnfinishedRun(db, database)),
  ).catch(() => null);
}
