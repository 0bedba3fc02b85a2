import { join } from 'node:path';
import { isDeployError } from '../errors/deploy-error.ts';
import { explainDiskError } from './disk-errors.ts';
import { readSetNames } from './folder.ts';
import type { BackupSet, Manifest } from './manifest.ts';
import { compareSetNames } from './names.ts';
import { openSet } from './verify.ts';

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
 * The sets in `dir`, newest first, damaged ones too. Reads manifests only: `verifySet` reads the
 * rest. An empty list when the folder does not exist.
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
  const sorted = names.sort(compareSetNames).reverse();
  return Promise.all(sorted.map((name) => readListed(name, join(dir, name))));
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
    const sizeBytes = set.manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return { name, dir, manifest: set.manifest, problem: null, sizeBytes };
  } catch (error) {
    if (!isDeployError(error, 'BACKUP_SET_INVALID')) throw error;
    return { name, dir, manifest: null, problem: error.message, sizeBytes: 0 };
  }
}
