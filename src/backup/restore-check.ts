import sql, { join } from 'sql-template-tag';
import type { ServerAddress } from '../config/config.ts';
import { type Db, withConnection } from '../database/connect.ts';
import { readServer } from '../database/server.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { Manifest } from './manifest.ts';
import { readDefiners } from './read-objects.ts';
import { readTableList } from './read-tables.ts';
import { restoreSchemas } from './restore-context.ts';
import { assertRestoreRights } from './rights.ts';
import { readDataDirectories } from './source-check.ts';

/** What decides whether the account may restore a set. */
export type Restorable = {
  /** Accounts and roles that its objects run as. */
  readonly definers: readonly string[];
  /** Whether it has triggers or routines. */
  readonly hasCode: boolean;
};

/** That of a set that exists. Pure. */
export function restorableOf({
  definers,
  objects,
}: Pick<Manifest, 'definers' | 'objects'>): Restorable {
  return {
    definers,
    hasCode: objects.some(({ key }) => /^(trigger|function|procedure):/.test(key)),
  };
}

/** That of a set which would be taken of `database` now. Reads only; needs no lock. */
export async function readRestorable(db: Db, database: string): Promise<Restorable> {
  const row = await db.one<{ triggers: number; routines: number }>(
    sql`SELECT EXISTS (SELECT 1 FROM information_schema.triggers WHERE trigger_schema = ${database}) AS triggers,
        EXISTS (SELECT 1 FROM information_schema.routines WHERE routine_schema = ${database}) AS routines`,
  );
  const hasCode = Number(row?.triggers) + Number(row?.routines) > 0;
  return { definers: await readDefiners(db, database), hasCode };
}

/**
 * Everything that can be known to make a restore of this database impossible, found before
 * anything is written. To be asked before a run changes anything, too: a run that cannot be put back
 * must not start. Reads only; needs no lock.
 *
 * @throws DeployError `RIGHT_MISSING`, or `RESTORE_FAILED` naming what cannot be swapped
 */
export async function assertRestorable(
  address: ServerAddress,
  database: string,
  set: Restorable,
  how: 'staged' | 'in place' = 'staged',
): Promise<void> {
  await withConnection(address, { database }, async (db) => {
    const facts = await readServer(db, database);
    assertRestoreRights(facts, { ...set, how });
    await refuseForeignKeysFromOutside(db, database);
    if (how === 'in place') return;
    await refuseLeftover(db, database);
    await refuseDataDirectories(db, database);
  });
}

/**
 * The schema of replaced tables holds tables although no restore is unfinished: nobody knows whether
 * they are needed, so they are not dropped.
 */
async function refuseLeftover(db: Db, database: string): Promise<void> {
  const { old } = restoreSchemas(database);
  const { tables, sequences } = await readTableList(db, old);
  if (tables.length + sequences.length === 0) return;
  const what = `the schema ${old} holds tables of an earlier restore that was not ended`;
  throw new DeployError('RESTORE_FAILED', what, {
    where: old,
    next: [`look whether anything in it is needed, then: DROP DATABASE \`${old}\``],
  });
}

/** Foreign keys of other schemas follow the table out of the database (experiments §1). */
async function refuseForeignKeysFromOutside(db: Db, database: string): Promise<void> {
  const { stg, old } = restoreSchemas(database);
  const rows = await db.query<{ schema: string; name: string }>(
    sql`SELECT DISTINCT constraint_schema AS \`schema\`, table_name AS name
        FROM information_schema.referential_constraints
        WHERE unique_constraint_schema = ${database}
          AND constraint_schema NOT IN (${join([database, stg, old])})`,
  );
  if (rows.length === 0) return;
  const tables = rows.map(({ schema, name }) => `${schema}.${name}`).join(', ');
  const what = `tables of other databases refer to tables of ${database}: ${tables}`;
  throw new DeployError('RESTORE_FAILED', what, {
    where: tables,
    next: ['drop these foreign keys: they would follow the replaced tables'],
  });
}

/** A file outside the data directory stays behind under the old schema's name (experiments §1). */
async function refuseDataDirectories(db: Db, database: string): Promise<void> {
  const outside = await readDataDirectories(db, database);
  if (outside.length === 0) return;
  const what = `tables have a DATA DIRECTORY and cannot be swapped: ${outside.join(', ')}`;
  throw new DeployError('RESTORE_FAILED', what, {
    where: database,
    next: ['rebuild these tables without DATA DIRECTORY'],
  });
}
