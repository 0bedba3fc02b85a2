import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { isLockWaitTimeout, isMissingTable } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { throwIfAborted } from './failures.ts';
import { readTableList, type TableList } from './read-tables.ts';

/** Writers wait behind a lock that waits, so it waits briefly and tries again. */
const LOCK_WAIT_SECONDS = 3;
const LOCK_TRIES = 12;

/**
 * Locks all tables and sequences for reading and gives the list, which cannot change any more
 * while the connection holds them.
 *
 * @throws DeployError `BACKUP_FAILED` when somebody holds them for too long
 */
export async function lockTables(
  db: Db,
  { database, signal }: { readonly database: string; readonly signal?: AbortSignal | undefined },
): Promise<TableList> {
  await db.run(`SET SESSION lock_wait_timeout=${LOCK_WAIT_SECONDS}`);
  let cause: unknown;
  for (let attempt = 1; attempt <= LOCK_TRIES; attempt++) {
    throwIfAborted(signal);
    const list = await readTableList(db, database);
    if (namesOf(list).length === 0) return list;
    try {
      const locks = namesOf(list).map((name) => `${quoteNameText(name)} READ`);
      await db.run(`LOCK TABLES ${locks.join(', ')}`);
      const locked = await readTableList(db, database);
      if (isSame(locked, list)) return locked;
      await db.run('UNLOCK TABLES');
    } catch (error) {
      // A table that went away between the two statements: the list is read again.
      if (!isLockWaitTimeout(error) && !isMissingTable(error)) throw error;
      cause = error;
    }
    // Whoever waited behind us gets through before the next attempt.
    await sleep(100 * attempt);
  }
  throw new DeployError(
    'BACKUP_FAILED',
    `the tables of ${database} could not be locked for reading`,
    {
      ...(cause === undefined ? {} : { cause }),
      where: database,
      next: [
        'a long transaction holds them: end it (SHOW PROCESSLIST shows it), then run the same command again',
      ],
    },
  );
}

/** The order says nothing: names that the server takes for the same come as it pleases. */
function isSame(one: TableList, other: TableList): boolean {
  return namesOf(one).sort().join('\0') === namesOf(other).sort().join('\0');
}

function namesOf({ tables, sequences }: TableList): string[] {
  return [...tables.map(({ name }) => name), ...sequences];
}
