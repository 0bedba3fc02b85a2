/** Pure: which files of the migrations folder make up which migration. */
import { compareVersions, parseVersion, type SchemaVersion } from '../history/versions.ts';
import type { FileProblem } from './problem.ts';

/** An entry of a folder. */
export type Entry = { readonly name: string; readonly kind: 'file' | 'folder' | 'other' };

/** The files of one migration, as paths below the migrations folder. */
export type MigrationFiles = {
  readonly number: number;
  readonly version: SchemaVersion;
  readonly name: string;
  readonly up: string;
  readonly down: string | null;
  readonly data: string | null;
};

/** The files beside the version folders. Names that begin with a dot are nobody's business. */
const topFiles = ['schema.sql', 'README.md'];

/** Sorts the entries of the migrations folder itself; `root` is how people see it. */
export function findVersions(
  entries: readonly Entry[],
  root: string,
): { readonly versions: SchemaVersion[]; readonly problems: FileProblem[] } {
  const problems: FileProblem[] = [];
  const versions: SchemaVersion[] = [];
  for (const { name, kind } of entries.filter((entry) => !entry.name.startsWith('.'))) {
    if (kind === 'folder' && parseVersion(name) !== null) versions.push(name);
    else if (kind === 'file' && topFiles.includes(name)) continue;
    else {
      const message = `only folders named by a version (0.4.0), ${topFiles.join(' and ')} may stand here`;
      problems.push({ where: `${root}/${name}`, message });
    }
  }
  return { versions: versions.sort(compareVersions), problems };
}

const fileName = /^(\d{4,9})_([a-z0-9]+(?:_[a-z0-9]+)*)\.(up\.sql|down\.sql|data\.ts)$/;

/** Puts together the files of one version folder, by number. */
export function groupFiles(
  version: SchemaVersion,
  entries: readonly Entry[],
  root: string,
): { readonly migrations: MigrationFiles[]; readonly problems: FileProblem[] } {
  const folder = `${root}/${version}`;
  const problems: FileProblem[] = [];
  const groups = new Map<string, { number: number; name: string; files: Map<string, string> }>();
  for (const { name: file, kind } of entries.filter((entry) => !entry.name.startsWith('.'))) {
    const match = kind === 'file' ? fileName.exec(file) : null;
    if (match === null) {
      const message = 'a migration is named NNNN_snake_case.up.sql, .down.sql or .data.ts';
      problems.push({ where: `${folder}/${file}`, message });
      continue;
    }
    const [, digits, name, part] = match as unknown as [string, string, string, string];
    const key = `${digits}_${name}`;
    const group = groups.get(key) ?? { number: Number(digits), name, files: new Map() };
    group.files.set(part, `${version}/${file}`);
    groups.set(key, group);
  }

  const migrations: MigrationFiles[] = [];
  for (const [key, { number, name, files }] of groups) {
    const up = files.get('up.sql');
    if (up === undefined) {
      problems.push({ where: `${folder}/${key}.up.sql`, message: 'the migration has no up file' });
      continue;
    }
    const [down, data] = [files.get('down.sql') ?? null, files.get('data.ts') ?? null];
    migrations.push({ number, version, name, up, down, data });
  }
  if (groups.size + problems.length === 0)
    problems.push({ where: folder, message: 'the version has no migration' });
  return { migrations: migrations.sort((a, b) => a.number - b.number), problems };
}

/** Finds numbers used twice and numbers that fall while versions rise. Takes them by version, then number. */
export function checkNumbers(migrations: readonly MigrationFiles[], root: string): FileProblem[] {
  const problems: FileProblem[] = [];
  const seen = new Map<number, MigrationFiles>();
  let highest: MigrationFiles | null = null;
  for (const migration of migrations) {
    const { number, version, up } = migration;
    const twin = seen.get(number);
    if (twin !== undefined) {
      problems.push({
        where: `${root}/${up}`,
        message: `number ${number} is also that of ${root}/${twin.up}`,
      });
    } else if (highest !== null && number < highest.number) {
      problems.push({
        where: `${root}/${up}`,
        message: `number ${number} of ${version} is lower than ${highest.number} of ${highest.version}: numbers rise with versions`,
      });
    }
    seen.set(number, twin ?? migration);
    if (highest === null || number > highest.number) highest = migration;
  }
  return problems;
}
