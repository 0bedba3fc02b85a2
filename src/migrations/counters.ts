/**
 * A rolled-back INSERT leaves the AUTO_INCREMENT counter of its table moved (InnoDB does not roll
 * it back), so that the same INSERT, run again, would give its rows other ids. Before an
 * unfinished run goes on, counters are therefore set back: to those of the backup set for tables
 * that the run had not written to, else to those that the journal noted before the transaction.
 * What triggers, views and functions insert into is known from the structural run (`Action.writes`);
 * what an action that is no statement inserts through them is not.
 */
import sql, { join, raw } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified } from '../database/identifier.ts';
import type { Hold } from '../database/lock.ts';
import { type Action, statementsOf } from './actions.ts';
import type { Migration } from './migration.ts';

/** The next AUTO_INCREMENT value by table, as text: it may be beyond what a number holds. */
export type Counters = Readonly<Record<string, string>>;

/** Tables that an action writes rows to; null when that cannot be told. Pure. */
export function writesTo(
  action: Action,
  migrations: ReadonlyMap<number, Migration>,
): readonly string[] | null {
  if (action.kind === 'record') return [];
  if (action.kind === 'data' || action.class === 'opaque') return null;
  if (action.class !== 'dml') return [];
  if (action.writes !== undefined) return action.writes;
  const statement = statementsOf(migrations.get(action.migration)!, action.direction)[
    action.statement - 1
  ]!;
  return statement.classification.tables;
}

/**
 * Tables whose counter is another one after an action than the backup set says, or than 1 for a
 * table that it made; null when that cannot be told. Pure.
 */
function movesCounterOf(
  action: Action,
  migrations: ReadonlyMap<number, Migration>,
): readonly string[] | null {
  if (action.class !== 'ddl' && action.class !== 'ddl-not-atomic')
    return writesTo(action, migrations);
  const migration = migrations.get(action.migration)!;
  const { sql: text, classification } = statementsOf(migration, action.direction)[
    action.statement - 1
  ]!;
  const { verb, tables } = classification;
  if (verb === 'ALTER TABLE') return altersCounter.test(text) ? tables : [];
  if (verb === 'CREATE TABLE') return createsCounter.test(text) ? tables : [];
  return replacesTable.test(verb) ? tables : [];
}

// Rather too often than once too seldom: it costs one commit for the next statement with rows.
const altersCounter = /\b(?:AUTO_INCREMENT|RENAME|EXCHANGE|PARTITION)\b/i;
const createsCounter = /\bAUTO_INCREMENT\s*=?\s*\d|\b(?:SELECT|LIKE|VALUES|EXISTS)\b/i;
const replacesTable = /^(?:TRUNCATE|DROP TABLE|RENAME TABLE|CREATE OR REPLACE TABLE)/;

/** Keeps which counters a run has moved so far: that of any other table is the one of the backup set. */
export function traceWrites(migrations: ReadonlyMap<number, Migration>): {
  /** Counts an action in. */
  add(action: Action): void;
  /** Tables whose counters `action` may move and that only the live database knows; null: any table. */
  unknownTo(action: Action): readonly string[] | null;
  /** Of `tables`, those whose counter no counted action has moved. */
  untouched(tables: readonly string[]): readonly string[];
} {
  const written = new Set<string>();
  let anyTable = false;
  return {
    add(action) {
      const tables = movesCounterOf(action, migrations);
      if (tables === null) anyTable = true;
      else for (const table of tables) written.add(table);
    },
    unknownTo(action) {
      const tables = writesTo(action, migrations);
      return tables?.filter((table) => anyTable || written.has(table)) ?? null;
    },
    untouched: (tables) => (anyTable ? [] : tables.filter((table) => !written.has(table))),
  };
}

/** Reads the counters of `tables`, or of all with null. Reads only. */
export async function readCounters(
  db: Db,
  database: string,
  tables: readonly string[] | null,
): Promise<Counters> {
  if (tables?.length === 0) return {};
  const only = tables === null ? sql`` : sql`AND table_name IN (${join([...tables])})`;
  const rows = await db.query<{ name: string; counter: string }>(
    sql`SELECT table_name AS name, auto_increment AS counter FROM information_schema.tables
        WHERE table_schema = ${database} AND auto_increment IS NOT NULL ${only}`,
  );
  return Object.fromEntries(rows.map(({ name, counter }) => [name, String(counter)]));
}

/**
 * Sets counters that differ; tables that are gone are left out. The server never goes below the
 * highest id. Needs the lock; commits implicitly.
 */
export async function setCounters(hold: Hold, wanted: Counters): Promise<void> {
  const live = await readCounters(hold.db, hold.database, Object.keys(wanted));
  for (const [name, counter] of Object.entries(live)) {
    const value = wanted[name] ?? counter;
    if (!/^\d+$/.test(value) || value === counter) continue;
    await hold.db.run(
      sql`ALTER TABLE ${qualified(hold.database, name)} AUTO_INCREMENT = ${raw(value)}`,
    );
  }
}
