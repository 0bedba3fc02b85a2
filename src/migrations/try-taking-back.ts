/**
 * Tries a migration on a copy as a run would carry it out: one that is not critical and fails is
 * taken back by its down file, and counts as not run when the structure is then as before
 * (skip.ts does the same on the database itself).
 */
import { isAbsent, isConnectionLost } from '../database/server-errors.ts';
import { setFreshSession } from '../database/session.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { changedObjects } from '../schema/fingerprint.ts';
import type { ObjectKey } from '../schema/model.ts';
import { closeFile } from './close-file.ts';
import { type ExistingPart, spareExisting } from './existing.ts';
import type { Migration } from './migration.ts';
import { canBeSkipped } from './skip.ts';
import { type StructuralFailure, type Trial, tryMigration, tryStatement } from './try-migration.ts';

export type Tried = {
  /** Null when the migration ran to its end. */
  readonly failure: StructuralFailure | null;
  /** True when it failed, may fail, and the copy is as if it had not run. */
  readonly takenBack: boolean;
};

/**
 * Runs one migration on the copy of `trial`. `readStructure` reads the whole structure of the copy;
 * only migrations that may fail cost it. Throws only when the connection breaks.
 */
export async function tryTakingBack(
  trial: Trial,
  migration: Migration,
  options: {
    readonly existed: readonly ExistingPart[];
    readonly readStructure: () => Promise<ReadonlyMap<ObjectKey, string>>;
  },
): Promise<Tried> {
  const mayFail = canBeSkipped(migration, trial.direction);
  const before = mayFail ? await options.readStructure() : null;
  const failure = await tryMigration(trial, migration);
  // What may not stand in a file at all is no failure to live with.
  const isLasting = failure === null || isDeployError(failure.cause, 'STATEMENT_FORBIDDEN');
  if (before === null || isLasting) return { failure, takenBack: false };
  const taken = await takeBack(trial, spareExisting(migration, options.existed).migration);
  const changes = changedObjects(before, await options.readStructure());
  return { failure, takenBack: taken && changes.length === 0 };
}

/** False when a down statement fails for another reason than that there is nothing to take back. */
async function takeBack(trial: Trial, migration: Migration): Promise<boolean> {
  const { db, collation } = trial;
  await closeFile(db, migration.up.statements);
  await setFreshSession(db, { collation });
  let taken = true;
  for (const statement of migration.down!.statements) {
    try {
      await tryStatement(trial, statement);
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      taken &&= isAbsent(error);
    }
  }
  await closeFile(db, migration.down!.statements);
  await setFreshSession(db, { collation });
  return taken;
}
