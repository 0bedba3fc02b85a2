/** Runs one migration on a copy and says where it fails. */
import type { Db } from '../database/connect.ts';
import { isConnectionLost } from '../database/server-errors.ts';
import { setFreshSession } from '../database/session.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { runStatement } from '../statements/run-statement.ts';
import type { Direction } from '../statements/statement.ts';
import { lastNumberOf, statementsOf } from './actions.ts';
import { closeFile } from './close-file.ts';
import { loadDataFunction } from './data-function.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';
import { type CopiedRows, tryDataFunction, tryDml } from './trial.ts';

export type StructuralFailure = {
  readonly migration: Migration;
  /** Null for the data function. */
  readonly statement: ClassifiedStatement | null;
  readonly number: number;
  /** Number of statements and data functions of the migration. */
  readonly of: number;
  /** `path:line`, or the path of the data file. */
  readonly where: string;
  readonly cause: unknown;
};

/** How a migration is tried: on which connection, in which direction, with what to notice. */
export type Trial = {
  readonly db: Db;
  readonly direction: Direction;
  readonly collation: string;
  readonly rows: CopiedRows;
  readonly dataFunctions: 'run' | 'leave out';
  /** Whether triggers or stored functions have a part in writing to the tables. */
  readonly runsCode: (tables: readonly string[]) => boolean;
  /** What of the statement is not undone when its transaction is rolled back, as the end of a sentence. */
  readonly notRolledBack: (statement: ClassifiedStatement) => string | undefined;
  /** Whether code that the statement leads to gives back the deploy lock. */
  readonly releasesLocks: (statement: ClassifiedStatement) => boolean;
  /** Called after each statement, with null for the data function. */
  readonly onDone: (
    migration: Migration,
    number: number,
    statement: ClassifiedStatement | null,
  ) => Promise<void>;
};

/**
 * Runs the statements and the data function of one migration, each file in a fresh session.
 * Gives the first failure, or null; throws only when the connection breaks.
 */
export async function tryMigration(
  trial: Trial,
  migration: Migration,
): Promise<StructuralFailure | null> {
  const { db, direction, collation } = trial;
  const statements = statementsOf(migration, direction);
  const of = lastNumberOf(statements) + (migration.data === null ? 0 : 1);
  const rerunnable = scriptOf(migration, direction)?.rerunnable === true;
  const attempt = async (
    number: number,
    statement: ClassifiedStatement | null,
    work: () => Promise<void>,
  ): Promise<StructuralFailure | null> => {
    try {
      await work();
    } catch (cause) {
      // The statement is not to blame.
      if (isConnectionLost(cause)) throw cause;
      const { path } = scriptOf(migration, direction)!;
      const where = statement === null ? migration.data!.path : `${path}:${statement.line}`;
      return { migration, statement, number, of, where, cause };
    }
    await trial.onDone(migration, number, statement);
    return null;
  };

  const tryData = () => {
    if (migration.data === null || trial.dataFunctions === 'leave out') return null;
    const { file, path } = migration.data;
    return attempt(of, null, async () => {
      await setFreshSession(db, { collation });
      const functions = await loadDataFunction(file, path);
      await tryDataFunction(db, functions[direction], { rows: trial.rows, rerunnable });
    });
  };
  const tryStatements = async () => {
    await setFreshSession(db, { collation });
    for (const statement of statements) {
      const run = async () => {
        refuseRelease(trial, statement);
        if (!rerunnable) refuseFixed(trial, statement);
        await tryStatement(trial, statement);
      };
      const failure = await attempt(statement.number, statement, run);
      if (failure !== null) return failure;
    }
    await closeFile(db, statements);
    return null;
  };

  // A data function works on the structure that its migration makes.
  const parts = direction === 'up' ? [tryStatements, tryData] : [tryData, tryStatements];
  for (const part of parts) {
    const failure = await part();
    if (failure !== null) return failure;
  }
  return null;
}

function scriptOf({ up, down }: Migration, direction: Direction) {
  return direction === 'up' ? up : down;
}

/** The run would end there, and each that follows at the next such statement. */
function refuseRelease({ releasesLocks }: Trial, statement: ClassifiedStatement): void {
  if (!releasesLocks(statement)) return;
  throw new DeployError(
    'STATEMENT_FORBIDDEN',
    `${statement.classification.verb} calls RELEASE_ALL_LOCKS, and with it gives the deploy lock back`,
    { next: ['let the trigger or routine name the lock that it releases: RELEASE_LOCK(…)'] },
  );
}

/** The journal row would be rolled back, the rows not: after a crash they would be written twice. */
function refuseFixed({ notRolledBack }: Trial, statement: ClassifiedStatement): void {
  const what = notRolledBack(statement);
  if (what === undefined) return;
  const { verb } = statement.classification;
  throw new DeployError('STATEMENT_FORBIDDEN', `${verb} ${what}`, {
    next: [
      'rewrite it, or add --! rerunnable: true to the file when running its statements twice does no harm',
    ],
  });
}

/** Runs one statement on the copy. @throws the server's error; DeployError `STATEMENT_FORBIDDEN` */
export async function tryStatement(
  { db, rows, runsCode }: Trial,
  statement: ClassifiedStatement,
): Promise<void> {
  const { class: kind, verb, forbidden, tables } = statement.classification;
  if (forbidden !== null) throw new DeployError('STATEMENT_FORBIDDEN', `${verb}: ${forbidden}`);
  if (kind !== 'dml') await runStatement(db, statement);
  else await tryDml(db, statement, { rows, runsCode: tables === null || runsCode(tables) });
}
