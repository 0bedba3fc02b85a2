/**
 * Runs what migrations do to rows on a copy that has the structure but not the rows of the real
 * database.
 *
 * In an empty database the copy is exact, and every failure counts. Else the copy lacks the rows
 * that the migrations rely on: an INSERT may miss its parent row, a subquery may give NULL. There
 * each statement is undone again, and a failure counts only if no row could have prevented it.
 */
import sql, { type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { statementText } from '../database/literal.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { type DataFunction, runDataFunction } from './data-function.ts';
import type { ClassifiedStatement } from './migration.ts';

/** Whether the copy has the rows that the real database has: all (none), or not. */
export type CopiedRows = 'all' | 'missing';

/**
 * Runs a statement that changes rows. Throws the server's error if it would fail on the real
 * database too. `runsCode` says whether triggers or stored functions can have a part in it.
 */
export async function tryDml(
  db: Db,
  statement: ClassifiedStatement,
  options: { readonly rows: CopiedRows; readonly runsCode: boolean },
): Promise<void> {
  if (options.rows === 'all') {
    await db.run(statement.sql);
    return;
  }
  try {
    await undone(db, () => db.run(statement.sql));
  } catch (error) {
    if (!(await canPrepare(db, statement.sql))) throw error;
    if (isConstant(statement) && !options.runsCode) await tryWithoutParents(db, statement.sql);
  }
}

/** Runs a data function in a transaction of its own. Throws what would be thrown on the real database too. */
export async function tryDataFunction(
  db: Db,
  fn: DataFunction,
  { rows, ...how }: { readonly rows: CopiedRows; readonly rerunnable: boolean },
): Promise<void> {
  if (rows === 'all') {
    await db.run('START TRANSACTION');
    try {
      await runDataFunction(db, fn, how);
      await db.run('COMMIT');
    } catch (error) {
      await rollBack(db);
      throw error;
    }
    return;
  }
  let failing: string | Sql | null = null;
  const note = async <T>(statement: string | Sql, work: () => Promise<T>) => {
    try {
      return await work();
    } catch (error) {
      failing = statement;
      throw error;
    }
  };
  const noting: Db = {
    ...db,
    query: (statement) => note(statement, () => db.query(statement)),
    run: (statement) => note(statement, () => db.run(statement)),
  };
  try {
    await undone(db, () => runDataFunction(noting, fn, how));
  } catch (error) {
    if (isDeployError(error)) throw error;
    if (failing !== null && !(await canPrepare(db, failing))) throw error;
  }
}

/** Runs `work` in a transaction that is rolled back, whatever happens. */
async function undone(db: Db, work: () => Promise<unknown>): Promise<void> {
  await db.run('START TRANSACTION');
  try {
    await work();
  } finally {
    await rollBack(db);
  }
}

/** A broken connection is rolled back by the server; the first error stays the failure. */
async function rollBack(db: Db): Promise<void> {
  await db.run('ROLLBACK').catch(() => undefined);
}

/** True when syntax, names and numbers of columns are right: no row has a part in preparing. */
async function canPrepare(db: Db, statement: string | Sql): Promise<boolean> {
  try {
    await db.run(sql`PREPARE deploy_trial FROM ${statementText(statement)}`);
    await db.run('DEALLOCATE PREPARE deploy_trial');
    return true;
  } catch {
    return false;
  }
}

/** True for rows that are written out in the statement: what is wrong with them is wrong everywhere. */
function isConstant({ sql: text, classification }: ClassifiedStatement): boolean {
  return (
    /^(?:INSERT|REPLACE)\b/.test(classification.verb) &&
    !classification.sessionDependent &&
    !/\bselect\b|@/i.test(text)
  );
}

/** Tries again without the check for parent rows, which may well be in the real database. */
async function tryWithoutParents(db: Db, text: string): Promise<void> {
  await undone(db, () => db.run(`SET STATEMENT foreign_key_checks=0 FOR ${text}`));
}
