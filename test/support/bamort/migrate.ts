/** Runs Bamort's migration files as they are, without the rest of the program. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Db } from '../../../src/database/connect.ts';
import { quoteNameText } from '../../../src/database/identifier.ts';
import { splitStatements } from '../../../src/statements/split.ts';

/** The shipped folder. */
export const migrationsDir = join(import.meta.dirname, '../../../migrations');

export const versions = ['0.3.0', '0.4.0', '0.5.0'] as const;
export type BamortVersion = (typeof versions)[number];

/** Runs every up file of a version in order, or every down file in reverse order. */
export async function runVersion(
  db: Db,
  version: BamortVersion,
  direction: 'up' | 'down' = 'up',
): Promise<void> {
  const files = filesOf(version, direction);
  for (const file of direction === 'up' ? files : files.reverse()) await runFile(db, file);
}

/** Brings an empty database to a version. */
export async function runUpTo(db: Db, version: BamortVersion): Promise<void> {
  for (const one of versions.slice(0, versions.indexOf(version) + 1)) await runVersion(db, one);
}

/** Runs one SQL file, statement by statement. */
export async function runFile(db: Db, file: string): Promise<void> {
  // Header lines are no comments to the server; they stand alone on their lines.
  const text = readFileSync(file, 'utf8').replace(/^--!.*$/gm, '');
  for (const { sql } of splitStatements(text, basename(file))) await db.run(sql);
}

/** Paths of the up or down files of a version, in the order of their numbers. */
export function filesOf(version: BamortVersion, direction: 'up' | 'down'): string[] {
  const dir = join(migrationsDir, version);
  const names = readdirSync(dir).filter((name) => name.endsWith(`.${direction}.sql`));
  return names.sort().map((name) => join(dir, name));
}

/** The text of every table by name. Exact on one server: also the order of columns and keys counts. */
export async function readStructure(db: Db): Promise<Map<string, string>> {
  const structure = new Map<string, string>();
  for (const table of await readTableNames(db)) {
    const shown = await db.one<{ 'Create Table': string }>(
      `SHOW CREATE TABLE ${quoteNameText(table)}`,
    );
    structure.set(table, shown!['Create Table'].replace(/ AUTO_INCREMENT=\d+/, ''));
  }
  return structure;
}

/** Every row of every table, each as JSON of its columns in the order of their names, sorted. */
export async function readRows(db: Db): Promise<Map<string, string[]>> {
  const all = new Map<string, string[]>();
  for (const table of await readTableNames(db)) {
    const rows = await db.query(`SELECT * FROM ${quoteNameText(table)}`);
    all.set(table, rows.map(asText).sort());
  }
  return all;
}

/** The rows with only the columns that `keep` has rows of: what was added later is left out. */
export function onlyColumns(rows: readonly string[], keep: readonly string[]): string[] {
  const columns = Object.keys(JSON.parse(keep[0] ?? '{}'));
  return rows
    .map((row) => {
      const parsed = JSON.parse(row);
      return asText(Object.fromEntries(columns.map((column) => [column, parsed[column]])));
    })
    .sort();
}

async function readTableNames(db: Db): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
  );
  return rows.map((row) => row.name).sort();
}

function asText(row: object): string {
  return JSON.stringify(Object.fromEntries(Object.entries(row).sort()));
}
