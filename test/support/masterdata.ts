/** Folders of master data for tests: the shipped set, changed, or one of an application of its own. */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Db } from '../../src/database/connect.ts';
import { inTransaction } from '../../src/database/transaction.ts';
import { readEntities } from '../../src/masterdata/entities.ts';
import { type MasterdataSet, readMasterdata } from '../../src/masterdata/read.ts';
import type { SyncReport } from '../../src/masterdata/report.ts';
import { syncMasterdata } from '../../src/masterdata/sync.ts';
import { splitStatements } from '../../src/statements/split.ts';
import { migrationsDir } from './bamort/migrate.ts';
import type { Cleanup } from './server.ts';

/** The shipped folder. */
export const masterdataDir = join(import.meta.dirname, '../../masterdata');

export type FileRow = Record<string, unknown>;

/** The rows of each entity's file, by its name without `.json`. */
export type Files = Record<string, FileRow[]>;

/** A folder that ends with the test. */
export async function makeDir(t: Cleanup): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'deploy-masterdata-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes a set of format 2.0: a declaration and the rows of each file. */
export async function writeSet(dir: string, declaration: unknown, files: Files): Promise<void> {
  const about = { export_version: '2.0', backend_version: '1', timestamp: 'now', game_system: 'x' };
  const listed: Record<string, unknown> = {};
  for (const [name, data] of Object.entries(files)) {
    const text = JSON.stringify({ ...about, data });
    await writeFile(join(dir, `${name}.json`), text);
    const sha256 = createHash('sha256').update(text).digest('hex');
    listed[`${name}.json`] = { sha256, count: data.length };
  }
  await writeFile(join(dir, 'entities.json'), JSON.stringify(declaration));
  const metadata = { ...about, db_version: '1', files: listed };
  await writeFile(join(dir, 'metadata.json'), JSON.stringify(metadata));
}

/** Reads a folder: declaration and rows. */
export async function readSet(dir: string): Promise<MasterdataSet> {
  return readMasterdata(dir, await readEntities(dir));
}

/** The shipped set with changes made to its rows by `change`. */
export async function changedSample(
  t: Cleanup,
  change: (files: Files) => void,
  changeDeclaration: (declaration: { entities: Record<string, FileRow> }) => void = () => {},
): Promise<MasterdataSet> {
  const dir = await makeDir(t);
  await writeChanged(dir, change, changeDeclaration);
  return readSet(dir);
}

/** Writes the shipped set with changes into an empty folder. */
export async function writeChanged(
  dir: string,
  change: (files: Files) => void,
  changeDeclaration: (declaration: { entities: Record<string, FileRow> }) => void = () => {},
): Promise<void> {
  await cp(masterdataDir, dir, { recursive: true });
  const declaration = JSON.parse(await readFile(join(dir, 'entities.json'), 'utf8'));
  const files: Files = {};
  for (const { file } of Object.values(declaration.entities) as { file: string }[]) {
    const { data } = JSON.parse(await readFile(join(dir, file), 'utf8')) as { data: FileRow[] };
    files[file.replace(/\.json$/, '')] = data;
  }
  change(files);
  changeDeclaration(declaration);
  await writeSet(dir, declaration, files);
}

/** Syncs in a transaction of its own, and commits. */
export function syncAndCommit(db: Db, set: MasterdataSet): Promise<SyncReport> {
  return inTransaction(db, () => syncMasterdata(db, set));
}

/** Makes Bamort's tables of the newest version, as a fresh installation does. */
export async function makeSchema(db: Db): Promise<void> {
  const text = await readFile(join(migrationsDir, 'schema.sql'), 'utf8');
  for (const { sql } of splitStatements(text, 'schema.sql')) await db.run(sql);
}

/** `entity +inserted ~updated -deleted` of every entity with changes. */
export function summarise({ entities }: SyncReport): string[] {
  return entities
    .filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0)
    .map((one) => `${one.entity} +${one.inserted} ~${one.updated} -${one.deleted}`);
}
