/**
 * Completes a plan with what only a try can tell: which version an existing schema equals, and
 * whether the pending migrations run on an empty copy of it. Works on a scratch server; the real
 * database is only read.
 */
import type { Db } from '../database/connect.ts';
import { VERSION_TABLES } from '../history/tables.ts';
import { compareVersions } from '../history/versions.ts';
import { changesKey, type ExpectedChanges, type ExpectedWrites } from '../migrations/actions.ts';
import type { SchemaVersion } from '../migrations/migration.ts';
import {
  buildVersionModels,
  runStructurally,
  type StructuralRun,
} from '../migrations/structural-run.ts';
import { compareSchemas } from '../schema/compare.ts';
import { digestOf, fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey, SchemaModel } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import type { Scratch } from '../scratch/server.ts';
import { checkInPlace, checkOnCopy } from './check-masterdata.ts';
import type { RunContext } from './context.ts';
import type { Adoption, Facts } from './facts.ts';
import { asInterrupted } from './interrupted.ts';
import { makePlan, type Plan, type PlanSettings } from './plan.ts';

/** A plan with the facts that it was made from. */
export type LookedAt = {
  readonly facts: Facts;
  readonly plan: Plan;
  /** Digest of the structure that was looked at; '' when nothing was tried. */
  readonly structure: string;
};

/**
 * Plans `up`; starts a scratch server only when the plan needs one. Takes no lock.
 *
 * @throws DeployError `MASTERDATA_INVALID` when the master data cannot be synced, as far as that can be known.
 */
export async function lookAndPlan(
  context: RunContext,
  db: Db,
  given: Facts,
  settings: PlanSettings,
): Promise<LookedAt> {
  let facts = given;
  let plan = makePlan(facts, settings);
  if (plan.needs === null) return { facts, plan, structure: '' };
  const model = await readSchema(db, context.config.database.name);
  if (plan.needs === 'adoption') {
    const scratch = await context.scratch.get(facts.server.variables);
    facts = { ...facts, adoption: await recogniseSchema(scratch, facts, model) };
    plan = makePlan(facts, settings);
  }
  if (plan.needs === 'structural-run') {
    facts = { ...facts, structural: await tryCycles(context, db, facts, plan.cycles, model) };
    const { cycles } = plan;
    plan = makePlan(facts, settings);
    // A plan that is refused anyway has its own reasons.
    if (facts.masterdata !== null && plan.refusals.length === 0 && hasSync(cycles))
      await checkInPlace(db, facts.masterdata, cycles, model);
  }
  return { facts, plan, structure: structureDigest(model) };
}

/** Digest of everything that a structural run starts from. */
export function structureDigest(model: SchemaModel): string {
  return digestOf(fingerprintSchema(model));
}

/** Runs the migrations of `cycles` on an empty copy of the database; `model` is its structure, if known. */
export async function tryCycles(
  context: RunContext,
  db: Db,
  facts: Facts,
  cycles: Plan['cycles'],
  model?: SchemaModel,
): Promise<StructuralRun> {
  const { masterdata } = facts;
  const run = runStructurally({
    db,
    database: context.config.database.name,
    scratch: await context.scratch.get(facts.server.variables),
    migrations: cycles.flatMap((cycle) => cycle.migrations),
    direction: cycles[0]!.direction,
    collation: facts.server.database.collation,
    // The master data, too, is checked in full before anything is changed.
    ...(model === undefined ? {} : { model }),
    ...(masterdata === null || !hasSync(cycles)
      ? {}
      : {
          inspect: (copy) => checkOnCopy(copy, masterdata, cycles),
          touches: [JSON.stringify(masterdata.set.entities)],
        }),
  });
  return run.catch((error: unknown) => {
    throw asInterrupted(context, error);
  });
}

function hasSync(cycles: Plan['cycles']): boolean {
  return cycles.some(({ masterdata }) => masterdata !== null);
}

/** The structure changes of a structural run in the form that actions take. */
export function expectedChanges(structural: StructuralRun | null): ExpectedChanges {
  const entries = (structural?.statements ?? []).map(
    ({ migration, number, changes }) => [changesKey(migration, number), changes] as const,
  );
  return new Map(entries);
}

/** The tables that statements write to through code, in the form that actions take. */
export function expectedWrites(structural: StructuralRun | null): ExpectedWrites {
  const entries = (structural?.statements ?? []).flatMap(({ migration, number, writes }) =>
    writes === null ? [] : [[changesKey(migration, number), writes] as const],
  );
  return new Map(entries);
}

/** The version tables are this program's own matter: their presence decides nothing here. */
function isVersionTable(key: ObjectKey): boolean {
  return VERSION_TABLES.some((table) => key === `table:${table}`);
}

async function recogniseSchema(
  scratch: Scratch,
  facts: Facts,
  live: SchemaModel,
): Promise<Adoption> {
  const { charset, collation } = facts.server.database;
  const models = await buildVersionModels({ scratch, folder: facts.folder, charset, collation });
  const compared = [...models]
    .filter(([version]) => compareVersions(version, facts.requiredVersion) <= 0)
    .map(([version, model]) => ({
      version,
      differences: compareSchemas(model, live, { ignore: isVersionTable }),
    }))
    .sort((a, b) => compareVersions(b.version, a.version));
  const equal = compared.find(({ differences }) => differences.every(({ additive }) => additive));
  if (equal !== undefined) return { ...equal, nearest: equal.version };

  const weight = (differences: Adoption['differences']) =>
    differences.filter(({ additive }) => !additive).length;
  const [nearest] = compared.toSorted((a, b) => weight(a.differences) - weight(b.differences));
  const version: SchemaVersion | null = null;
  return {
    version,
    nearest: nearest?.version ?? null,
    differences: nearest?.differences.filter(({ additive }) => !additive) ?? [],
  };
}
