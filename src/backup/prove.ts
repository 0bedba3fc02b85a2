import type { Log } from '../config/log.ts';
import { connect, type Db, withConnection } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { isConnectionLost, isOutOfSpace } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { compareSchemas } from '../schema/compare.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { SchemaModel } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { growRedoLog, type Scratch, startScratch } from '../scratch/server.ts';
import { type Contents, hashShared } from './contents.ts';
import { type ContentDifference, compareContents, describeDifferences } from './differences.ts';
import { readFreeBytes } from './disk-errors.ts';
import { loaderCount, loadTables, makeObjects, readSections } from './load.ts';
import type { BackupSet, Proof } from './manifest.ts';
import type { OnProgress } from './progress.ts';
import { readSequenceStates, readTableList, schemaAttributes } from './read-tables.ts';
import { makeStandIns } from './stand-ins.ts';

export type ProveOptions = {
  readonly set: Pick<BackupSet, 'name' | 'dir' | 'manifest'>;
  /** The source's structure: makes differences readable. */
  readonly model?: SchemaModel | undefined;
  readonly scratchDir: string;
  /** `ServerFacts.variables` of the source's server. */
  readonly scratchVariables: Readonly<Record<string, string>>;
  /** A running scratch server to use; it must hold no schema of the database's name that is needed. */
  readonly scratch?: Scratch | undefined;
  readonly log: Log;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type Proven = {
  /** The evidence for the manifest. */
  readonly proof: Proof;
  /** Views that were invalid when they were backed up, and could not be made. */
  readonly invalidViews: readonly string[];
};

/**
 * Restores the set into a scratch server, in a schema of the same name, and compares it with the
 * manifest object by object and value by value. Does not touch the real server.
 *
 * @throws DeployError `BACKUP_NOT_PROVEN` naming what differs, `SCRATCH_FAILED`, `SPACE_SHORT`
 */
export async function proveSet(options: ProveOptions): Promise<Proven> {
  const { scratchDir, scratchVariables, log } = options;
  if (options.scratch !== undefined) return proveIn(options.scratch, options);
  const scratch = await startScratch({ dir: scratchDir, variables: scratchVariables, log });
  try {
    return await proveIn(scratch, options);
  } finally {
    await scratch.stop();
  }
}

async function proveIn(scratch: Scratch, options: ProveOptions): Promise<Proven> {
  const { set, signal } = options;
  const { manifest } = set;
  const begun = performance.now();
  const schema = quoteNameText(manifest.database);
  await withConnection(scratch.address, {}, async (db) => {
    // DATA LOSS: in the scratch server only, what an earlier proof left there.
    await db.run(`DROP DATABASE IF EXISTS ${schema}`);
    await db.run(`CREATE DATABASE ${schema} ${schemaAttributes(manifest)}`);
  });
  const { contents, model, invalidViews } = await loadAndRead(scratch, options).catch(
    async (error: unknown) => {
      // A server whose disk is full may also end.
      const mayBeFull = isOutOfSpace(error) || isConnectionLost(error);
      throw mayBeFull ? await explainFullScratch(scratch.dir, error) : error;
    },
  );
  await failPoint('backup.loaded');
  const notMade = new Set(invalidViews.map((name): string => `view:${name}`));
  const differences = compareContents(manifest, contents, (key) => notMade.has(key));
  if (differences.length > 0) throw notProven(set.name, differences, options.model, model);
  signal?.throwIfAborted();
  const proof = {
    at: new Date().toISOString(),
    scratchVersion: scratch.serverVersion,
    tables: contents.tables.length,
    rows: contents.tables.reduce((sum, { rows }) => sum + rows, 0),
    durationMs: Math.round(performance.now() - begun),
  };
  return { proof, invalidViews };
}

/** A MEMORY table can be full while the disk is not: then the first error says more. */
async function explainFullScratch(dir: string, cause: unknown): Promise<unknown> {
  const freeBytes = await readFreeBytes(dir);
  if (freeBytes === null || freeBytes > ROOM_BYTES) return cause;
  const what = `the disk of the scratch folder is full: ${freeBytes} bytes are free`;
  return new DeployError('SPACE_SHORT', what, { where: dir, cause, facts: { dir, freeBytes } });
}

/** The server extends its files by less than this at a time. */
const ROOM_BYTES = 64 * 1024 * 1024;

async function loadAndRead(
  scratch: Scratch,
  { set, onProgress, signal }: ProveOptions,
): Promise<{ contents: Contents; model: SchemaModel; invalidViews: string[] }> {
  const { database } = set.manifest;
  const code = 'BACKUP_NOT_PROVEN';
  const standIns = makeStandIns(database);
  const invalidViews = await withLoaders(scratch, set, signal, async (dbs) => {
    // Nobody waits for it: without it loading is slower, and nothing else.
    if (dbs.length > 1) void growRedoLog(scratch).catch(() => undefined);
    await loadTables({ dbs, set, code, onProgress, signal });
    return makeObjects(dbs[0]!, await readSections(set, 'objects'), code, standIns.make);
  });
  // The loading session's settings must not colour what is read.
  return withLoaders(scratch, set, signal, async (dbs) => {
    const db = dbs[0]!;
    const list = await readTableList(db, database);
    const states = await readSequenceStates(db, database, list.sequences);
    const model = await readSchema(db, database);
    const outline = { list, states, fingerprints: fingerprintSchema(model) };
    const contents = await hashShared(dbs, database, outline, {
      ...{ onProgress, format: set.manifest.format },
    });
    // The server may be asked for more: another proof, a trial of migrations.
    await standIns.drop(db);
    return { contents, model, invalidViews };
  });
}

/** Runs `work` with as many connections as the set is worth; a signal cuts them. */
async function withLoaders<T>(
  scratch: Scratch,
  set: ProveOptions['set'],
  signal: AbortSignal | undefined,
  work: (dbs: readonly Db[]) => Promise<T>,
): Promise<T> {
  const { database } = set.manifest;
  const count = loaderCount(set);
  const dbs: Db[] = [];
  while (dbs.length < count) {
    dbs.push(await connect(scratch.address, { database, sendsRows: true }));
  }
  // Without this a long statement would be waited for.
  const stop = () => {
    for (const db of dbs) db.destroy();
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await work(dbs);
  } finally {
    signal?.removeEventListener('abort', stop);
    await Promise.all(dbs.map((db) => db.close()));
  }
}

function notProven(
  name: string,
  differences: readonly ContentDifference[],
  expected: SchemaModel | undefined,
  actual: SchemaModel,
): DeployError {
  const structure = expected === undefined ? [] : compareSchemas(expected, actual);
  const what = `backup ${name} does not restore to what was backed up: ${describeDifferences(differences)}`;
  return new DeployError('BACKUP_NOT_PROVEN', what, {
    facts: {
      objects: [...new Set(differences.map(({ key }) => key))],
      differences: differences.map(({ message }) => message),
      structure: structure.map(({ message }) => message),
    },
  });
}
