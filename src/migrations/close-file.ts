/**
 * Takes out of the session what a file left there. The next file, its history row, the sync of master
 * data and a put-back run on the same connection: a temporary table would stand before the
 * table of its name, also in a RENAME, and what one file sets must not decide what another does.
 */
import type { Db } from '../database/connect.ts';
import { isConnectionLost } from '../database/server-errors.ts';
import { clearSession } from '../database/session-clear.ts';
import { leftBehind } from '../statements/left-behind.ts';
import type { ClassifiedStatement } from './migration.ts';

/** To be called behind the last statement of a file that was run, before `setFreshSession`. */
export async function closeFile(db: Db, statements: readonly ClassifiedStatement[]): Promise<void> {
  await clearSession(db, leftBehind(statements));
}

/** The same for a file that failed, perhaps because its connection, and so its session, is gone. */
export async function closeFailedFile(
  db: Db,
  statements: readonly ClassifiedStatement[],
): Promise<void> {
  await closeFile(db, statements).catch((error: unknown) => {
    if (!isConnectionLost(error)) throw error;
  });
}
