/** How the database stands to the files of this image: light, as every start asks for it. */
import type { Config } from '../config/config.ts';
import type { Db } from '../database/connect.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { type HistoryFacts, readHistory } from '../history/read.ts';
import { type RunFacts, readRunFacts } from '../history/read-runs.ts';
import type { MigrationFolder } from '../migrations/files.ts';
import type { SchemaVersion } from '../migrations/migration.ts';
import { type Resolution, resolve } from '../migrations/resolve.ts';

/** The files, the history, and what the runs say. */
export type StateFacts = RunFacts & {
  readonly folder: MigrationFolder;
  readonly requiredVersion: SchemaVersion;
  readonly history: HistoryFacts;
  readonly resolution: Resolution;
};

/**
 * Reads them in three queries. Takes no lock, changes nothing.
 *
 * @throws DeployError `HISTORY_UNREADABLE`; `NO_TARGET` when no migration folder has the required version.
 */
export async function readStateFacts(
  db: Db,
  config: Config,
  folder: MigrationFolder,
): Promise<StateFacts> {
  const database = config.database.name;
  const history = await readHistory(db, database);
  return {
    ...{ folder, history, resolution: resolve(folder, history) },
    requiredVersion: requiredVersion(config, folder),
    ...(await readRunFacts(db, database)),
  };
}

function requiredVersion(config: Config, folder: MigrationFolder): SchemaVersion {
  const required = config.requiredVersion ?? folder.versions.at(-1);
  if (required !== undefined && folder.versions.includes(required)) return required;
  const known = folder.versions.join(', ') || 'none';
  throw new DeployError(
    'NO_TARGET',
    `version ${required ?? 'none'} has no folder in ${folder.dir}; there are: ${known}`,
    {
      next: ['correct REQUIRED_DB_VERSION or MIGRATIONS_DIR'],
    },
  );
}
