/** `schema diff`: what the database has otherwise than its migrations would have made it. */
import type { Db } from '../database/connect.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { VERSION_TABLES } from '../history/tables.ts';
import type { SchemaVersion } from '../migrations/migration.ts';
import { compareSchemas } from '../schema/compare.ts';
import type { SchemaDifference } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import type { RunContext } from './context.ts';
import { expectedModel } from './expected.ts';
import { readFacts } from './facts.ts';

export type SchemaDiff = {
  readonly version: SchemaVersion;
  readonly differences: readonly SchemaDifference[];
};

/**
 * Compares the structure of the database with what the migration files make of `version`: that of
 * the database when left out. Reads only, takes no lock; uses the scratch server.
 *
 * @throws DeployError `NO_TARGET` when the database has no version and none is named, or the files
 *   do not have it
 */
export async function diffSchema(
  context: RunContext,
  db: Db,
  wanted: SchemaVersion | null,
): Promise<SchemaDiff> {
  const { config, folder } = context;
  const facts = await readFacts(db, config, folder);
  const version = wanted ?? facts.resolution.actualVersion;
  if (version === null || !folder.versions.includes(version)) {
    const message =
      version === null
        ? `${config.database.name} has no version to compare with`
        : `version ${version} has no folder in ${folder.dir}`;
    const known = folder.versions.join(', ') || 'none';
    const next = [`name a version: deploy schema diff --version V; there are: ${known}`];
    throw new DeployError('NO_TARGET', message, { next });
  }
  const expected = await expectedModel(context, facts, db, version);
  const actual = await readSchema(db, config.database.name);
  return { version, differences: withoutVersionTables(compareSchemas(expected, actual)) };
}

/** Existing version tables are used as they are: whoever made them decides about their columns. */
export function withoutVersionTables(
  differences: readonly SchemaDifference[],
): readonly SchemaDifference[] {
  return differences.filter(({ key }) => !VERSION_TABLES.some((name) => key === `table:${name}`));
}
