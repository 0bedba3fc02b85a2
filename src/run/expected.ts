import type { Db } from '../database/connect.ts';
import { readHistory } from '../history/read.ts';
import type { SchemaVersion } from '../migrations/migration.ts';
import { resolve } from '../migrations/resolve.ts';
import { buildVersionModels } from '../migrations/structural-run.ts';
import type { SchemaModel } from '../schema/model.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import type { SharedScratch } from './shared-scratch.ts';

type VersionModels = ReadonlyMap<SchemaVersion, SchemaModel>;

/** Models that were built in this run, by the migrations that they leave out. */
const built = new WeakMap<SharedScratch, Map<string, Promise<VersionModels>>>();

/**
 * Gives the structure that a version must have in this database: what its migration files make on
 * a scratch server, without those that are not critical and failed here. Built once for a run.
 */
export async function expectedModel(
  context: RunContext,
  facts: Facts,
  db: Db,
  version: SchemaVersion,
): Promise<SchemaModel> {
  const history = await readHistory(db, context.config.database.name);
  const failed = new Set(resolve(facts.folder, history).failed.map(({ number }) => number));
  const models = await versionModels(context, facts, failed);
  return models.get(version)!;
}

function versionModels(
  context: RunContext,
  facts: Facts,
  without: ReadonlySet<number>,
): Promise<VersionModels> {
  const known = built.get(context.scratch) ?? new Map<string, Promise<VersionModels>>();
  built.set(context.scratch, known);
  const key = [...without].join();
  const found = known.get(key);
  if (found !== undefined) return found;
  const { charset, collation } = facts.server.database;
  const migrations = facts.folder.migrations.filter(({ number }) => !without.has(number));
  const folder = { ...facts.folder, migrations };
  const models = context.scratch
    .get(facts.server.variables)
    .then((scratch) => buildVersionModels({ scratch, folder, charset, collation }));
  known.set(key, models);
  return models;
}
