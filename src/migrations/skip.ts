/** What becomes of a migration that fails and is not critical (DESIGN §5 History). */
import {
  isConnectionLost,
  isDeadlock,
  isLockWaitTimeout,
  isQueryInterrupted,
  serverText,
} from '../database/server-errors.ts';
import { setFreshSession } from '../database/session.ts';
import { inTransaction } from '../database/transaction.ts';
import { describeCauses } from '../errors/chain.ts';
import type { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { advanceJournal } from '../statements/journal.ts';
import type { Direction } from '../statements/statement.ts';
import type { Action } from './actions.ts';
import type { ApplyOptions } from './apply.ts';
import { patiently } from './carry-out.ts';
import { spareExisting } from './existing.ts';
import type { Migration } from './migration.ts';

/** Whether a failure of the migration may be taken back by its down file, and the run goes on. Pure. */
export function canBeSkipped({ critical, down }: Migration, direction: Direction): boolean {
  return direction === 'up' && !critical && down !== null;
}

/**
 * Takes a failed migration back with its down file and records it with success = 0, if the
 * structure is then as it was before it; else throws the failure, and the run puts back.
 *
 * The journal says that it is being taken back before the first down statement: after a crash in
 * here the run is put back as a whole.
 *
 * DATA LOSS: runs down statements; what they remove is what this migration made a moment ago.
 */
export async function skipMigration(
  options: ApplyOptions,
  failed: {
    readonly migration: Migration;
    /** The action that would have recorded the migration. */
    readonly record: Action;
    readonly error: DeployError;
    readonly before: string;
  },
): Promise<void> {
  const { hold, runId } = options;
  const { db } = hold;
  await advanceJournal(hold, runId, { done: [], intent: failed.record });
  await failPoint('skip.begun');
  await setFreshSession(db, { collation: options.collation });
  const existed = options.existed.get(failed.migration.number) ?? [];
  const { migration } = spareExisting(failed.migration, existed);
  for (const statement of migration.down!.statements) {
    await patiently(options, statement, async () => {
      await db.run(statement.sql).catch(throwUnlessAbsent);
      return 0;
    });
  }
  await setFreshSession(db, { collation: options.collation });
  if ((await options.readStructure()) !== failed.before) throw failed.error;
  await failPoint('skip.taken-back');
  const text = describeCauses(failed.error, serverText) ?? failed.error.message;
  await inTransaction(db, async () => {
    await advanceJournal(hold, runId, { done: [failed.record], intent: null });
    await options.record(failed.record, 0, text);
  });
  options.onSkip?.(failed.migration, failed.error);
}

/**
 * What the up file did not get to make cannot be taken away; the comparison of the structure
 * decides. It does not see rows, so that a statement which only did not get its turn must not pass.
 */
function throwUnlessAbsent(error: unknown): void {
  const unfinished = [isLockWaitTimeout, isDeadlock, isQueryInterrupted, isConnectionLost];
  if (unfinished.some((is) => is(error))) throw error;
}
