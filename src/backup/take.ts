import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { connect } from '../database/connect.ts';
import { readServer, type ServerFacts } from '../database/server.ts';
import { toDeployError } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import type { Scratch } from '../scratch/server.ts';
import { explainDiskError } from './disk-errors.ts';
import { explainHashing, isServerError, stopReason, throwIfAborted } from './failures.ts';
import {
  beginFolder,
  findFreeName,
  type IsOver,
  publishFolder,
  removeUnfinished,
  sweepUnfinished,
  writeSynced,
} from './folder.ts';
import { listSets, nextSequence } from './list.ts';
import {
  type BackupSet,
  encodeManifest,
  MANIFEST_FILE,
  MANIFEST_FORMAT,
  type Manifest,
} from './manifest.ts';
import type { OnProgress } from './progress.ts';
import { proveSet } from './prove.ts';
import { readRoutineDefiners } from './read-objects.ts';
import { assertBackupRights } from './rights.ts';
import { openSource, type Source } from './source.ts';
import { assertCanBeBackedUp } from './source-check.ts';
import { assertSpaces, neededBytes } from './space.ts';
import type { RowFormat } from './write-rows.ts';
import { type Written, writeSetFiles } from './write-set.ts';

export type TakeOptions = {
  readonly address: ServerAddress;
  readonly database: string;
  /** BACKUP_DIR. */
  readonly dir: string;
  readonly scratchDir: string;
  /** `ServerFacts.variables` of the server: the scratch server shares them. */
  readonly scratchVariables: Readonly<Record<string, string>>;
  /** A running scratch server to prove in, instead of a new one. See `proveSet`. */
  readonly scratch?: Scratch;
  readonly schemaVersion: string | null;
  readonly migrationNumber: number | null;
  readonly runId: string | null;
  /** For sweeping: see `sweepUnfinished`. Default: no run is known to be over. */
  readonly isOver?: IsOver;
  /** Why it is taken, e.g. `update`. Written to the manifest. */
  readonly reason: string;
  readonly log: Log;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** `hold.register`: a take-over of the lock must end these connections. */
  readonly registerConnection?: (connectionId: number) => Promise<void>;
  /** How rows are written. Default: SQL. */
  readonly format?: RowFormat;
  /** From which size on tables are cut and processes work beside one another. Default: see dump-plan.ts. */
  readonly leastPartBytes?: number;
  /** Events that the run keeps from firing: the set has them as they were before. */
  readonly heldEvents?: readonly string[];
};

/**
 * Takes a backup set of the database and proves it: what it restores to, in a scratch server, is
 * equal to the database at one point in time. Writers wait for some ten milliseconds. Changes
 * nothing in the database. A set has its final name only when it is complete, proven and on the disk.
 *
 * Also removes unfinished sets that dead runs left in `dir`.
 *
 * @throws DeployError `BACKUP_FAILED`, `BACKUP_NOT_PROVEN`, `SPACE_SHORT`, `SCRATCH_FAILED`, `RIGHT_MISSING`,
 *   `INTERRUPTED`, or that of a lost connection; nothing of the set is left then.
 */
export async function takeBackup(options: TakeOptions): Promise<BackupSet> {
  const { dir, log, signal } = options;
  const createdAt = new Date();
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await sweepUnfinished(dir, log, options.isOver);
    const unfinished = await beginFolder(dir, createdAt, options.runId);
    try {
      const facts = await checkFirst(options);
      return await takeInto(options, unfinished, facts, createdAt);
    } catch (error) {
      await removeUnfinished(unfinished);
      throw error;
    }
  } catch (error) {
    if (signal?.aborted === true) throw stopReason(signal);
    throw await explain(error, dir);
  }
}

/** What can be known to fail is found before anything is read. */
async function checkFirst(options: TakeOptions): Promise<ServerFacts> {
  const { address, database, dir, scratch, scratchDir } = options;
  const db = await connect(address, { database });
  try {
    const facts = await readServer(db, database);
    assertBackupRights(facts, { definers: await readRoutineDefiners(db, database) });
    const last = (await listSets(dir)).find(({ manifest }) => manifest?.database === database);
    await assertCanBeBackedUp(db, database, facts);
    const needBytes = neededBytes(facts.sizeBytes, last?.sizeBytes ?? null);
    await assertSpaces([
      { who: 'the backup', dir, needBytes },
      // Rows and keys lie in the scratch server as they do in this one.
      { who: 'its proof', dir: scratch?.dir ?? scratchDir, needBytes: facts.sizeBytes },
    ]);
    return facts;
  } finally {
    await db.close();
  }
}

async function takeInto(
  options: TakeOptions,
  unfinished: { readonly name: string; readonly dir: string },
  facts: ServerFacts,
  createdAt: Date,
): Promise<BackupSet> {
  const { dir, log, signal } = options;
  await failPoint('backup.begin');
  const source = await openSource(options);
  let written: Written;
  try {
    written = await writeSetFiles(unfinished.dir, source, options);
    await source.close();
  } catch (error) {
    source.destroy();
    throw error;
  }
  throwIfAborted(signal);
  const unproven = makeManifest(options, {
    source,
    written,
    facts,
    createdAt,
    name: unfinished.name,
  });
  const { scratchDir, scratchVariables, scratch, onProgress } = options;
  const { proof, invalidViews } = await proveSet({
    ...{ set: { ...unfinished, manifest: unproven }, model: source.model },
    ...{ scratchDir, scratchVariables, scratch, log, onProgress, signal },
  });
  await failPoint('backup.proved');
  for (;;) {
    throwIfAborted(signal);
    const name = await findFreeName(dir, createdAt);
    const manifest = {
      ...unproven,
      name,
      proof,
      invalidViews: [...invalidViews],
      sequence: await nextSequence(dir),
    };
    await writeSynced(join(unfinished.dir, MANIFEST_FILE), encodeManifest(manifest));
    await failPoint('backup.written');
    // Another process may have taken the name meanwhile: the manifest must say the same as the folder.
    if (await publishFolder(dir, unfinished.dir, name))
      return { name, dir: join(dir, name), manifest };
  }
}

function makeManifest(
  options: TakeOptions,
  taken: {
    readonly source: Source;
    readonly written: Written;
    readonly facts: ServerFacts;
    readonly createdAt: Date;
    readonly name: string;
  },
): Manifest {
  const { source, written, facts } = taken;
  return {
    format: MANIFEST_FORMAT,
    name: taken.name,
    database: options.database,
    createdAt: taken.createdAt.toISOString(),
    // Given when the set gets its name.
    sequence: 0,
    schemaVersion: options.schemaVersion,
    migrationNumber: options.migrationNumber,
    server: { version: facts.versionText, variables: { ...options.scratchVariables } },
    tool: written.tool,
    ...source.defaults,
    definers: [...source.definers],
    files: [...written.files],
    ...written.contents,
    tables: written.contents.tables.map((table) => {
      const writer = source.tables.find(({ name }) => name === table.name)!.writer;
      return { ...table, writer };
    }),
    longestStatementBytes: written.longestStatementBytes,
    invalidViews: [],
    structure: written.structure,
    proof: null,
    runId: options.runId,
    reason: options.reason,
  };
}

async function explain(error: unknown, dir: string): Promise<unknown> {
  const explained = await explainDiskError(explainHashing(error), dir);
  if (explained instanceof DeployError || !isServerError(explained)) return explained;
  return toDeployError(explained, 'the backup could not be taken');
}
