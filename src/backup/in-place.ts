import { quoteNameText } from '../database/identifier.ts';
import { untilFree, waitBriefly } from '../database/until-free.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { readNames } from './borrowed-names.ts';
import { readContents } from './contents.ts';
import { compareContents, describeDifferences } from './differences.ts';
import { loaderCount, loadTables } from './load.ts';
import { readEvents, readTriggers } from './read-objects.ts';
import { readSchemaDefaults, readTableList, schemaAttributes } from './read-tables.ts';
import { type RestoreContext, withWorker, withWorkers } from './restore-context.ts';

/**
 * Replaces the tables of the live schema where they are: for an account that may not make a schema
 * for a staging. Nothing is atomic here. The state `replacing` must be saved before, so that after
 * any death the next run begins again; only the backup that was taken before leads back. Needs the
 * lock and a fence. Idempotent.
 *
 * DATA LOSS: all tables, sequences, triggers and events of the database, and views that have the name of a
 * table or sequence of the set.
 *
 * @throws DeployError `PUT_BACK_FAILED`: tables are missing or differ from the set; call it again.
 */
export async function replaceInPlace(context: RestoreContext): Promise<void> {
  const { hold, address, database, set, onProgress } = context;
  await dropAll(context);
  await failPoint('restore.dropped-in-place');
  await hold.assertHeld();
  await hold.db.run(`ALTER DATABASE ${quoteNameText(database)} ${schemaAttributes(set.manifest)}`);
  const loaders = { schema: database, count: loaderCount(set) };
  await withWorkers({ hold, address }, loaders, (dbs) =>
    loadTables({ dbs, set, code: 'PUT_BACK_FAILED', onProgress }),
  );
  await failPoint('restore.loaded-in-place');
  // Only here, while no trigger is there yet, may rows that differ be called a failure.
  const contents = await withWorkers(context, loaders, (dbs) =>
    readContents(dbs, database, { onProgress, format: set.manifest.format }),
  );
  const isRest = (key: string) => !/^(sequence|database):/.test(key);
  const differences = compareContents(set.manifest, contents, isRest);
  if (differences.length === 0) return;
  const what = `the tables differ from ${set.name}: ${describeDifferences(differences)}`;
  throw new DeployError('PUT_BACK_FAILED', what, {
    where: database,
    facts: { differences: differences.map(({ message }) => message) },
  });
}

/** Triggers and events first: they would fire, or stand in the way of the tables. */
async function dropAll(context: RestoreContext): Promise<void> {
  const { hold, database, set, log, swapWaitMs } = context;
  await withWorker(context, database, async (db) => {
    const defaults = (await readSchemaDefaults(db, database))!;
    const events = await readEvents(db, database, defaults);
    const triggers = await readTriggers(db, database, defaults);
    const { tables, sequences } = await readTableList(db, database);
    const names = await readNames(db, database);
    const wanted = [...set.manifest.tables, ...set.manifest.sequences].map(({ name }) => name);
    const inTheWay = wanted.filter((name) => names.get(name) === 'VIEW');
    const drops = [
      ...events.map(({ key }) => `EVENT IF EXISTS ${nameIn(key)}`),
      ...triggers.map(({ key }) => `TRIGGER IF EXISTS ${nameIn(key)}`),
      ...tables.map(({ name }) => `TABLE IF EXISTS ${quoteNameText(name)}`),
      ...inTheWay.map((name) => `VIEW IF EXISTS ${quoteNameText(name)}`),
      ...sequences.map((name) => `SEQUENCE IF EXISTS ${quoteNameText(name)}`),
    ];
    await waitBriefly(db);
    await db.run('SET SESSION foreign_key_checks=0');
    for (const drop of drops) {
      await hold.assertHeld();
      // One table a statement: a DROP of several is not atomic.
      await untilFree({ waitMs: swapWaitMs, log, db, database }, () => db.run(`DROP ${drop}`));
    }
  });
}

/** `trigger:x` → `` `x` ``. */
function nameIn(key: string | null): string {
  return quoteNameText((key ?? '').slice((key ?? '').indexOf(':') + 1));
}
