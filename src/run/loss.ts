/**
 * What going back may lose. Statements that take something away, or of which nobody can tell, are
 * found here from their text and a few counts; what they really take is measured on a copy with all
 * rows (`rehearse.ts`), and judged by what comes back there (promise P5).
 */
import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import { isMissingTable, isUnknownColumn } from '../database/server-errors.ts';
import { statementsOf } from '../migrations/actions.ts';
import type { ClassifiedStatement, Migration } from '../migrations/migration.ts';
import type { Classification, Drop } from '../statements/statement.ts';

/** Rows or values that a down file takes away. */
export type Loss = {
  readonly migration: Migration;
  /** The tables that may lose something; null when nobody can tell, as of a data function or a CALL. */
  readonly tables: readonly string[] | null;
  /** e.g. `table skill_improvement_cost2: 246 rows`, `column users.display_name: 5 values`. */
  readonly what: string;
};

/** What is to be tried on a copy before anybody calls it harmless; statement null: the data function. */
export type Suspect = {
  readonly migration: Migration;
  readonly statement: ClassifiedStatement | null;
};

/**
 * Lists what in the down files of `migrations`, in their order, may lose something as the database
 * is now. Empty: nothing can be lost, as what they remove holds no rows. Reads only.
 */
export async function findSuspects(db: Db, migrations: readonly Migration[]): Promise<Suspect[]> {
  const suspects: Suspect[] = [];
  const code = await readCode(db, migrations);
  let moved = false;
  for (const migration of migrations) {
    if (migration.data !== null) suspects.push({ migration, statement: null });
    for (const statement of statementsOf(migration, 'down')) {
      const { classification } = statement;
      // Behind a RENAME a name may mean rows that the database has under another one now.
      const mayHoldRows = async () =>
        classification.drops.length === 0 || moved || (await holdsRows(db, statement));
      if (isHidden(classification, code) || (classification.destroysData && (await mayHoldRows())))
        suspects.push({ migration, statement });
      moved ||= classification.class !== 'dml' && MOVES.test(statement.sql);
    }
  }
  return suspects;
}

/** What gives rows or values another name. */
const MOVES = /\b(?:RENAME|CHANGE|EXCHANGE|CONVERT)\b/i;

async function holdsRows(db: Db, statement: ClassifiedStatement): Promise<boolean> {
  for (const drop of statement.classification.drops)
    if ((await countDrop(db, drop, statement)) > 0) return true;
  return false;
}

/** Code of the database that runs inside of statements which themselves take nothing away. */
export type Code = { readonly triggered: ReadonlySet<string>; readonly functions: boolean };

/** Reads which code there is, and what the down files make of it on their way. Reads only. */
export async function readCode(db: Db, migrations: readonly Migration[]): Promise<Code> {
  const triggers = await db.query<{ name: string }>(
    sql`SELECT DISTINCT event_object_table AS name FROM information_schema.triggers WHERE trigger_schema = DATABASE()`,
  );
  const functions = await db.query(
    sql`SELECT 1 AS one FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_type = 'FUNCTION' LIMIT 1`,
  );
  const makesCode = migrations
    .flatMap((migration) => statementsOf(migration, 'down'))
    .some(({ classification: { verb } }) => /^CREATE\b.*\b(?:TRIGGER|FUNCTION)$/.test(verb));
  return {
    triggered: new Set(triggers.map(({ name }) => name.toLowerCase())),
    functions: makesCode || functions.length > 0,
  };
}

/** Whether a statement may do something to rows that its text does not say. Pure. */
export function isHidden(
  { class: kind, tables, destroysData }: Classification,
  { triggered, functions }: Code,
): boolean {
  if (kind === 'opaque') return true;
  if (kind !== 'dml' || destroysData) return false;
  return functions || (tables ?? []).some((table) => triggered.has(table.toLowerCase()));
}

/**
 * Counts the rows of a table, or the values of a column, that `statement` is about to take; 0 for what
 * is not there. Of a system-versioned table the history counts. Reads only.
 */
export async function countDrop(
  db: Db,
  { table, column }: Drop,
  statement: Pick<ClassifiedStatement, 'sql'>,
): Promise<number> {
  const type = await db.one<{ type: string }>(
    sql`SELECT table_type AS type FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ${table}`,
  );
  const versions = type?.type === 'SYSTEM VERSIONED' ? sql`FOR SYSTEM_TIME ALL` : sql``;
  const counted = column === null ? sql`*` : quoteName(column);
  const count = sql`SELECT COUNT(${counted}) AS n, COUNT(*) AS n_rows FROM ${quoteName(table)} ${versions}`;
  try {
    const row = await db.one<{ n: string; n_rows: string }>(count);
    // A NULL becomes something else where the column stays and may hold none any more.
    const stays = column !== null && /\b(?:MODIFY|CHANGE)\b/i.test(statement.sql);
    return Number(row?.n) === 0 && stays ? Number(row?.n_rows) : Number(row?.n);
  } catch (error) {
    // The server knows best which names are the same.
    if (isMissingTable(error) || isUnknownColumn(error)) return 0;
    throw error;
  }
}

/** The loss as one sentence per migration, for plans and refusals. Pure. */
export function describeLosses(losses: readonly Loss[]): string[] {
  return losses.map(
    ({ migration, what }) => `migration ${migration.number} ${migration.name} would lose ${what}`,
  );
}
