/** What a database is, for comparison: every object's structure and every table's values. */
import { readdir } from 'node:fs/promises';
import type { Db } from '../../src/database/connect.ts';
import { DEPLOY_TABLES } from '../../src/database/identifier.ts';
import { hashTables } from '../../src/database/value-hash.ts';
import { VERSION_TABLES } from '../../src/history/tables.ts';
import { fingerprintSchema } from '../../src/schema/fingerprint.ts';
import { readSchema } from '../../src/schema/read.ts';
import type { Site } from './deploy.ts';

/** `table:a` → fingerprint, `values:a` → rows and hash, `history` → what the version tables say. */
export type Picture = Readonly<Record<string, string>>;

/**
 * Structure and values of a database. Of the version tables only what does not depend on the
 * clock counts. AUTO_INCREMENT does not: a rolled-back INSERT moves it (a restore compares it itself).
 */
export async function takePicture(db: Db, database: string): Promise<Picture> {
  const structure = Object.fromEntries(fingerprintSchema(await readSchema(db, database)));
  const tables = Object.keys(structure)
    .filter((key) => key.startsWith('table:'))
    .map((key) => key.slice('table:'.length));
  const own = tables.filter((name) => !VERSION_TABLES.some((table) => table === name));
  const hashes = await hashTables(db, database, own);
  const values = [...hashes].map(([name, { rows, hash }]) => [`values:${name}`, `${rows} ${hash}`]);
  return {
    ...structure,
    ...Object.fromEntries(values),
    history: await readVersionRows(db, tables),
  };
}

async function readVersionRows(db: Db, tables: readonly string[]): Promise<string> {
  const parts: string[] = [];
  if (tables.includes('migration_history')) {
    const rows = await db.query(
      'SELECT migration_number, version, success FROM migration_history ORDER BY migration_number',
    );
    parts.push(JSON.stringify(rows));
  }
  if (tables.includes('schema_version')) {
    const rows = await db.query(
      'SELECT version, migration_number, checksum FROM schema_version ORDER BY id',
    );
    parts.push(JSON.stringify(rows));
  }
  return parts.join(' ');
}

/**
 * What may not be left over when no run is under way: a held lock, an open run, staging schemas,
 * unfinished backup sets. Gives what there is, in words; empty when all is tidy.
 */
export async function findLeftovers(
  db: Db,
  site: Pick<Site, 'database' | 'backupDir'>,
): Promise<string[]> {
  const found: string[] = [];
  const { database } = site;
  const schemas = await db.query<{ name: string }>(
    `SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE '${database}\\_deploy\\_%'`,
  );
  found.push(...schemas.map(({ name }) => `schema ${name}`));
  const held = await db.one<{ id: number | null }>(
    `SELECT IS_USED_LOCK('deploy:${database.toLowerCase()}') AS id`,
  );
  if (held?.id != null) found.push(`lock held by connection ${held.id}`);
  const tables = await db.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${database}' AND table_name = '${DEPLOY_TABLES[1]}'`,
  );
  if (tables.length > 0) {
    const open = await db.query<{ run_id: string; state: string }>(
      `SELECT run_id, state FROM \`${database}\`.deploy_run WHERE state <> 'closed'`,
    );
    found.push(...open.map(({ run_id, state }) => `run ${run_id} is ${state}`));
  }
  const sets = await readdir(site.backupDir).catch(() => []);
  found.push(
    ...sets.filter((name) => name.startsWith('.')).map((name) => `unfinished set ${name}`),
  );
  return found;
}
