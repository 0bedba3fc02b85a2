import { join } from 'node:path';
import type { Db } from '../database/connect.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { throwIfAborted } from './failures.ts';
import type { BackupSet } from './manifest.ts';
import { readPacked, readPackedText } from './packed-file.ts';
import type { OnProgress } from './progress.ts';
import { splitDump } from './row-statements.ts';
import { parseSections, type Section } from './section-file.ts';
import { LOADING_SESSION } from './structure-file.ts';

export type LoadOptions = {
  /** The default database of the connection is where the set is loaded. Its session is changed. */
  readonly db: Db;
  readonly set: Pick<BackupSet, 'dir' | 'manifest'>;
  /** What a statement that fails stands for. */
  readonly code: 'BACKUP_NOT_PROVEN' | 'RESTORE_FAILED' | 'PUT_BACK_FAILED';
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Loads sequences, tables and rows into an empty schema. No views, routines, triggers or events.
 *
 * @throws DeployError `options.code` naming the object; the text of the statement is in no error.
 */
export async function loadTables(options: LoadOptions): Promise<void> {
  const { db, set, code } = options;
  for (const statement of LOADING_SESSION) await db.run(statement);
  for (const section of await readSections(set, 'structure')) {
    if (section.key !== null) await runSection(db, section, code);
  }
  for (const file of set.manifest.files.filter(({ kind }) => kind === 'rows')) {
    await loadRows(options, file);
  }
}

/** The sections of the set's files of one kind. */
export async function readSections(
  { dir, manifest }: Pick<BackupSet, 'dir' | 'manifest'>,
  kind: 'structure' | 'objects',
): Promise<Section[]> {
  const sections: Section[] = [];
  for (const { name } of manifest.files.filter((file) => file.kind === kind)) {
    try {
      sections.push(...parseSections(await readPackedText(join(dir, name))));
    } catch (cause) {
      throw new DeployError('BACKUP_SET_INVALID', `${name} cannot be read`, {
        where: join(dir, name),
        cause,
      });
    }
  }
  return sections;
}

/** Runs the statements of one section; a failure names its object. */
export async function runSection(
  db: Db,
  section: Section,
  code: LoadOptions['code'],
): Promise<void> {
  for (const statement of section.statements) {
    try {
      await db.run(statement);
    } catch (cause) {
      const name = (section.key ?? 'its session').replace(':', ' ');
      throw new DeployError(code, `${name} of the backup could not be made`, { cause });
    }
  }
}

async function loadRows(
  { db, set, code, onProgress = () => {}, signal }: LoadOptions,
  file: { readonly name: string; readonly sizeBytes: number },
): Promise<void> {
  const path = join(set.dir, file.name);
  const bytes = readPacked(path, (done) =>
    onProgress({ phase: 'load', done, of: file.sizeBytes, what: 'bytes' }),
  );
  for await (const statement of splitDump(bytes)) {
    throwIfAborted(signal);
    try {
      await db.run(statement);
    } catch (cause) {
      const table = /^INSERT INTO (`(?:[^`]|``)*`)/.exec(statement)?.[1] ?? 'the backup';
      throw new DeployError(code, `rows of ${table} could not be loaded`, { where: path, cause });
    }
  }
}
