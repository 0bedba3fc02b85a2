/**
 * The data functions of a migration: TypeScript for what SQL says badly. `NNNN_name.data.ts`
 * exports `up(db)` and, if the migration can be reverted, `down(db)`.
 *
 * A function runs inside one transaction, together with its journal row, so that it takes effect
 * exactly once. It must therefore send nothing that commits.
 */
import { pathToFileURL } from 'node:url';
import { Sql } from 'sql-template-tag';
import type { Db, Row, RunResult } from '../database/connect.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { classify } from '../statements/classify.ts';
import { notRolledBack } from '../statements/non-transactional.ts';
import { splitAtPlaceholders } from './placeholders.ts';
import { readUnsafe, type Unsafe } from './read-unsafe.ts';

/** What a data function is given. Every `?` in the statement stands for one of the values. */
export type DataHandle = {
  /** Sends SELECT, INSERT, UPDATE, DELETE or REPLACE and gives the rows, if any. */
  query<R extends object = Row>(statement: string, values?: readonly unknown[]): Promise<R[]>;
  /** The same for a statement whose rows do not matter: gives the number of affected rows. */
  run(statement: string, values?: readonly unknown[]): Promise<RunResult>;
};

export type DataFunction = (db: DataHandle) => Promise<void>;

export type DataFunctions = { readonly up: DataFunction; readonly down: DataFunction };

/**
 * Imports a data file, which runs its top level.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID` when it cannot be imported or exports no `up`. The
 * `down` of a file that has none throws `NOT_REVERSIBLE` when it is called.
 */
export async function loadDataFunction(file: string, shown: string = file): Promise<DataFunctions> {
  let loaded: { readonly up?: unknown; readonly down?: unknown };
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (cause) {
    throw new DeployError('MIGRATION_FILE_INVALID', 'the data file cannot be imported', {
      cause,
      where: shown,
    });
  }
  const { up, down } = loaded;
  if (typeof up !== 'function' || (down !== undefined && typeof down !== 'function')) {
    const message = 'a data file exports async functions up(db) and down(db)';
    throw new DeployError('MIGRATION_FILE_INVALID', message, { where: shown });
  }
  const notReversible: DataFunction = async () => {
    throw new DeployError('NOT_REVERSIBLE', 'the data file has no function down', { where: shown });
  };
  return { up: up as DataFunction, down: (down as DataFunction | undefined) ?? notReversible };
}

/**
 * Runs a data function inside the transaction that is open on `db`; the caller commits it.
 *
 * @throws DeployError `MIGRATION_FAILED` when the function sends what may not stand in a
 * transaction, ends while a statement is still running, or its transaction ended under it.
 * What the function itself throws, and the server's errors, pass as they are.
 */
export async function runDataFunction(
  db: Db,
  fn: DataFunction,
  { rerunnable }: { readonly rerunnable: boolean },
): Promise<void> {
  const unsafe = rerunnable ? null : await readUnsafe(db);
  let refusal: string | null = null;
  const running = new Set<Promise<unknown>>();
  const send = async <T>(
    work: (statement: string | Sql) => Promise<T>,
    statement: string,
    values: readonly unknown[] | undefined,
  ): Promise<T> => {
    if (refusal !== null) throw refused(refusal);
    checkStatement(statement, unsafe);
    const sent = work(values === undefined ? statement : bind(statement, values));
    running.add(sent);
    try {
      return await sent;
    } catch (error) {
      // A deadlock rolls back the whole transaction: what a function that hides the error sends
      // then would be committed statement by statement.
      if (!(await isTransactionOpen(db).catch(() => true))) refusal = transactionEnded;
      throw error;
    } finally {
      running.delete(sent);
    }
  };
  const handle: DataHandle = {
    query: <R extends object>(statement: string, values?: readonly unknown[]) =>
      send((text) => db.query<R>(text), statement, values),
    run: (statement, values) => send((text) => db.run(text), statement, values),
  };

  try {
    await fn(handle);
  } finally {
    refusal ??= 'the data function has already ended';
  }
  if (running.size > 0) {
    await Promise.allSettled(running);
    throw refused('the data function ended before its statements had: it lacks an await');
  }
  if (!(await isTransactionOpen(db))) throw refused(transactionEnded);
}

const transactionEnded = 'the transaction of the data function ended before the function did';

async function isTransactionOpen(db: Db): Promise<boolean> {
  const state = await db.one<{ open: unknown }>('SELECT @@in_transaction AS open');
  return Number(state?.open) === 1;
}

function checkStatement(statement: string, unsafe: Unsafe | null): void {
  const classification = classify(statement);
  const { class: kind, verb, forbidden } = classification;
  const what =
    unsafe === null
      ? undefined
      : notRolledBack(statement, classification, unsafe.tables, unsafe.code);
  if (what !== undefined) {
    throw new DeployError('STATEMENT_FORBIDDEN', `a data function sent ${verb} ${what}`, {
      next: [
        'do without it, or add --! rerunnable: true to the file of statements when running both twice does no harm',
      ],
    });
  }
  if (kind === 'dml' && forbidden === null) return;
  const why = forbidden ?? 'only SELECT, INSERT, UPDATE, DELETE and REPLACE may stand there';
  throw refused(`a data function sent ${verb}: ${why}`);
}

function bind(statement: string, values: readonly unknown[]): Sql {
  const parts = splitAtPlaceholders(statement);
  if (parts.length === values.length + 1) return new Sql(parts, values);
  const found = parts.length - 1;
  throw refused(`a statement of the data function has ${found} ?, and ${values.length} values`);
}

function refused(message: string): DeployError {
  return new DeployError('MIGRATION_FAILED', message);
}
