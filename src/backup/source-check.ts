import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { ServerFacts } from '../database/server.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { readCreate, readTableList } from './read-tables.ts';

/**
 * Refuses a database that holds what no backup set can carry, before anything is locked or read.
 * Each refusal names the tables and says what to do. Reads only.
 *
 * @throws DeployError `BACKUP_FAILED`
 */
export async function assertCanBeBackedUp(
  db: Db,
  database: string,
  { serverVersion }: Pick<ServerFacts, 'serverVersion'>,
): Promise<void> {
  const { tables } = await readTableList(db, database);
  const refuse = (names: readonly string[], what: string, next: string) => {
    if (names.length === 0) return;
    throw new DeployError('BACKUP_FAILED', `${what}: ${names.join(', ')}`, {
      where: database,
      next: [next],
    });
  };
  refuse(
    tables.filter(({ engine }) => isElsewhere(engine)).map(({ name }) => name),
    'tables keep their rows outside of this server, which no backup of it can hold',
    'drop these tables, or move them to another database',
  );
  refuse(
    await readDataDirectories(db, database),
    'tables have a DATA DIRECTORY, which a restore cannot bring back',
    'rebuild these tables without DATA DIRECTORY',
  );
  const versioned = tables.filter(({ systemVersioned }) => systemVersioned);
  const [major = 0, minor = 0] = serverVersion.split('.').map(Number);
  // MariaDB: system_versioning_insert_history, without which the past cannot be written back.
  const canWritePast = major > 10 || (major === 10 && minor >= 11);
  refuse(
    canWritePast ? [] : versioned.map(({ name }) => name),
    `the history of system-versioned tables cannot be restored into MariaDB ${serverVersion}`,
    'update the server to MariaDB 10.11 or later, or drop the system versioning of these tables',
  );
  refuse(
    await readTransactionPrecise(db, database),
    'the history of tables that is kept by transactions, not by times, cannot be restored',
    'rebuild these tables with row start and row end as TIMESTAMP(6)',
  );
}

/** The tables of `schema` that have files of their own outside of the data directory. */
export async function readDataDirectories(db: Db, schema: string): Promise<string[]> {
  const { tables } = await readTableList(db, schema);
  const outside: string[] = [];
  for (const { name } of tables) {
    // In a comment the quote would be doubled.
    if (/ (?:DATA|INDEX) DIRECTORY ?= ?'[^']/.test(await readCreate(db, 'TABLE', name)))
      outside.push(name);
  }
  return outside;
}

/** Engines whose tables are a view on something else. */
function isElsewhere(engine: string): boolean {
  return /^(?:federated|connect|spider|s3|oqgraph|sphinx)$/i.test(engine);
}

async function readTransactionPrecise(db: Db, schema: string): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    sql`SELECT table_name AS name FROM information_schema.columns
        WHERE table_schema = ${schema} AND generation_expression = 'ROW START'
          AND data_type = 'bigint' ORDER BY table_name`,
  );
  return rows.map(({ name }) => name);
}
