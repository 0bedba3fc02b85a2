/** Master data in whatever form it comes: a folder or a combined file of format 2.0, or a former format. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readCombinedHead, splitCombined } from './combined.ts';
import { readText } from './decode.ts';
import type { EntitySet } from './entity.ts';
import { EXPORT_VERSION, METADATA_FILE } from './format.ts';
import {
  type Conversion,
  convertFormer,
  type FormatChain,
  type FormerFiles,
  readFormer,
} from './former.ts';
import { invalid, makeProblems } from './problems.ts';
import { type FileEntry, openEntityFile, writeMetadata } from './write-file.ts';

export type OpenMasterdata = {
  /** A folder of format 2.0. */
  readonly dir: string;
  /** Null when it was of format 2.0. */
  readonly conversion: Conversion | null;
  /** Removes what was written besides. May be called twice. */
  remove(): Promise<void>;
};

export type OpenOptions = {
  readonly entities: EntitySet;
  /** Former formats of the application, or null when it has none. */
  readonly formats: FormatChain | null;
  /** Where a folder is made when the source is not one of format 2.0. */
  readonly tmpDir: string;
};

/**
 * Gives a folder of format 2.0 for `source`: itself, or a temporary one that is made from it. Its
 * rows are not checked yet. A folder may say which former format it has. Touches no database.
 *
 * @throws DeployError `MASTERDATA_INVALID` when it is in no format that can be read.
 */
export async function openMasterdata(
  source: string,
  options: OpenOptions,
): Promise<OpenMasterdata> {
  const kind = await kindOf(source);
  const declared = kind === 'folder' ? await declaredFormat(source) : null;
  // What no step leads on from is refused by whoever reads it, with a sentence.
  const isFormer = options.formats?.steps.some(({ from }) => from === declared) ?? false;
  if (declared !== null && !isFormer) {
    return { dir: source, conversion: null, remove: async () => {} };
  }
  const head = kind === 'file' ? await readCombinedHead(source) : null;
  const dir = await makeFolder(options.tmpDir);
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    if (head !== null) {
      await splitCombined(source, head, options.entities, dir);
      return { dir, conversion: null, remove };
    }
    const conversion = await convertInto(source, kind, declared, options, dir);
    return { dir, conversion, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The format that the folder says it has: '' when its metadata says none; null without metadata. */
async function declaredFormat(dir: string): Promise<string | null> {
  const file = join(dir, METADATA_FILE);
  if (!existsSync(file)) return null;
  try {
    const metadata = JSON.parse(await readText(file)) as { export_version?: unknown } | null;
    return String(metadata?.export_version ?? '');
  } catch (error) {
    // That it is no JSON is said by whoever reads it.
    if (error instanceof SyntaxError) return '';
    throw error;
  }
}

async function makeFolder(tmpDir: string): Promise<string> {
  try {
    await mkdir(tmpDir, { recursive: true });
    return await mkdtemp(join(tmpDir, 'masterdata-'));
  } catch (cause) {
    throw invalid(tmpDir, 'there is no folder to convert the master data in', cause);
  }
}

async function kindOf(source: string): Promise<'file' | 'folder'> {
  try {
    return (await stat(source)).isDirectory() ? 'folder' : 'file';
  } catch (cause) {
    throw invalid(source, 'the master data cannot be read', cause);
  }
}

async function convertInto(
  source: string,
  kind: 'file' | 'folder',
  declared: string | null,
  { entities, formats }: OpenOptions,
  dir: string,
): Promise<Conversion> {
  const former = await readFormer(source, kind);
  const from = declared ?? formats?.recognise(former, kind) ?? null;
  if (formats === null || from === null) {
    const expected = `${METADATA_FILE} of format ${EXPORT_VERSION}`;
    throw invalid(source, `there is no ${expected} here, nor any former format that is known`);
  }
  const { files, conversion } = convertFormer(formats, from, former);
  await writeFolder(files, source, entities, dir);
  return conversion;
}

async function writeFolder(
  files: FormerFiles,
  source: string,
  entities: EntitySet,
  dir: string,
): Promise<void> {
  const problems = makeProblems(source);
  const declared = new Set(entities.entities.map(({ file }) => file));
  for (const name of Object.keys(files).filter((file) => !declared.has(file))) {
    problems.add(name, null, null, 'the file is that of no entity');
  }
  // DATA LOSS: an empty file would take all rows of such an entity.
  for (const { file, missing } of entities.entities) {
    if (missing === 'delete' && files[file] === undefined)
      problems.add(file, null, null, 'the file is not there, and all rows of its table would go');
  }
  problems.throwIfAny();
  const about = {
    export_version: EXPORT_VERSION,
    ...{ backend_version: '', timestamp: '', game_system: entities.gameSystems[0]?.name ?? '' },
  };
  const written: Record<string, FileEntry> = {};
  for (const name of declared) {
    const file = await openEntityFile(dir, name, about);
    try {
      for (const row of files[name] ?? []) await file.add(row);
      written[name] = await file.end();
    } finally {
      await file.abandon();
    }
  }
  await writeMetadata(dir, { ...about, db_version: '' }, written);
}
