import { DeployError } from '../errors/deploy-error.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { type Contents, objectFingerprints, readContents } from './contents.ts';
import { type ContentDifference, compareContents, describeDifferences } from './differences.ts';
import { loaderCount } from './load.ts';
import { type RestoreContext, withWorker, withWorkers } from './restore-context.ts';

/**
 * Compares the live schema with the set, all but the events. The rows were compared in the
 * staging schema and moved by one atomic statement, so rows that differ now were written by
 * somebody since: that is said, and is no failure of the restore.
 *
 * @throws DeployError `PUT_BACK_FAILED`
 */
export async function compareLive(context: RestoreContext): Promise<void> {
  const { database, set, log, onProgress } = context;
  const readers = { schema: database, count: loaderCount(set) };
  const contents = await withWorkers(context, readers, (dbs) =>
    readContents(dbs, database, { onProgress, format: set.manifest.format }),
  );
  const invalid = new Set(set.manifest.invalidViews.map((name): ObjectKey => `view:${name}`));
  const isIgnored = (key: ObjectKey) => key.startsWith('event:') || invalid.has(key);
  const differences = compareContents(set.manifest, contents, isIgnored);
  const written = differences.filter(({ kind }) => kind === 'rows');
  const others = differences.filter(({ kind }) => kind !== 'rows');
  if (others.length > 0) throw notRestored(set.name, database, others);
  if (written.length === 0) return;
  log.warn(
    { tables: written.map(({ key }) => key) },
    `somebody writes to ${database} since the restored tables are in place: ${describeDifferences(written)}`,
  );
}

/**
 * Compares the live schema's events with the set. Those of `missed` are enabled in it and were left
 * disabled by `putEvents`: all else of them is compared.
 *
 * @throws DeployError `PUT_BACK_FAILED`
 */
export async function compareEvents(
  context: RestoreContext,
  missed: readonly string[],
): Promise<void> {
  const { database, set } = context;
  await withWorker(context, database, async (db) => {
    const model = await readSchema(db, database);
    const objects = new Map(model.objects);
    for (const name of missed) {
      const event = objects.get(`event:${name}`);
      if (event?.kind !== 'event') continue;
      const attributes = { ...event.attributes, status: 'ENABLED' };
      objects.set(`event:${name}`, { ...event, attributes });
    }
    const fingerprints = fingerprintSchema({ ...model, objects });
    const eventsOf = (objects: Contents['objects']) => ({
      ...{ tables: [], sequences: [] },
      objects: objects.filter(({ key }) => key.startsWith('event:')),
    });
    const differences = compareContents(
      eventsOf(set.manifest.objects),
      eventsOf(objectFingerprints(fingerprints)),
    );
    if (differences.length > 0) throw notRestored(set.name, database, differences);
  });
}

function notRestored(
  name: string,
  database: string,
  differences: readonly ContentDifference[],
): DeployError {
  const what = `${database} differs from ${name} after the swap: ${describeDifferences(differences)}`;
  return new DeployError('PUT_BACK_FAILED', what, {
    where: database,
    facts: { differences: differences.map(({ message }) => message) },
  });
}
