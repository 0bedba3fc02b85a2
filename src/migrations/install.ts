/** `schema.sql` in the form of a migration, so that installing is journalled like everything else. */
import { checksumsOf } from './checksum.ts';
import type { MigrationFolder } from './files.ts';
import { INSTALL_NUMBER } from './install-number.ts';
import type { Migration } from './migration.ts';
import { readStatements } from './script.ts';

/**
 * Gives `schema.sql` as a migration, or null when the folder has none. It makes everything at the
 * highest version; its history rows are those of the migrations that it stands for.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID`
 */
export function installMigration({ schemaSql, versions }: MigrationFolder): Migration | null {
  const version = versions.at(-1);
  if (schemaSql === null || version === undefined) return null;
  const { path, text } = schemaSql;
  const statements = readStatements(text, path);
  return {
    ...{ number: INSTALL_NUMBER, version, name: 'schema', description: `everything at ${version}` },
    ...{ critical: true, down: null, data: null },
    up: { path, statements, rerunnable: false },
    ...checksumsOf({ up: new TextEncoder().encode(text), data: null }),
  };
}

/** Every migration of the folder by its number, `schema.sql` among them. */
export function migrationsByNumber(folder: MigrationFolder): ReadonlyMap<number, Migration> {
  const install = installMigration(folder);
  const all = install === null ? folder.migrations : [install, ...folder.migrations];
  return new Map(all.map((migration) => [migration.number, migration]));
}
