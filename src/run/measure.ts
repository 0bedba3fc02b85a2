/** Takes one migration back on a copy with all rows, and counts what its down file takes away there. */
import type { Db } from '../database/connect.ts';
import { isConnectionLost } from '../database/server-errors.ts';
import { setFreshSession } from '../database/session.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { statementsOf } from '../migrations/actions.ts';
import { closeFile } from '../migrations/close-file.ts';
import { correctDown } from '../migrations/correct-down.ts';
import { loadDataFunction, runDataFunction } from '../migrations/data-function.ts';
import type { ClassifiedStatement, Migration } from '../migrations/migration.ts';
import { runStatement } from '../statements/run-statement.ts';
import type { Direction, Drop } from '../statements/statement.ts';
import { type Code, countDrop, isHidden, type Loss } from './loss.ts';

/** A loss as far as the copy shows it before anything comes back. */
export type Taken = Loss & {
  /** Rows of other tables may go with these: by cascades, by triggers. */
  readonly reachesOthers: boolean;
};

type Copy = {
  readonly db: Db;
  readonly code: Code;
  readonly collation: string;
  /** Tables that the database has, in lower case. */
  readonly live: ReadonlySet<string>;
};

/**
 * Runs the down file and the data function of one migration on the copy.
 *
 * @throws DeployError `MIGRATION_UNSOUND`, where: the statement that fails on the rows
 */
export async function takeBackMeasured(copy: Copy, migration: Migration): Promise<Taken[]> {
  const { db, collation } = copy;
  await setFreshSession(db, { collation });
  const taken: Taken[] = [];
  const statements = statementsOf(migration, 'down');
  // An earlier statement of the same file may take the rows of a table that a later one drops.
  const atBegin = new Map<Drop, number>();
  for (const statement of statements) {
    for (const drop of statement.classification.drops)
      atBegin.set(drop, await countDrop(db, drop, statement));
  }
  if (migration.data !== null) {
    await runData(db, migration, 'down');
    const what = `data function ${migration.data.path}`;
    taken.push({ migration, tables: null, what, reachesOthers: true });
    await setFreshSession(db, { collation });
  }
  for (const statement of statements)
    taken.push(...(await takeMeasured(copy, migration, statement, atBegin)));
  await closeFile(db, statements);
  return taken;
}

async function takeMeasured(
  { db, code, live }: Copy,
  migration: Migration,
  statement: ClassifiedStatement,
  atBegin: ReadonlyMap<Drop, number>,
): Promise<Taken[]> {
  const { classification, sql: text } = statement;
  const { verb, class: kind, drops, destroysData } = classification;
  const what = `${verb}: ${text.split('\n')[0]}`;
  const run = () => runOnCopy(db, migration, 'down', statement);
  // An UPDATE of several tables does not tell which: any that it names.
  const words = () => text.match(/[\p{L}\p{N}_$]+/gu) ?? [];
  const tables = classification.tables ?? words().filter((word) => live.has(word.toLowerCase()));
  if (isHidden(classification, code)) {
    await run();
    return [{ migration, tables: null, what, reachesOthers: true }];
  }
  if (!destroysData) {
    await run();
    return [];
  }
  if (drops.length > 0) {
    const counts: number[] = [];
    for (const drop of drops)
      counts.push(Math.max(atBegin.get(drop) ?? 0, await countDrop(db, drop, statement)));
    await run();
    return drops.flatMap((drop, index): Taken[] => {
      const count = counts[index]!;
      const text = describeDrop(drop, verb, count);
      return count === 0
        ? []
        : [{ migration, tables: [drop.table], what: text, reachesOthers: false }];
    });
  }
  const whole = tables.map((table): Drop => ({ table, column: null }));
  const before = kind === 'dml' ? 0 : await countAll(db, whole, statement);
  const affected = await run();
  if (kind === 'dml' && affected === 0) return [];
  const rows = kind === 'dml' ? affected : before - (await countAll(db, whole, statement));
  // REPLACE and ON DUPLICATE KEY UPDATE count what they add, too.
  const isCounted = rows > 0 && (kind !== 'dml' || /^(?:DELETE|UPDATE)$/.test(verb));
  const counted = isCounted ? `${what}: ${rows} rows` : what;
  return [{ migration, tables, what: counted, reachesOthers: kind === 'dml' }];
}

function describeDrop({ table, column }: Drop, verb: string, count: number): string {
  if (verb.endsWith('SEQUENCE')) return `sequence ${table}: how far it has counted`;
  return column === null
    ? `table ${table}: ${count} rows`
    : `column ${table}.${column}: ${count} values`;
}

async function countAll(
  db: Db,
  drops: readonly Drop[],
  statement: ClassifiedStatement,
): Promise<number> {
  let sum = 0;
  for (const drop of drops) sum += await countDrop(db, drop, statement);
  return sum;
}

/** Applies one migration on the copy. @throws DeployError `MIGRATION_UNSOUND`, where: the statement */
export async function applyOnCopy(db: Db, migration: Migration, collation: string): Promise<void> {
  await setFreshSession(db, { collation });
  for (const statement of migration.up.statements) await runOnCopy(db, migration, 'up', statement);
  await closeFile(db, migration.up.statements);
  if (migration.data !== null) await runData(db, migration, 'up');
}

async function runOnCopy(
  db: Db,
  migration: Migration,
  direction: Direction,
  statement: ClassifiedStatement,
): Promise<number> {
  const path = (direction === 'up' ? migration.up : migration.down)?.path;
  try {
    return await runStatement(db, statement);
  } catch (cause) {
    throw unsound(migration, direction, `${path}:${statement.line}`, cause);
  }
}

async function runData(db: Db, migration: Migration, direction: Direction): Promise<void> {
  const { file, path } = migration.data!;
  try {
    const functions = await loadDataFunction(file);
    await db.run('START TRANSACTION');
    // A copy that is thrown away.
    await runDataFunction(db, functions[direction], { rerunnable: true });
    await db.run('COMMIT');
  } catch (cause) {
    throw unsound(migration, direction, path, cause);
  }
}

function unsound(
  { number, name, data }: Migration,
  direction: Direction,
  where: string,
  cause: unknown,
): unknown {
  // The statement is not to blame.
  if (isConnectionLost(cause)) return cause;
  const message = `migration ${number} ${name} fails on a copy of the database with its rows`;
  const part = where === data?.path ? 'data function' : 'file';
  return new DeployError('MIGRATION_UNSOUND', message, {
    ...{ where, cause },
    ...(direction === 'down' ? { next: correctDown(number, part) } : {}),
  });
}
