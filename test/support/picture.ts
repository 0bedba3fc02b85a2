/** What a database is, for comparison: every object's structure and every table's values. */
import { readdir } from 'node:fs/promises';
import sql, { join } from 'sql-template-tag';
import type { Db } from '../../src/database/connect.ts';
import { DEPLOY_TABLES } from '../../src/database/identifier.ts';
import { lockName } from '../../src/database/lock-name.ts';
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
 * What may not be left over when no run is under way: a held lock, an open run, a statement of an
 * ended run whose end is not journalled, a locked account, a held event, staging schemas, unfinished
 * backup sets. Gives what there is, in words; empty when all is tidy. `known` was so before.
 */
export async function findLeftovers(
  db: Db,
  site: Pick<Site, 'database' | 'backupDir'>,
  known: readonly string[] = [],
): Promise<string[]> {
  const found = [
    ...(await findSchemas(db, site.database)),
    ...(await findLocks(db, site.database)),
    ...(await findOpenRuns(db, site.database)),
    ...(await findFenced(db, site.database)),
  ];
  const sets = await readdir(site.backupDir).catch(() => []);
  found.push(
    ...sets.filter((name) => name.startsWith('.')).map((name) => `unfinished set ${name}`),
  );
  return found.filter((each) => !known.includes(each));
}

async function findSchemas(db: Db, database: string): Promise<string[]> {
  const schemas = await db.query<{ name: string }>(
    `SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE '${database}\\_deploy\\_%'`,
  );
  return schemas.map(({ name }) => `schema ${name}`);
}

async function findLocks(db: Db, database: string): Promise<string[]> {
  const held = await db.one<{ id: number | null }>(
    sql`SELECT IS_USED_LOCK(${lockName(database)}) AS id`,
  );
  return held?.id == null ? [] : [`lock held by connection ${held.id}`];
}

async function findOpenRuns(db: Db, database: string): Promise<string[]> {
  const tables = await db.query<{ name: string }>(
    sql`SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = ${database} AND table_name IN (${join([...DEPLOY_TABLES])})`,
  );
  const has = (name: string) => tables.some((table) => table.name === name);
  if (!has('deploy_run')) return [];
  const open = await db.query<{ run_id: string; state: string }>(
    `SELECT run_id, state FROM \`${database}\`.deploy_run WHERE state <> 'closed'`,
  );
  const found = open.map(({ run_id, state }) => `run ${run_id} is ${state}`);
  if (!has('deploy_journal')) return found;
  // What was put back keeps the statement that it stopped at.
  const begun = await db.query<{ run_id: string; seq: number }>(
    `SELECT j.run_id, j.seq FROM \`${database}\`.deploy_journal j JOIN \`${database}\`.deploy_run r
      ON BINARY r.run_id = BINARY j.run_id WHERE j.state = 'intent' AND r.outcome = 'done'`,
  );
  return [...found, ...begun.map(({ run_id, seq }) => `action ${seq} of ${run_id} has no end`)];
}

async function findFenced(db: Db, database: string): Promise<string[]> {
  const accounts = await db.query<{ name: string }>(
    `SELECT CONCAT(user, '@', host) AS name FROM mysql.global_priv
      WHERE JSON_VALUE(priv, '$.account_locked') = '1' AND user <> 'mariadb.sys'`,
  );
  const events = await db.query<{ name: string }>(
    sql`SELECT event_name AS name FROM information_schema.events
      WHERE event_schema = ${database} AND status = 'SLAVESIDE_DISABLED'`,
  );
  return [
    ...accounts.map(({ name }) => `account ${name} is locked`),
    ...events.map(({ name }) => `event ${name} is held`),
  ];
}
