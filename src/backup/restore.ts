import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { quoteNameText } from '../database/identifier.ts';
import type { Hold } from '../database/lock.ts';
import { isConnectionLost, toDeployError } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import type { Borrowed } from './borrowed-names.ts';
import { isServerError, stopReason, throwIfAborted } from './failures.ts';
import { replaceInPlace } from './in-place.ts';
import type { BackupSet } from './manifest.ts';
import type { OnProgress } from './progress.ts';
import { putEvents, putObjects } from './put-objects.ts';
import { assertRestorable, restorableOf } from './restore-check.ts';
import { compareEvents, compareLive } from './restore-compare.ts';
import { type RestoreContext, restoreSchemas, withWorker } from './restore-context.ts';
import { assertServerFits, explainNoRoom } from './restore-fit.ts';
import type { RestoreState } from './restore-state.ts';
import { stage, unstage } from './stage.ts';
import { giveUp, hasSwapped, readBeforeSwap, type Swapping, swap } from './swap.ts';
import { assertSetOf, verifySet } from './verify.ts';

export type { RestoreState } from './restore-state.ts';

/** `schema` is null for a restore in place, which has no staging. */
export type BeforeSwap = (staged: { readonly schema: string | null }) => Promise<void>;

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
   * what it throws gives the restore up. Also called by a restore that is gone on with, as long as
   * nothing is swapped.
   */
  readonly beforeSwap?: BeforeSwap;
  /**
   * `in place`: the account may not make a schema for a staging. Not atomic, but resumable; see
   * `replaceInPlace`. Default: staged.
   */
  readonly how?: 'staged' | 'in place';
  /**
   * A table or view that has the name of one of the set's sequences gets another name while tables
   * are loaded: for a live schema that nobody uses any more. Default: the restore is refused.
   */
  readonly mayMoveAside?: boolean;
  /** Heeded until the swap begins. */
  readonly signal?: AbortSignal;
  /** How long to try to get the tables for the swap. Default: a minute. */
  readonly swapWaitMs?: number;
};

const SWAP_WAIT_MS = 60_000;

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
 * @throws DeployError `BACKUP_SET_INVALID`, `RIGHT_MISSING`, `SPACE_SHORT`, `RESTORE_FAILED`, `INTERRUPTED`: the
 *   database is as before; `PUT_BACK_FAILED`: the tables are swapped, and what was restored differs from the set;
 *   `CONNECTION_LOST`, `LOCK_LOST`: call it again.
 */
export async function restoreSet(options: RestoreOptions): Promise<void> {
  const { hold, address, database, log, save, saved } = options;
  const {
    onProgress = () => {},
    signal,
    swapWaitMs = SWAP_WAIT_MS,
    mayMoveAside = false,
  } = options;
  assertSameSet(saved, options.set);
  const set = await verifySet(options.set.dir, onProgress);
  assertSetOf(set, database);
  const context: RestoreContext = {
    ...{ hold, address, database, set, log, onProgress, save, signal, swapWaitMs, mayMoveAside },
    ...restoreSchemas(database),
  };
  try {
    const isInPlace = saved?.phase === 'replacing' || options.how === 'in place';
    const begin = isInPlace ? replaceTables : swapTables;
    await goOn(context, saved, (from) => begin(context, from, options.beforeSwap));
  } catch (error) {
    if (hold.signal.aborted) throw stopReason(hold.signal);
    const explained = explainNoRoom(error, set);
    throw isServerError(explained)
      ? toDeployError(explained, `the restore of ${set.name} was cut off`)
      : explained;
  }
}

/**
 * Clears up after a restore of which nothing more than the staging was begun: the live schema is as
 * it was. Needs the lock; safe to repeat.
 */
export async function abandonRestore(
  options: Pick<RestoreOptions, 'hold' | 'database' | 'log'> & { readonly saved: RestoreState },
): Promise<void> {
  const { hold, database, log, saved } = options;
  if (saved.phase !== 'staging') return;
  const swapWaitMs = SWAP_WAIT_MS;
  await unstage({ hold, database, log, swapWaitMs, ...restoreSchemas(database) }, saved);
}

async function goOn(
  context: RestoreContext,
  saved: RestoreState | null,
  /** Brings the tables in and gives the state that follows. */
  begin: (saved: RestoreState | null) => Promise<Swapped>,
): Promise<void> {
  const { set, save } = context;
  let state = saved;
  if (state?.phase !== 'swapped' && state?.phase !== 'compared') {
    state = await begin(state);
    await failPoint('restore.swapped');
    await save(state);
  }
  if (state.phase === 'swapped') {
    await putObjects(context);
    await compareLive(context);
    await failPoint('restore.compared');
    await save({ ...state, phase: 'compared', set: set.name });
  }
  const missed = await putEvents(context);
  await compareEvents(context, missed);
  if (state.inPlace !== true) await dropReplaced(context);
}

type Swapped = Extract<RestoreState, { phase: 'swapped' | 'compared' }>;

async function swapTables(
  context: RestoreContext,
  saved: RestoreState | null,
  beforeSwap: BeforeSwap | undefined,
): Promise<Swapped> {
  let begun = saved;
  if (begun?.phase === 'swapping' && beforeSwap !== undefined) {
    // Decided by a process that is dead, who knows when: `beforeSwap` has to look again.
    if (!(await hasSwapped(context, begun))) {
      await giveUp(context, begun);
      begun = null;
    }
  }
  const state = begun?.phase === 'swapping' ? begun : await prepare(context, begun, beforeSwap);
  await swap(context, state);
  return { phase: 'swapped', set: context.set.name };
}

async function replaceTables(
  context: RestoreContext,
  saved: RestoreState | null,
  beforeSwap: BeforeSwap | undefined,
): Promise<Swapped> {
  const { address, database, set, save, signal } = context;
  if (saved?.phase !== 'replacing') {
    await assertRestorable(address, database, restorableOf(set.manifest), 'in place');
    await withWorker(context, database, (db) => assertServerFits(db, set));
    await beforeSwap?.({ schema: null });
    throwIfAborted(signal);
    await save({ phase: 'replacing', set: set.name });
  }
  await replaceInPlace(context);
  return { phase: 'swapped', set: set.name, inPlace: true };
}

/** Everything up to the decision to swap. When it fails, the live schema is as before. */
async function prepare(
  context: RestoreContext,
  saved: RestoreState | null,
  beforeSwap: BeforeSwap | undefined,
): Promise<Swapping> {
  const { database, set, save, signal, hold } = context;
  let left: Borrowed = saved?.phase === 'staging' ? saved : { placeholders: [] };
  await assertRestorable(context.address, database, restorableOf(set.manifest));
  await withWorker(context, database, (db) => assertServerFits(db, set));
  try {
    await unstage(context, left);
    await stage({
      ...context,
      save: (state) => {
        if (state.phase === 'staging') left = state;
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
      await unstage(context, left).catch(() => {});
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

/** DATA LOSS: the replaced tables. What took their place was compared with the set before. */
async function dropReplaced({ hold, stg, old }: RestoreContext): Promise<void> {
  await hold.assertHeld();
  await hold.db.run(`DROP DATABASE IF EXISTS ${quoteNameText(old)}`);
  await failPoint('restore.dropped-old');
  await hold.db.run(`DROP DATABASE IF EXISTS ${quoteNameText(stg)}`);
}
