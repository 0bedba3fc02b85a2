/** What becomes of a migration that fails and is not critical (DESIGN §5 History). */
import { isAbsent, serverText } from '../database/server-errors.ts';
import { setFreshSession } from '../database/session.ts';
import { inTransaction } from '../database/transaction.ts';
import { describeCauses } from '../errors/chain.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { advanceJournal, forgetIntentsBefore } from '../statements/journal.ts';
import { runStatement } from '../statements/run-statement.ts';
import type { Direction } from '../statements/statement.ts';
import type { Action } from './actions.ts';
import type { ApplyOptions } from './apply.ts';
import { explainFailure } from './apply-failure.ts';
import { patiently } from './carry-out.ts';
import { closeFailedFile, closeFile } from './close-file.ts';
import { spareExisting } from './existing.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';

/** Whether a failure of the migration may be taken back by its down file, and the run goes on. Pure. */
export function canBeSkipped({ critical, down }: Migration, direction: Direction): boolean {
  return direction === 'up' && !critical && down !== null;
}

type Failed = {
  readonly migration: Migration;
  /** The action that would have recorded the migration. */
  readonly record: Action;
  readonly error: DeployError;
  /** What `readState` gave before the migration. */
  readonly before: string;
};

/**
 * Takes a failed migration back with its down file and records it with success = 0, if structure
 * and rows are then as they were before it; else throws the failure, and the run puts back. So it
 * does when a down statement fails for another reason than that there is nothing to take back.
 *
 * The journal says that it is being taken back before the first down statement: after a crash in
 * here the run is put back as a whole.
 *
 * DATA LOSS: runs down statements; what they remove is what this migration made a moment ago.
 */
export async function skipMigration(options: ApplyOptions, failed: Failed): Promise<void> {
  const { hold, runId } = options;
  const { db } = hold;
  await advanceJournal(hold, runId, { done: [], intent: failed.record });
  await failPoint('skip.begun');
  await setFreshSession(db, { collation: options.collation });
  const existed = options.existed.get(failed.migration.number) ?? [];
  const { migration } = spareExisting(failed.migration, existed);
  for (const statement of migration.down!.statements) {
    const run = () => runStatement(db, statement).catch(passIfAbsent);
    await patiently(options, statement, run).catch(async (error: unknown) => {
      await closeFailedFile(db, migration.down!.statements);
      throw explainDown(error, options, failed, statement);
    });
  }
  await closeFile(db, migration.down!.statements);
  await setFreshSession(db, { collation: options.collation });
  if ((await options.readState(failed.migration)) !== failed.before)
    throw notTakenBack(failed.error, 'structure or rows are not as they were before it');
  await failPoint('skip.taken-back');
  const text = describeCauses(failed.error, serverText) ?? failed.error.message;
  await inTransaction(db, async () => {
    await advanceJournal(hold, runId, { done: [failed.record], intent: null });
    await forgetIntentsBefore(hold, runId, failed.record.seq);
    await options.record(failed.record, 0, text);
  });
  options.onSkip?.(failed.migration, failed.error);
}

/**
 * What the up file did not get to make cannot be taken away. Every other failure means that
 * something may still be there, and nobody knows what it was meant to do to the rows.
 */
function passIfAbsent(error: unknown): number {
  if (isAbsent(error)) return 0;
  throw error;
}

function explainDown(
  error: unknown,
  options: ApplyOptions,
  { migration, record, error: first }: Failed,
  statement: ClassifiedStatement,
): unknown {
  const action: Action = {
    ...record,
    ...{ kind: 'statement', direction: 'down', statement: statement.number },
  };
  const explained = explainFailure(error, { options, action, migration, statement });
  if (!isDeployError(explained, 'MIGRATION_FAILED')) return explained;
  return notTakenBack(first, `${explained.where}: ${serverText(error)}`);
}

/** The failure that came first stays the one that is told: it is what a person has to correct. */
function notTakenBack(first: DeployError, why: string): DeployError {
  const { code, message, cause, where, facts } = first;
  const text = `${message}, and its down file did not take it back (${why})`;
  return new DeployError(code, text, { cause, facts, ...(where === undefined ? {} : { where }) });
}
