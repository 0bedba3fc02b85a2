import { join } from 'node:path';
import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { throwIfAborted } from './failures.ts';
import { lanesFor, shareOut } from './lanes.ts';
import { loadOrder, nextFile } from './load-order.ts';
import { makeTableLoader } from './load-table.ts';
import type { BackupSet, ManifestFile } from './manifest.ts';
import { readPackedText } from './packed-file.ts';
import type { OnProgress } from './progress.ts';
import { INVALID_VIEW } from './read-objects.ts';
import { parseSections, type Section } from './section-file.ts';
import { LOADING_SESSION } from './structure-file.ts';

export type LoadOptions = {
  /**
   * Each with the schema as default database where the set is loaded; they share the work. Their
   * sessions are changed. With `sendsRows` loading is faster.
   */
  readonly dbs: readonly Db[];
  readonly set: Pick<BackupSet, 'dir' | 'manifest'>;
  /** What a statement that fails stands for. */
  readonly code: 'BACKUP_NOT_PROVEN' | 'RESTORE_FAILED' | 'PUT_BACK_FAILED';
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** How many connections load a set at the same time. */
export function loaderCount({ manifest }: Pick<BackupSet, 'manifest'>): number {
  const packedBytes = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return lanesFor(packedBytes * USUAL_PACKING);
}

/** Rows of applications become so much smaller; it only decides how many connections are opened. */
const USUAL_PACKING = 3;

/**
 * Loads sequences, tables and rows into an empty schema: tables first without their secondary
 * keys, then the rows of all tables at the same time, the keys of each as soon as its rows are there,
 * the foreign keys last. No views, routines, triggers or events.
 *
 * When one connection fails the others are cut.
 *
 * @throws DeployError `options.code` naming the object; the text of the statement is in no error.
 */
export async function loadTables(options: LoadOptions): Promise<void> {
  const { dbs, set, code, signal, onProgress = () => {} } = options;
  const cut = () => {
    for (const db of dbs) db.destroy();
  };
  for (const db of dbs) for (const statement of LOADING_SESSION) await db.run(statement);
  const structure = await readSections(set, 'structure');
  for (const section of structure) {
    throwIfAborted(signal);
    if (section.key !== null) await runSection(dbs[0]!, section, code);
  }
  const keys = (await readSections(set, 'keys')).filter(({ key }) => key !== null);
  const isForeign = ({ key }: Section) => key!.startsWith('foreign keys of:');
  const keyOf = new Map(keys.filter((section) => !isForeign(section)).map((s) => [s.key, s]));
  const loader = await makeTableLoader(dbs, {
    ...options,
    note: countBytes(set, onProgress),
    remake: (db, table) => {
      const { key, statements } = structure.find((each) => each.key === `table:${table}`)!;
      // DATA LOSS: the table that was made a moment ago, with what LOAD DATA made of the set's rows.
      const drop = `DROP TABLE ${quoteNameText(table)}`;
      return runSection(db, { key, statements: [drop, ...statements] }, code);
    },
  });
  const order = loadOrder(set.manifest, (table) => keyOf.has(`keys of:${table}`));
  const load = async (db: Db, file: ManifestFile) => {
    try {
      const isLoaded = await loader.load(db, file);
      const section = keyOf.get(`keys of:${file.table}`);
      if (!isLoaded || section === undefined) return;
      keyOf.delete(section.key);
      await runSection(db, section, code);
    } catch (error) {
      cut();
      throw error;
    }
  };
  const pick = (left: readonly ManifestFile[], running: readonly ManifestFile[]) =>
    nextFile(left, running, loader.isAlone);
  await shareOut(dbs, order, load, pick);
  const rest = [...keyOf.values(), ...keys.filter(isForeign)];
  for (const [index, section] of rest.entries()) {
    throwIfAborted(signal);
    onProgress({ phase: 'keys', done: index, of: rest.length, what: 'tables' });
    await runSection(dbs[0]!, section, code);
  }
}

function rowFiles({ manifest }: LoadOptions['set']): ManifestFile[] {
  return manifest.files.filter(({ kind }) => kind === 'rows');
}

/** Tells the progress of all files together. */
function countBytes(set: LoadOptions['set'], onProgress: OnProgress): (bytes: number) => void {
  const of = rowFiles(set).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let done = 0;
  return (bytes) => {
    done += bytes;
    onProgress({ phase: 'load', done, of, what: 'bytes' });
  };
}

/** The sections of the set's files of one kind. */
export async function readSections(
  { dir, manifest }: Pick<BackupSet, 'dir' | 'manifest'>,
  kind: 'structure' | 'keys' | 'objects',
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

/**
 * Runs the sections of `objects.sql`. A view that was invalid when it was backed up may fail. `make`
 * runs one section.
 *
 * @returns the names of the views that could not be made
 */
export async function makeObjects(
  db: Db,
  sections: readonly Section[],
  code: LoadOptions['code'],
  make: typeof runSection = runSection,
): Promise<string[]> {
  const failed: string[] = [];
  for (const section of sections) {
    try {
      await make(db, section, code);
    } catch (error) {
      if (section.key?.startsWith(INVALID_VIEW) !== true || db.lost() !== null) throw error;
      failed.push(section.key.slice(INVALID_VIEW.length));
    }
  }
  return failed;
}
