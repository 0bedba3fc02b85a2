import { failPoint } from '../errors/fail-point.ts';
import type { Db } from './connect.ts';

/**
 * Runs `work` in one transaction on `db` and gives what it gives. An error rolls back and passes.
 * A statement that commits implicitly ends the transaction early: callers keep such out.
 */
export async function inTransaction<T>(db: Db, work: () => Promise<T>): Promise<T> {
  await db.run('START TRANSACTION');
  try {
    const result = await work();
    await failPoint('transaction.before-commit');
    await db.run('COMMIT');
    return result;
  } catch (error) {
    // A broken connection is rolled back by the server; its error must not hide the first one.
    await db.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
