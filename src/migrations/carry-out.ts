/** How one action of a run is carried out, and how it bears with tables that others use. */
import type { Db } from '../database/connect.ts';
import { untilFree } from '../database/until-free.ts';
import { failPoint } from '../errors/fail-point.ts';
import { runStatement } from '../statements/run-statement.ts';
import { readTableIds, type TableIds } from '../statements/table-ids.ts';
import type { Action } from './actions.ts';
import type { ApplyOptions } from './apply.ts';
import { loadDataFunction, runDataFunction } from './data-function.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';

/** Does what an action stands for, and gives the number of rows affected. @throws the server's error */
export async function carryOut(
  options: ApplyOptions,
  action: Action,
  migration: Migration,
  statement: ClassifiedStatement | undefined,
  migrationMs: number,
): Promise<number> {
  if (statement !== undefined) return runStatement(options.hold.db, statement);
  if (action.kind === 'record') {
    await failPoint('apply.record');
    await options.record(action, Math.round(migrationMs), null);
    return 1;
  }
  const functions = await loadDataFunction(migration.data!.file);
  const script = action.direction === 'up' ? migration.up : migration.down;
  const rerunnable = script?.rerunnable === true;
  await runDataFunction(options.hold.db, functions[action.direction], { rerunnable });
  return 0;
}

/** What the log calls an action that is no statement. */
export function nameOf(action: Action): string {
  return action.kind === 'data' ? 'data function' : 'history row';
}

/** The ids of the tables of a statement that may leave no other trace; null for all others. */
export async function noteIds(
  { hold }: ApplyOptions,
  statement: ClassifiedStatement | undefined,
): Promise<TableIds | null> {
  if (statement?.classification.invisible !== true) return null;
  return readTableIds(hold.db, hold.database, statement.classification.tables ?? []);
}

/** Repeats an action while others use its tables: what fails for that has had no effect. */
export async function patiently(
  options: ApplyOptions,
  statement: ClassifiedStatement | undefined,
  work: (triedBefore: number) => Promise<number>,
): Promise<number> {
  const { hold, tableWaitMs: waitMs, log, stop } = options;
  // It would find the user variables as its first try left them.
  if (statement?.classification.sessionDependent) return waitLong(hold.db, waitMs, () => work(0));
  const patience = {
    ...{ waitMs, log, db: hold.db, database: hold.database },
    // Only when it is asked for: to make one for every statement costs as much as a short statement.
    get signal() {
      return AbortSignal.any([stop, hold.signal]);
    },
  };
  return untilFree(patience, work);
}

/** Runs `work` once, with statements that wait for tables and rows as long as others are repeated. */
export async function waitLong<T>(db: Db, waitMs: number, work: () => Promise<T>): Promise<T> {
  const names = ['lock_wait_timeout', 'innodb_lock_wait_timeout'] as const;
  const own = await db.one<Record<string, string>>(`SELECT @@${names[0]} AS a, @@${names[1]} AS b`);
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  await db.run(`SET SESSION ${names[0]}=${seconds}, ${names[1]}=${seconds}`);
  try {
    return await work();
  } finally {
    // A broken connection has no session any more.
    if (db.lost() === null) {
      await db.run(`SET SESSION ${names[0]}=${own?.['a']}, ${names[1]}=${own?.['b']}`);
    }
  }
}
