import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../config/log.ts';
import type { Db } from '../database/connect.ts';
import { isLockWaitTimeout, serverText } from '../database/server-errors.ts';

/**
 * Everybody who wants a table waits behind a statement that waits for it, so such a statement waits
 * briefly and is tried again. The server undoes nothing then: it did nothing.
 */
export const LOCK_WAIT_SECONDS = 1;
const PAUSE_MS = 200;

/** Makes all statements of a connection wait briefly for tables that are in use. */
export async function waitBriefly(db: Db): Promise<void> {
  await db.run(`SET SESSION lock_wait_timeout=${LOCK_WAIT_SECONDS}`);
}

/**
 * Runs `work` again as long as it fails because a table is in use, at most for `waitMs`. `work`
 * must be harmless to repeat. Rejects with the last error.
 */
export async function untilFree<T>(
  { waitMs, log }: { readonly waitMs: number; readonly log: Log },
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isLockWaitTimeout(error) || performance.now() > deadline) throw error;
      log.info({ attempt, reason: serverText(error) }, 'tables are in use: trying again');
    }
    await sleep(PAUSE_MS);
  }
}
