import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { quoteNameText } from '../database/identifier.ts';
import type { Hold } from '../database/lock.ts';
import { isConnectionLost, toDeployError } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { type Contents, objectFingerprints, readContents } from './contents.ts';
import { type ContentDifference, compareContents, describeDifferences } from './differences.ts';
import { isServerError, stopReason, throwIfAborted } from './failures.ts';
import type { BackupSet } from './manifest.ts';
import type { OnProgress } from './progress.ts';
import { putEvents, putObjects } from './put-objects.ts';
import { assertRestorable } from './restore-check.ts';
import { type RestoreContext, restoreSchemas, withWorker } from './restore-context.ts';
import type { RestoreState } from './restore-state.ts';
import { stage, unstage } from './stage.ts';
import { readBeforeSwap, type Swapping, swap } from './swap.ts';
import { assertSetOf, verifySet } from './verify.ts';

export type { RestoreState } from './restore-state.ts';

export type RestoreOptions = {
  /** The deploy lock: it is checked before every destructive step, and every connection registered. */
  readonly hold: Hold;
  readonly address: ServerAddress;
  readonly database: string;
  readonly set: BackupSet;
  readonly log: Log;
  readonly onProgress?: OnProgress;
  /** State of a restore that was cut off, as given to `save`; null for a new one. */
  readonly saved: RestoreState | null;
  /** Keeps the state where a later run finds it. It is on the disk when this resolves. */
  readonly save: (state: RestoreState) => Promise<void>;
  /**
   * Called once the staged tables equal the set and before anything of the live schema is touched:
   * what it throws gives the restore up. Not called again by a restore that is gone on with.
   */
  readonly beforeSwap?: (staged: { readonly schema: string }) => Promise<void>;
  /** Heeded until the swap begins. */
  readonly signal?: AbortSignal;
  /** How long to try to get the tables for the swap. Default: a minute. */
  readonly swapWaitMs?: number;
};

/**
 * Makes the database equal to a backup set: loads it beside, compares, swaps all tables in with
 * one RENAME, makes views, routines, triggers and events, compares again. Objects that the set does
 * not have are gone. The tables of this program stay. Needs the lock and a fence.
 *
 * Restartable at every point: called again with the last saved state, it finishes. After a death,
 * all tables are the old or all are the restored ones, for who holds the lock next. A session that
 * is not fenced out can see the RENAME half-way while it runs, and triggers, events, views and
 * routines are put right one by one around it.
 *
 * DATA LOSS: replaces everything in the database; the replaced tables are dropped after the
 * comparison.
 *
 * @throws DeployError `BACKUP_SET_INVALID`, `RIGHT_MISSING`, `RESTORE_FAILED`, `INTERRUPTED`: the database is as
 *   before; `PUT_BACK_FAILED`: the tables are swapped, and what was restored differs from the set;
 *   `CONNECTION_LOST`, `LOCK_LOST`: call it again.
 */
export async function restoreSet(options: RestoreOptions): Promise<void> {
  const { hold, address, database, log, save, saved } = options;
  const { onProgress = () => {}, signal, swapWaitMs = 60_000 } = options;
  assertSameSet(saved, options.set);
  const set = await verifySet(options.set.dir, onProgress);
  assertSetOf(set, database);
  const context: RestoreContext = {
    ...{ hold, address, database, set, log, onProgress, save, signal, swapWaitMs },
    ...restoreSchemas(database),
  };
  try {
    await goOn(context, saved, options.beforeSwap);
  } catch (error) {
    if (hold.signal.aborted) throw stopReason(hold.signal);
    throw isServerError(error)
      ? toDeployError(error, `the restore of ${set.name} was cut off`)
      : error;
  }
}

/**
 * Clears up after a restore of which nothing more than the staging was begun: the live schema is as
 * it was. Needs the lock; safe to repeat.
 */
export async function abandonRestore(
  options: Pick<RestoreOptions, 'hold' | 'database'> & { readonly saved: RestoreState },
): Promise<void> {
  const { hold, database, saved } = options;
  if (saved.phase !== 'staging') return;
  await unstage({ hold, database, ...restoreSchemas(database) }, saved.placeholders);
}

async function goOn(
  context: RestoreContext,
  saved: RestoreState | null,
  beforeSwap: RestoreOptions['beforeSwap'],
): Promise<void> {
  const { set, save } = context;
  const phase = saved?.phase ?? 'staging';
  if (phase === 'staging' || saved?.phase === 'swapping') {
    await swap(
      context,
      saved?.phase === 'swapping' ? saved : await prepare(context, saved, beforeSwap),
    );
    await failPoint('restore.swapped');
    await save({ phase: 'swapped', set: set.name });
  }
  if (phase !== 'compared') {
    await putObjects(context);
    await compareLive(context);
    await failPoint('restore.compared');
    await save({ phase: 'compared', set: set.name });
  }
  await putEvents(context);
  await compareEvents(context);
  await dropReplaced(context);
}

/** Everything up to the decision to swap. When it fails, the live schema is as before. */
async function prepare(
  context: RestoreContext,
  saved: RestoreState | null,
  beforeSwap: RestoreOptions['beforeSwap'],
): Promise<Swapping> {
  const { database, set, save, signal, hold } = context;
  let placeholders = saved?.phase === 'staging' ? saved.placeholders : [];
  await assertRestorable(context.address, database, set.manifest);
  try {
    await unstage(context, placeholders);
    await stage({
      ...context,
      save: (state) => {
        if (state.phase === 'staging') placeholders = state.placeholders;
        return save(state);
      },
    });
    throwIfAborted(signal);
    await beforeSwap?.({ schema: context.stg });
    throwIfAborted(signal);
    const state = await readBeforeSwap(context);
    await failPoint('restore.before-swap');
    throwIfAborted(hold.signal);
    await save(state);
    await failPoint('restore.swap-decided');
    return state;
  } catch (error) {
    // What cannot be cleared up now is cleared up by the next restore; the first error counts.
    if (!hold.signal.aborted && !isConnectionLost(error)) {
      await unstage(context, placeholders).catch(() => {});
    }
    if (signal?.aborted === true) throw stopReason(signal);
    throw error;
  }
}

/** An interrupted restore must be finished with the set that it began with, once it swaps. */
function assertSameSet(saved: RestoreState | null, set: BackupSet): void {
  if (saved === null || saved.phase === 'staging' || saved.set === set.name) return;
  const what = `a restore of ${saved.set} is unfinished and must be ended before one of ${set.name}`;
  throw new DeployError('RESTORE_FAILED', what, { where: set.dir });
}

/**
 * Compares the live schema with the set, all but the events. The rows were compared in the
 * staging schema and moved by one atomic statement, so rows that differ now were written by
 * somebody since: that is said, and is no failure of the restore.
 */
async function compareLive(context: RestoreContext): Promise<void> {
  const { database, set, log, onProgress } = context;
  const contents = await withWorker(context, database, (db) =>
    readContents(db, database, onProgress),
  );
  const invalid = new Set(set.manifest.invalidViews.map((name): ObjectKey => `view:${name}`));
  const isIgnored = (key: ObjectKey) => key.startsWith('event:') || invalid.has(key);
  const differences = compareContents(set.manifest, contents, isIgnored);
  const written = differences.filter(({ kind }) => kind === 'rows');
  const others = differences.filter(({ kind }) => kind !== 'rows');
  if (others.length > 0) throw notRestored(set.name, database, others);
  if (written.length === 0) return;
  log.warn(
    { tables: written.map(({ key }) => key) },
    `somebody writes to ${database} since the restored tables are in place: ${describeDifferences(written)}`,
  );
}

async function compareEvents(context: RestoreContext): Promise<void> {
  const { database, set } = context;
  await withWorker(context, database, async (db) => {
    const fingerprints = fingerprintSchema(await readSchema(db, database));
    const eventsOf = (objects: Contents['objects']) => ({
      ...{ tables: [], sequences: [] },
      objects: objects.filter(({ key }) => key.startsWith('event:')),
    });
    const differences = compareContents(
      eventsOf(set.manifest.objects),
      eventsOf(objectFingerprints(fingerprints)),
    );
    if (differences.length > 0) throw notRestored(set.name, database, differences);
  });
}

function notRestored(
  name: string,
  database: string,
  differences: readonly ContentDifference[],
): DeployError {
  const what = `${database} differs from ${name} after the swap: ${describeDifferences(differences)}`;
  return new DeployError('PUT_BACK_FAILED', what, {
    where: database,
    facts: { differences: differences.map(({ message }) => message) },
  });
}

/** DATA LOSS: the replaced tables. What took their place was compared with the set before. */
async function dropReplaced({ hold, stg, old }: RestoreContext): Promise<void> {
  await hold.assertHeld();
  await hold.db.run(`DROP DATABASE IF EXISTS ${quoteNameText(old)}`);
  await failPoint('restore.dropped-old');
  await hold.db.run(`DROP DATABASE IF EXISTS ${quoteNameText(stg)}`);
}
