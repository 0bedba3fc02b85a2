/** Reads the migrations folder. Changes nothing; the sidecar may use it too. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { DeployError } from '../errors/deploy-error.ts';
import type { SchemaVersion } from '../history/versions.ts';
import { decodeScript } from '../statements/decode.ts';
import { checksumsOf } from './checksum.ts';
import { checkDataSource } from './data-source.ts';
import {
  checkNumbers,
  type Entry,
  findVersions,
  groupFiles,
  type MigrationFiles,
} from './file-names.ts';
import { type Headers, readHeaders } from './headers.ts';
import type { Migration, MigrationScript } from './migration.ts';
import { collectProblem, type FileProblem, problemsError } from './problem.ts';
import { findScriptProblems, makeLazyScript } from './script.ts';

export type MigrationFolder = {
  /** By number. */
  readonly migrations: readonly Migration[];
  /** Ascending. */
  readonly versions: readonly SchemaVersion[];
  /** The folder as it was given. */
  readonly dir: string;
  /** `schema.sql`: everything at the highest version, or null when the folder has none. */
  readonly schemaSql: { readonly path: string; readonly text: string } | null;
};

/**
 * Reads, splits and classifies every file below `dir`. Statements that may not stand in a
 * migration are no problem here: they are in `classification.forbidden`, and the plan refuses them.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID` with all problems of the folder in `facts.problems`.
 */
export async function readMigrations(dir: string): Promise<MigrationFolder> {
  const { folder, problems } = readFolder(dir);
  problems.push(...(await findScriptProblems(folder.migrations)));
  if (problems.length > 0) throw problemsError(problems);
  return folder;
}

/**
 * Reads the files below `dir` with their checksums, which is what a history is compared with. Their
 * statements are read when they are first asked for; `checkScripts` reads them all.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID` with all problems of names, headers and encoding.
 */
export async function openMigrations(dir: string): Promise<MigrationFolder> {
  const { folder, problems } = readFolder(dir);
  if (problems.length > 0) throw problemsError(problems);
  return folder;
}

/** At once and not in turns: for thousands of small files that takes a third of the time. */
function readFolder(dir: string): {
  readonly folder: MigrationFolder;
  readonly problems: FileProblem[];
} {
  const root = path.basename(path.resolve(dir));
  const top = listFolder(dir, root);
  const { versions, problems } = findVersions(top, root);
  const folders = versions.map((version) =>
    groupFiles(version, listFolder(path.join(dir, version), `${root}/${version}`), root),
  );
  const files = folders.flatMap((folder) => folder.migrations);
  problems.push(...folders.flatMap((folder) => folder.problems), ...checkNumbers(files, root));

  const schemaFiles = top.some(({ name }) => name === 'schema.sql') ? ['schema.sql'] : [];
  const names = files.flatMap(({ up, down, data }) =>
    [up, down, data].filter((name) => name !== null),
  );
  const bytes = readAll(dir, root, [...schemaFiles, ...names], problems);
  const migrations = files.map((found) => makeMigration(found, { dir, root, bytes, problems }));
  const schemaBytes = bytes.get('schema.sql');
  const schemaPath = `${root}/schema.sql`;
  const schemaText =
    schemaBytes === undefined
      ? null
      : collectProblem(problems, schemaPath, () => decodeScript(schemaBytes, schemaPath));
  const folder = {
    migrations: migrations.filter((migration) => migration !== null),
    versions,
    dir,
    schemaSql: schemaText === null ? null : { path: schemaPath, text: schemaText },
  };
  return { folder, problems };
}

function listFolder(dir: string, shown: string): Entry[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).map((entry) => {
      // A mounted folder may consist of symbolic links.
      const found = entry.isSymbolicLink() ? statSync(path.join(dir, entry.name)) : entry;
      const kind = found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';
      return { name: entry.name, kind };
    });
  } catch (cause) {
    throw new DeployError('MIGRATION_FILE_INVALID', 'the folder cannot be read', {
      cause,
      where: shown,
    });
  }
}

function readAll(
  dir: string,
  root: string,
  names: readonly string[],
  problems: FileProblem[],
): ReadonlyMap<string, Uint8Array> {
  const contents = new Map<string, Uint8Array>();
  for (const name of names) {
    try {
      contents.set(name, readFileSync(path.join(dir, name)));
    } catch {
      problems.push({ where: `${root}/${name}`, message: 'the file cannot be read' });
    }
  }
  return contents;
}

type Reading = {
  readonly dir: string;
  readonly root: string;
  readonly bytes: ReadonlyMap<string, Uint8Array>;
  readonly problems: FileProblem[];
};

/** Null when a problem was found that leaves no migration. */
function makeMigration(files: MigrationFiles, reading: Reading): Migration | null {
  const { dir, root, bytes, problems } = reading;
  const up = makeScript(files.up, 'up', reading);
  const down = files.down === null ? null : makeScript(files.down, 'down', reading);
  const dataPath = `${root}/${files.data}`;
  const dataBytes = files.data === null ? null : bytes.get(files.data);
  if (up === null || dataBytes === undefined) return null;

  const text =
    dataBytes && collectProblem(problems, dataPath, () => decodeScript(dataBytes, dataPath));
  if (text === null && dataBytes !== null) return null;
  if (text !== null) problems.push(...checkDataSource(text, dataPath));
  return {
    number: files.number,
    version: files.version,
    name: files.name,
    description: up.headers.description ?? files.name.replaceAll('_', ' '),
    critical: up.headers.critical ?? true,
    up: up.script,
    down: down?.script ?? null,
    data: files.data === null ? null : { file: path.resolve(dir, files.data), path: dataPath },
    ...checksumsOf({ up: bytes.get(files.up)!, data: dataBytes }),
  };
}

function makeScript(
  name: string,
  kind: 'up' | 'down',
  { root, bytes, problems }: Reading,
): { readonly script: MigrationScript; readonly headers: Headers } | null {
  const content = bytes.get(name);
  if (content === undefined) return null;
  const shown = `${root}/${name}`;
  return collectProblem(problems, shown, () => {
    const read = readHeaders(decodeScript(content, shown), shown, kind);
    problems.push(...read.problems);
    const script = makeLazyScript(read.text, shown, read.headers.rerunnable ?? false);
    return { script, headers: read.headers };
  });
}
