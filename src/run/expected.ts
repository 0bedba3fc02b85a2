import type { SchemaVersion } from '../migrations/migration.ts';
import { buildVersionModels } from '../migrations/structural-run.ts';
import type { SchemaModel } from '../schema/model.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import type { SharedScratch } from './shared-scratch.ts';

type VersionModels = ReadonlyMap<SchemaVersion, SchemaModel>;

const known = new WeakMap<SharedScratch, Promise<VersionModels>>();

/** The structure of each version, as the migration files make it on a scratch server; built once for a run. */
export function versionModels(context: RunContext, facts: Facts): Promise<VersionModels> {
  const found = known.get(context.scratch);
  if (found !== undefined) return found;
  const { charset, collation } = facts.server.database;
  const built = context.scratch
    .get(facts.server.variables)
    .then((scratch) => buildVersionModels({ scratch, folder: facts.folder, charset, collation }));
  known.set(context.scratch, built);
  return built;
}
