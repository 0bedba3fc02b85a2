/** The check of the master data before anything is changed: as much of it as can be known then. */
import type { Db } from '../database/connect.ts';
import type { Entity } from '../masterdata/entity.ts';
import type { MasterdataSet } from '../masterdata/read.ts';
import { statementsOf } from '../migrations/actions.ts';
import { touchedBy } from '../migrations/touched.ts';
import type { SchemaModel } from '../schema/model.ts';
import type { Masterdata } from './masterdata-source.ts';
import type { Cycle } from './plan.ts';

/**
 * Checks the set on a copy of the structure as it will be: in full where the copy has every row that
 * the database is going to have, else what can be said without rows. Nothing where the database
 * itself shows everything, see `checkInPlace`.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all findings.
 */
export async function checkOnCopy(
  copy: Db,
  { set }: Masterdata,
  cycles: readonly Cycle[],
): Promise<void> {
  const { checkAgainstRows, checkMasterdata } = await import('../masterdata/sync.ts');
  if (cycles[0]?.mode === 'install') await checkAgainstRows(copy, set);
  else if (hasMigrations(cycles)) await checkMasterdata(copy, set);
}

/**
 * Checks against the rows of the database what the pending migrations leave as it is: with none of
 * them the whole set, as a sync does. `model` is the structure of the database. Only reads.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all findings: references that mean nothing, duplicate keys, rows
 *   that cannot go.
 */
export async function checkInPlace(
  db: Db,
  { set }: Masterdata,
  cycles: readonly Cycle[],
  model: SchemaModel,
): Promise<void> {
  if (cycles[0]?.mode === 'install') return;
  const entities = hasMigrations(cycles)
    ? untouched(set.entities.entities, cycles, model)
    : set.entities.entities;
  if (entities.length === 0) return;
  const { checkAgainstRows } = await import('../masterdata/sync.ts');
  await checkAgainstRows(db, restrict(set, entities));
}

function hasMigrations(cycles: readonly Cycle[]): boolean {
  return cycles.some(({ migrations }) => migrations.length > 0);
}

/** Entities whose tables no pending migration has to do with, nor those of others that their check looks at. */
function untouched(
  entities: readonly Entity[],
  cycles: readonly Cycle[],
  model: SchemaModel,
): readonly Entity[] {
  const migrations = cycles.flatMap((cycle) => cycle.migrations);
  const statements = migrations.flatMap((migration) => statementsOf(migration, 'up'));
  const isHidden =
    migrations.some(({ data }) => data !== null) ||
    statements.some(({ classification }) => classification.class === 'opaque');
  if (isHidden) return [];
  const { objects } = touchedBy(
    model,
    statements.map(({ sql }) => sql),
  );
  return settle(
    entities.filter(({ table }) => {
      const key = `table:${table}` as const;
      return model.objects.has(key) && !objects.has(key);
    }),
    entities,
  );
}

/** Leaves out what cannot be checked without the entities that are not among `some`, until nothing changes. */
function settle(some: readonly Entity[], all: readonly Entity[]): readonly Entity[] {
  const names = new Set(some.map(({ name }) => name));
  const others = all.filter(({ name }) => !names.has(name));
  const stays = some.filter((one) => {
    const complete = [...parentsOf(one)].every((name) => names.has(name));
    // Whether a row may go depends on the rows that point to it.
    const pointed = others.some((other) => parentsOf(other).has(one.name));
    return complete && !(one.missing === 'delete' && pointed);
  });
  return stays.length === some.length ? some : settle(stays, all);
}

function parentsOf({ references, fields }: Entity): Set<string> {
  return new Set([
    ...references.map(({ entity }) => entity),
    ...fields.flatMap(({ matches }) => (matches === null ? [] : [matches.entity])),
  ]);
}

function restrict(set: MasterdataSet, entities: readonly Entity[]): MasterdataSet {
  return {
    ...set,
    entities: { ...set.entities, entities },
    data: set.data.filter(({ entity }) => entities.includes(entity)),
  };
}
