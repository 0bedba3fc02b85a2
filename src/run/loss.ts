/**
 * What going back would lose. A down file that drops or overwrites something is tried on a copy
 * *with* the rows: down, then up again. If every value is then as it was, going back loses
 * nothing that going forward would not bring back (promise P5).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import sql from 'sql-template-tag';
import type { Manifest } from '../backup/manifest.ts';
import { takeBackup } from '../backup/take.ts';
import { type Db, withConnection } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import { setFreshSession } from '../database/session.ts';
import { hashTables } from '../database/value-hash.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { VERSION_TABLES } from '../history/tables.ts';
import { statementsOf } from '../migrations/actions.ts';
import { closeFile } from '../migrations/close-file.ts';
import { loadDataFunction, runDataFunction } from '../migrations/data-function.ts';
import type { Migration } from '../migrations/migration.ts';
import type { Classification, Direction } from '../statements/statement.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';

/** Rows or values that a down file takes away. */
export type Loss = {
  readonly migration: Migration;
  /** The tables that may lose something; null when nobody can tell, as of a data function or a CALL. */
  readonly tables: readonly string[] | null;
  /** e.g. `table skill_improvement_cost2: 246 rows`, `column users.display_name: 5 values`. */
  readonly what: string;
};

/**
 * Lists what the down files of `migrations` take away, counted in the database; also statements of
 * which nobody can tell what they do to rows. Empty: nothing can be lost. Reads only.
 */
export async function countLosses(db: Db, migrations: readonly Migration[]): Promise<Loss[]> {
  const losses: Loss[] = [];
  const code = await readCode(db);
  for (const migration of migrations) {
    if (migration.data !== null)
      losses.push({ migration, tables: null, what: `data function ${migration.data.path}` });
    for (const { classification, sql: text } of statementsOf(migration, 'down')) {
      const { verb, drops } = classification;
      if (isHidden(classification, code))
        losses.push({ migration, tables: null, what: `${verb}: ${text.split('\n')[0]}` });
      if (!classification.destroysData) continue;
      if (drops.length === 0)
        losses.push({
          migration,
          // An UPDATE of several tables does not tell which: any that it names.
          tables: classification.tables ?? text.match(/[\p{L}\p{N}_$]+/gu) ?? [],
          what: `${verb}: ${text.split('\n')[0]}`,
        });
      for (const { table, column } of drops) {
        const count = await countRows(db, table, column);
        if (count === 0) continue;
        const what =
          column === null
            ? `table ${table}: ${count} rows`
            : `column ${table}.${column}: ${count} values`;
        losses.push({ migration, tables: [table], what });
      }
    }
  }
  return losses;
}

/** Code of the database that runs inside of statements which themselves take nothing away. */
type Code = { readonly triggered: ReadonlySet<string>; readonly functions: boolean };

async function readCode(db: Db): Promise<Code> {
  const triggers = await db.query<{ name: string }>(
    sql`SELECT DISTINCT event_object_table AS name FROM information_schema.triggers WHERE trigger_schema = DATABASE()`,
  );
  const functions = await db.query(
    sql`SELECT 1 AS one FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_type = 'FUNCTION' LIMIT 1`,
  );
  return {
    triggered: new Set(triggers.map(({ name }) => name.toLowerCase())),
    functions: functions.length > 0,
  };
}

/** Whether a statement may do something to rows that its text does not say. */
function isHidden(
  { class: kind, tables, destroysData }: Classification,
  { triggered, functions }: Code,
): boolean {
  if (kind === 'opaque') return true;
  if (kind !== 'dml' || destroysData) return false;
  return functions || (tables ?? []).some((table) => triggered.has(table.toLowerCase()));
}

async function countRows(db: Db, table: string, column: string | null): Promise<number> {
  const exists = await db.query<{ name: string }>(
    sql`SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ${table}`,
  );
  if (exists.length === 0 || (column !== null && !exists.some(({ name }) => name === column)))
    return 0;
  const counted = column === null ? sql`*` : quoteName(column);
  const row = await db.one<{ n: string }>(
    sql`SELECT COUNT(${counted}) AS n FROM ${quoteName(table)}`,
  );
  return Number(row?.n ?? 0);
}

/**
 * Tries the way back and forth on a private copy with all rows, and gives the tables that have
 * other values afterwards. Costs a backup and its restore; changes nothing. The version tables
 * do not count: they tell of the way itself.
 */
export async function tryRoundTrip(
  context: RunContext,
  facts: Facts,
  migrations: readonly Migration[],
): Promise<ReadonlySet<string>> {
  const { config, log } = context;
  const database = config.database.name;
  const scratch = await context.scratch.get(facts.server.variables);
  const dir = await mkdtemp(path.join(scratch.dir, 'copy-'));
  try {
    // Taking a backup loads it into the scratch server to prove it: that is the copy.
    const set = await takeBackup({
      ...{ address: config.database, database, dir, scratch, scratchDir: config.scratchDir, log },
      ...{ scratchVariables: facts.server.variables, schemaVersion: null, migrationNumber: null },
      ...{ runId: context.report.run_id, reason: 'rehearsal', signal: context.stop },
    });
    return await withConnection(scratch.address, { database }, async (copy) => {
      const { collation } = facts.server.database;
      for (const migration of migrations) await runPlain(copy, migration, 'down', collation);
      for (const migration of migrations.toReversed())
        await runPlain(copy, migration, 'up', collation);
      return findChanged(copy, database, set.manifest);
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function findChanged(
  copy: Db,
  database: string,
  manifest: Manifest,
): Promise<ReadonlySet<string>> {
  const tables = manifest.tables.filter(({ name }) => !VERSION_TABLES.some((own) => own === name));
  const after = await hashTables(
    copy,
    database,
    tables.map(({ name }) => name),
    { format: manifest.format },
  );
  const changed = tables.filter(({ name, hash, rows }) => {
    const now = after.get(name);
    return now?.hash !== hash || now.rows !== rows;
  });
  return new Set(changed.map(({ name }) => name));
}

async function runPlain(
  db: Db,
  migration: Migration,
  direction: Direction,
  collation: string,
): Promise<void> {
  await setFreshSession(db, { collation });
  const data = async () => {
    if (migration.data === null) return;
    const functions = await loadDataFunction(migration.data.file);
    await db.run('START TRANSACTION');
    // A copy that is thrown away.
    await runDataFunction(db, functions[direction], { rerunnable: true });
    await db.run('COMMIT');
  };
  if (direction === 'down') await data();
  const path = (direction === 'up' ? migration.up : migration.down)?.path;
  for (const { sql: text, line } of statementsOf(migration, direction)) {
    await db.run(text).catch((cause: unknown) => {
      const message = `migration ${migration.number} ${migration.name} fails on a copy of the database with its rows`;
      throw new DeployError('MIGRATION_UNSOUND', message, { where: `${path}:${line}`, cause });
    });
  }
  await closeFile(db, statementsOf(migration, direction));
  if (direction === 'up') await data();
}

/** The loss as one sentence per migration, for plans and refusals. */
export function describeLosses(losses: readonly Loss[]): string[] {
  return losses.map(
    ({ migration, what }) => `migration ${migration.number} ${migration.name} would lose ${what}`,
  );
}
