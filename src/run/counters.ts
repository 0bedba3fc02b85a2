/**
 * A rolled-back INSERT leaves the AUTO_INCREMENT counter of its table moved (InnoDB does not roll
 * it back), so that the same INSERT, run again, would give its rows other ids. Before an
 * unfinished run goes on, the counters are set back to what the undisturbed run would have found,
 * as far as that is known: from the backup set, for tables that the run has not written to yet.
 */
import sql, { raw } from 'sql-template-tag';
import type { Manifest } from '../backup/manifest.ts';
import { qualified } from '../database/identifier.ts';
import type { Hold } from '../database/lock.ts';
import { type Action, statementsOf } from '../migrations/actions.ts';
import type { Migration } from '../migrations/migration.ts';

/** Tables that an action writes rows to; null when that cannot be told. */
function writesTo(
  action: Action,
  migrations: ReadonlyMap<number, Migration>,
): readonly string[] | null {
  if (action.kind === 'record') return [];
  if (action.kind === 'data' || action.class === 'opaque') return null;
  if (action.class !== 'dml') return [];
  const statement = statementsOf(migrations.get(action.migration)!, action.direction)[
    action.statement - 1
  ]!;
  return statement.classification.tables;
}

/** Tables whose counter the action at `fromSeq` may have moved, and nothing before it. Pure. */
export function movedOnlyBy(
  actions: readonly Action[],
  fromSeq: number,
  migrations: ReadonlyMap<number, Migration>,
): ReadonlySet<string> {
  const next = actions[fromSeq];
  const mine = next === undefined ? [] : (writesTo(next, migrations) ?? []);
  const earlier = actions.slice(0, fromSeq).map((action) => writesTo(action, migrations));
  if (earlier.includes(null)) return new Set();
  const before = new Set(earlier.flatMap((tables) => tables ?? []));
  return new Set(mine.filter((table) => !before.has(table)));
}

/** Of `tables`, which are written after all actions, those that no action writes to. Pure. */
export function unwrittenBy(
  actions: readonly Action[],
  tables: readonly string[],
  migrations: ReadonlyMap<number, Migration>,
): readonly string[] {
  const written = actions.map((action) => writesTo(action, migrations));
  if (written.includes(null)) return [];
  const known = new Set(written.flatMap((each) => each ?? []));
  return tables.filter((table) => !known.has(table));
}

/**
 * Sets the counters of `tables` back to those of the set, or to 1 for tables that it does not
 * have; the server never goes below the highest id. Needs the lock; commits implicitly.
 */
export async function resetCounters(
  hold: Hold,
  tables: ReadonlySet<string>,
  manifest: Manifest,
): Promise<void> {
  if (tables.size === 0) return;
  const rows = await hold.db.query<{ name: string; counter: string }>(
    sql`SELECT table_name AS name, auto_increment AS counter FROM information_schema.tables
        WHERE table_schema = ${hold.database} AND auto_increment IS NOT NULL`,
  );
  for (const { name, counter } of rows.filter((row) => tables.has(row.name))) {
    const wanted = manifest.tables.find((table) => table.name === name)?.autoIncrement ?? '1';
    if (!/^\d+$/.test(wanted) || wanted === String(counter)) continue;
    await hold.db.run(
      sql`ALTER TABLE ${qualified(hold.database, name)} AUTO_INCREMENT = ${raw(wanted)}`,
    );
  }
}
