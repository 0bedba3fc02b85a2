import { setTimeout as sleep } from 'node:timers/promises';
import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { killConnections } from '../database/lock-threads.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { SchemaModel, SchemaObject } from '../schema/model.ts';
import { withoutOwnSchema } from '../schema/normalise.ts';
import { readSchema } from '../schema/read.ts';
import { type Borrowed, borrowNames, giveBackNames } from './borrowed-names.ts';
import { hashShared } from './contents.ts';
import { compareContents, describeDifferences } from './differences.ts';
import { loaderCount, loadTables } from './load.ts';
import { readSequenceStates, readTableList, schemaAttributes } from './read-tables.ts';
import { type RestoreContext, withWorkers } from './restore-context.ts';

/**
 * Loads the set into the staging schema and compares it there with the manifest. The live schema
 * is as before when this ends. Meanwhile it has placeholder sequences: a table with
 * DEFAULT NEXTVAL(`app`.`s`) can only be made and filled while app.s exists. After the swap that name is
 * the restored sequence.
 *
 * @throws DeployError `RESTORE_FAILED`
 */
export async function stage(context: RestoreContext): Promise<void> {
  const { hold, address, stg, set, onProgress, save, signal } = context;
  await endLeftBehind(hold.db, stg);
  await hold.assertHeld();
  // DATA LOSS: the staging schema only, which holds nothing but a copy of a backup set.
  await hold.db.run(`DROP DATABASE IF EXISTS ${quoteNameText(stg)}`);
  await hold.db.run(`CREATE DATABASE ${quoteNameText(stg)} ${schemaAttributes(set.manifest)}`);
  const borrowed = await borrowNames(context);
  await failPoint('restore.staging');
  const loaders = { schema: stg, count: loaderCount(set) };
  await withWorkers({ hold, address }, loaders, (dbs) =>
    loadTables({ dbs, set, code: 'RESTORE_FAILED', onProgress, signal }),
  );
  await failPoint('restore.staged');
  await compareStaged(context);
  await giveBackNames(context, borrowed);
  await save({ phase: 'staging', set: set.name, placeholders: [] });
  await failPoint('restore.compared-staging');
}

/**
 * Removes what a restore that is given up, or begins anew, left behind: the staging schema, the
 * empty schema for replaced tables, and placeholder sequences.
 */
export async function unstage(
  context: Pick<RestoreContext, 'hold' | 'database' | 'stg' | 'old' | 'log' | 'swapWaitMs'>,
  borrowed: Borrowed,
): Promise<void> {
  const { hold, stg, old } = context;
  await endLeftBehind(hold.db, stg);
  await giveBackNames(context, borrowed);
  await hold.assertHeld();
  // DATA LOSS: a copy of a backup set.
  await hold.db.run(`DROP DATABASE IF EXISTS ${quoteNameText(stg)}`);
  await dropIfEmpty(hold.db, old);
}

async function dropIfEmpty(db: Db, schema: string): Promise<void> {
  const row = await db.one<{ tables: string | number }>(
    sql`SELECT COUNT(*) AS tables FROM information_schema.tables WHERE table_schema = ${schema}`,
  );
  if (Number(row?.tables) === 0) await db.run(`DROP DATABASE IF EXISTS ${quoteNameText(schema)}`);
}

/** A loader of a process that is dead may still run its last statement. It is this account's own. */
async function endLeftBehind(db: Db, stg: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const rows = await db.query<{ id: string }>(
      sql`SELECT id AS id FROM information_schema.processlist
          WHERE db = ${stg} AND id <> CONNECTION_ID()
            AND user = SUBSTRING_INDEX(USER(), '@', 1)`,
    );
    if (rows.length === 0) return;
    if (performance.now() > deadline) {
      throw new DeployError('RESTORE_FAILED', `connections to ${stg} could not be ended`, {
        where: stg,
        next: rows.map(({ id }) => `KILL CONNECTION ${id};`),
      });
    }
    await killConnections(
      db,
      rows.map(({ id }) => Number(id)),
    );
    await sleep(50);
  }
}

async function compareStaged(context: RestoreContext): Promise<void> {
  const { database, stg, set, onProgress } = context;
  const readers = { schema: stg, count: loaderCount(set) };
  const contents = await withWorkers(context, readers, async (dbs) => {
    const db = dbs[0]!;
    const list = await readTableList(db, stg);
    const states = await readSequenceStates(db, stg, list.sequences);
    const fingerprints = fingerprintSchema(asOwn(await readSchema(db, stg), database));
    const outline = { list, states, fingerprints };
    return hashShared(dbs, stg, outline, { onProgress, format: set.manifest.format });
  });
  const expected = {
    ...set.manifest,
    objects: set.manifest.objects.filter(({ key }) => /^(sequence|database):/.test(key)),
  };
  const differences = compareContents(expected, contents);
  if (differences.length === 0) return;
  const what = `the staged tables differ from ${set.name}: ${describeDifferences(differences)}`;
  throw new DeployError('RESTORE_FAILED', what, {
    where: stg,
    facts: { differences: differences.map(({ message }) => message) },
  });
}

/** Defaults of staged tables name the live schema's sequences; to the manifest these are its own. */
function asOwn(model: SchemaModel, database: string): SchemaModel {
  const objects = [...model.objects].map(([key, object]): [typeof key, SchemaObject] => {
    if (object.kind !== 'table') return [key, object];
    const columns = object.columns.map((column) =>
      column.default === null
        ? column
        : { ...column, default: withoutOwnSchema(column.default, database) },
    );
    return [key, { ...object, columns }];
  });
  return { ...model, objects: new Map(objects) };
}
