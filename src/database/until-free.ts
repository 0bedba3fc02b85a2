/** Repeats what fails because somebody else uses a table, and says who. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../config/log.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { describeBlockers, findBlockers } from './blockers.ts';
import type { Db } from './connect.ts';
import { killStatements } from './lock-threads.ts';
import { isConnectionLost, isDeadlock, isLockWaitTimeout, serverText } from './server-errors.ts';

/**
 * lock_wait_timeout of a statement that is repeated. Everybody who wants the table waits behind a
 * statement that waits for it, so such a statement waits briefly and is tried again.
 */
export const TABLE_WAIT_SECONDS = 3;
/** The same for rows (innodb_lock_wait_timeout): who waits for a row makes nobody else wait. */
export const ROW_WAIT_SECONDS = 10;

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

export type Patience = {
  /** For how long it is tried again. What is running then still has its own wait. */
  readonly waitMs: number;
  readonly log: Log;
  /** Where `work` runs: asked afterwards who was in the way. */
  readonly db: Db;
  readonly database: string;
  /** Ends the pauses with its reason. */
  readonly signal?: AbortSignal | undefined;
};

/** Makes all statements of a connection wait briefly for tables that are in use. */
export async function waitBriefly(db: Db): Promise<void> {
  await db.run(`SET SESSION lock_wait_timeout=${TABLE_WAIT_SECONDS}`);
}

/**
 * Runs `work` again as long as it fails because a lock was not granted in time (1205) or because
 * the server ended it to break a deadlock (1213). `work` must have had no effect then: a single DDL
 * statement has none, and a transaction must be rolled back by `work` itself, as `inTransaction`
 * does (1205 undoes only the statement). It is told how often it was tried before.
 *
 * @throws DeployError `TABLES_IN_USE` when the time is over, with those who are in the way; every
 *   other error of `work` as it is, and the reason of the signal
 */
export async function untilFree<T>(
  patience: Patience,
  work: (triedBefore: number) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + patience.waitMs;
  let pauseMs = FIRST_PAUSE_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!isBusy(error)) throw error;
      patience.signal?.throwIfAborted();
      const blockers = await findBlockers(patience.db, patience.database).catch(
        (second: unknown) => {
          if (isConnectionLost(second)) throw second;
          return 'unknown' as const;
        },
      );
      const who = describeBlockers(blockers);
      const ids = blockers === 'unknown' ? [] : blockers.map(({ connectionId }) => connectionId);
      if (performance.now() > deadline) throw tablesInUse(patience, who, ids, error);
      patience.log.warn(
        { attempt: attempt + 1, reason: serverText(error), connectionIds: ids },
        `tables are in use by ${who}: trying again`,
      );
    }
    await pause(pauseMs, patience.signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function isBusy(error: unknown): boolean {
  return isLockWaitTimeout(error) || isDeadlock(error);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}

function tablesInUse(
  { database, waitMs }: Patience,
  who: string,
  connectionIds: readonly number[],
  cause: unknown,
): DeployError {
  const message = `tables of ${database} stayed in use for ${Math.round(waitMs / 1000)} s, by ${who}`;
  const kill =
    connectionIds.length === 0
      ? 'end the sessions that use the tables (SHOW FULL PROCESSLIST as an administrator shows them)'
      : `end the sessions that use the tables: ${killStatements(connectionIds).join(' ')}`;
  return new DeployError('TABLES_IN_USE', message, {
    cause,
    where: database,
    next: [kill, 'then run the same command again; FENCE_USERS keeps accounts out by itself'],
    facts: { connectionIds },
  });
}
