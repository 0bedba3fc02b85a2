import { join } from 'node:path';
import { isDeployError } from '../errors/deploy-error.ts';
import { explainDiskError } from './disk-errors.ts';
import { readSetNames } from './folder.ts';
import type { BackupSet, Manifest } from './manifest.ts';
import { compareSetNames } from './names.ts';
import { assertWhole, openSet } from './verify.ts';

/** One set folder: usable, or damaged with the reason. */
export type ListedSet = {
  readonly name: string;
  readonly dir: string;
  /** Null when the set cannot be used. */
  readonly manifest: Manifest | null;
  /** Why it cannot be used; null for a good one. */
  readonly problem: string | null;
  /** Of all its files, by the manifest; 0 when it cannot be read. */
  readonly sizeBytes: number;
};

/**
 * The sets in `dir`, newest first by the number that each was given, then damaged ones. Reads the
 * manifests and whether the files are there in full; `verifySet` reads their contents. An empty
 * list when the folder does not exist.
 *
 * @throws DeployError `BACKUP_FAILED` when the folder cannot be read.
 */
export async function listSets(dir: string): Promise<ListedSet[]> {
  let names: string[];
  try {
    names = await readSetNames(dir);
  } catch (error) {
    throw await explainDiskError(error, dir);
  }
  const sets = await Promise.all(names.map((name) => readListed(name, join(dir, name))));
  return sets.sort(newestFirst);
}

/** The number of the next set in `dir`: one more than that of every set which can be read. */
export async function nextSequence(dir: string): Promise<number> {
  const sets = await listSets(dir);
  return 1 + Math.max(0, ...sets.map(({ manifest }) => manifest?.sequence ?? 0));
}

/** A clock may have jumped, so that names lie: they only decide where the numbers are equal. */
function newestFirst(a: ListedSet, b: ListedSet): number {
  const order = (b.manifest?.sequence ?? -1) - (a.manifest?.sequence ?? -1);
  return order || compareSetNames(b.name, a.name);
}

/**
 * The set `name` in `dir`; its files are not read.
 *
 * @throws DeployError `BACKUP_SET_INVALID`
 */
export function findSet(dir: string, name: string): Promise<BackupSet> {
  return openSet(join(dir, name));
}

async function readListed(name: string, dir: string): Promise<ListedSet> {
  try {
    const set = await openSet(dir);
    await assertWhole(set);
    const sizeBytes = set.manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return { name, dir, manifest: set.manifest, problem: null, sizeBytes };
  } catch (error) {
    if (!isDeployError(error, 'BACKUP_SET_INVALID')) throw error;
    return { name, dir, manifest: null, problem: error.message, sizeBytes: 0 };
  }
}
