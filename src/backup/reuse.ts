import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { type Db, withConnection } from '../database/connect.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { objectFingerprints, readOutline, withHashes } from './contents.ts';
import { type ContentDifference, compareContents } from './differences.ts';
import { explainHashing } from './failures.ts';
import { listSets } from './list.ts';
import type { BackupSet, Manifest } from './manifest.ts';
import type { OnProgress } from './progress.ts';
import { isOfVersion } from './reason.ts';
import { verifySet } from './verify.ts';

export type ReuseOptions = {
  readonly address: ServerAddress;
  readonly database: string;
  /** BACKUP_DIR. */
  readonly dir: string;
  readonly log: Log;
  readonly onProgress?: OnProgress;
  /** `hold.register`: a take-over of the lock, or the wish to stop, ends this connection. */
  readonly registerConnection?: (connectionId: number) => Promise<void>;
};

/**
 * The newest proven set that equals the database now, structure and values, with its files read
 * and found whole; null when there is none. Reads only, in one snapshot; takes no lock.
 *
 * A retry loop then does not fill the disk with equal sets.
 */
export async function findReusableSet(options: ReuseOptions): Promise<BackupSet | null> {
  const { address, database, dir, log } = options;
  const listed = await listSets(dir);
  // Retention does not count the others, so a run must not rest on one.
  const newest = listed.find(
    ({ manifest }) => manifest?.database === database && isOfVersion(manifest),
  );
  if (newest?.manifest == null) return null;
  const { manifest } = newest;
  const isEqual = await withConnection(address, { database }, async (db) => {
    await options.registerConnection?.(db.id);
    return equals(db, manifest, options);
  });
  if (!isEqual) return null;
  try {
    return await verifySet(newest.dir);
  } catch (error) {
    if (!isDeployError(error, 'BACKUP_SET_INVALID')) throw error;
    log.warn({ set: newest.name, problem: error.message }, `backup ${newest.name} is damaged`);
    return null;
  }
}

/**
 * In what the database differs now from what a set holds, structure and values. Empty means equal. Reads
 * every row, in one snapshot; takes no lock.
 */
export function findChanges(
  manifest: Manifest,
  options: Omit<ReuseOptions, 'dir' | 'log'>,
): Promise<ContentDifference[]> {
  const { address, database, onProgress } = options;
  return withConnection(address, { database }, async (db) => {
    await options.registerConnection?.(db.id);
    await beginSnapshot(db);
    const outline = await readOutline(db, database);
    const { format } = manifest;
    const contents = await withHashes([db], database, outline, { onProgress, format });
    return compareContents(manifest, contents);
  });
}

async function beginSnapshot(db: Db): Promise<void> {
  await db.run('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await db.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
}

async function equals(
  db: Db,
  manifest: Manifest,
  { database, onProgress }: ReuseOptions,
): Promise<boolean> {
  await beginSnapshot(db);
  const outline = await readOutline(db, database);
  // The structure costs milliseconds and mostly decides; hashing reads every row.
  const sketch = {
    tables: outline.list.tables.map(({ name, autoIncrement, engine }) => {
      const { rows = 0, hash = '' } = manifest.tables.find((table) => table.name === name) ?? {};
      const structure = outline.fingerprints.get(`table:${name}`) ?? '';
      return { name, rows, hash, structure, autoIncrement, engine };
    }),
    sequences: [...outline.states],
    objects: objectFingerprints(outline.fingerprints),
  };
  if (compareContents(manifest, sketch).length > 0) return false;
  const { format } = manifest;
  const contents = await withHashes([db], database, outline, { onProgress, format }).catch(
    (error: unknown) => {
      throw explainHashing(error);
    },
  );
  return compareContents(manifest, contents).length === 0;
}
