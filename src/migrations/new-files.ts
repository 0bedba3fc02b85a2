/** Makes the files of the next migration. The only place of this program that writes into the migrations folder. */

import { mkdir, open, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { DeployError } from '../errors/deploy-error.ts';
import { compareVersions, type SchemaVersion } from '../history/versions.ts';
import type { MigrationFolder } from './files.ts';
import { showNumber } from './install-number.ts';

/** What `new` is going to make, as paths below the migrations folder. */
export type NewMigration = {
  readonly number: number;
  readonly version: SchemaVersion;
  readonly name: string;
  readonly up: string;
  readonly down: string;
};

/** What a migration may be called: the part of the file name between number and `.up.sql`. */
export const migrationName = /^[a-z0-9]+(?:_[a-z0-9]+)*$/;

/**
 * Chooses number and file names. Without `version` the highest folder is taken. Pure.
 *
 * @throws DeployError `NO_TARGET` without any version, or with one that lies before the highest:
 *   numbers rise with versions, so what is added there could never run.
 */
export function planNewMigration(
  folder: Pick<MigrationFolder, 'migrations' | 'versions' | 'dir'>,
  wanted: { readonly name: string; readonly version: SchemaVersion | null },
): NewMigration {
  const highest = folder.versions.at(-1) ?? null;
  const version = wanted.version ?? highest;
  if (version === null) {
    throw new DeployError('NO_TARGET', `${folder.dir} has no version yet`, {
      next: ['name the first one: deploy new NAME --version 0.1.0'],
    });
  }
  if (highest !== null && compareVersions(version, highest) < 0) {
    const message = `a new migration of ${version} would come after those of ${highest}: numbers rise with versions`;
    throw new DeployError('NO_TARGET', message, {
      next: [`take --version ${highest} or a higher one`],
    });
  }
  const number = (folder.migrations.at(-1)?.number ?? 0) + 1;
  const base = `${version}/${showNumber(number)}_${wanted.name}`;
  const { name } = wanted;
  return { number, version, name, up: `${base}.up.sql`, down: `${base}.down.sql` };
}

/**
 * Writes both files, or none; never over a file that is there. The up file has no statement, so
 * that it is refused until somebody has written one.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID` when a file cannot be written.
 */
export async function writeNewMigration(dir: string, planned: NewMigration): Promise<void> {
  const folder = path.join(dir, planned.version);
  const isNew = (await mkdir(folder, { recursive: true }).catch(failed(folder))) !== undefined;
  const written: string[] = [];
  try {
    for (const [file, text] of [
      [path.join(dir, planned.up), upText(planned)],
      [path.join(dir, planned.down), downText(planned)],
    ] as const) {
      const handle = await open(file, 'wx').catch(failed(file));
      written.push(file);
      await handle.writeFile(text).catch(failed(file));
      await handle.close();
    }
  } catch (error) {
    for (const file of written) await rm(file, { force: true });
    if (isNew) await rmdir(folder).catch(() => undefined);
    throw error;
  }
}

function failed(where: string) {
  return (cause: unknown): never => {
    const message = 'the file of the new migration cannot be written';
    throw new DeployError('MIGRATION_FILE_INVALID', message, {
      cause,
      where,
      next: ['correct the cause above; MIGRATIONS_DIR names the folder to write into'],
    });
  };
}

function upText({ name }: NewMigration): string {
  return `-- What changes, and why.
--! description: ${name.replaceAll('_', ' ')}

`;
}

function downText({ number, name }: NewMigration): string {
  return `-- Takes ${showNumber(number)} ${name} back: what was made last goes first.
-- Write \`-- DATA LOSS:\` and what goes above each statement that loses rows or values.

`;
}
