import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DeployError } from '../errors/deploy-error.ts';
import { type BackupSet, type ManifestFile, readManifest } from './manifest.ts';
import { hashFile } from './packed-file.ts';
import type { OnProgress } from './progress.ts';

/**
 * Reads the set in `dir` in full and checks it against its manifest: name of the folder, every
 * file's size and SHA-256, and that it was proven. Changes nothing; needs no server.
 *
 * @throws DeployError `BACKUP_SET_INVALID`, naming the first file that is wrong and how.
 */
export async function verifySet(
  dir: string,
  onProgress: OnProgress = () => {},
): Promise<BackupSet> {
  const set = await openSet(dir);
  const { files } = set.manifest;
  for (const [index, file] of files.entries()) {
    await verifyFile(join(set.dir, file.name), file);
    onProgress({ phase: 'verify', done: index + 1, of: files.length, what: file.name });
  }
  return set;
}

/**
 * Reads the manifest of the set in `dir` and checks it, but none of the other files.
 *
 * @throws DeployError `BACKUP_SET_INVALID`
 */
export async function openSet(dir: string): Promise<BackupSet> {
  const path = resolve(dir);
  const manifest = await readManifest(path);
  if (manifest.name !== basename(path)) {
    throw new DeployError(
      'BACKUP_SET_INVALID',
      `the set ${manifest.name} lies in a renamed folder`,
      {
        where: path,
        next: [`give the folder its name back: ${manifest.name}`],
      },
    );
  }
  if (manifest.proof === null) {
    throw new DeployError('BACKUP_SET_INVALID', `the set ${manifest.name} was never proven`, {
      where: path,
    });
  }
  return { name: manifest.name, dir: path, manifest };
}

/** @throws DeployError `BACKUP_SET_INVALID` when the set is one of another database. */
export function assertSetOf(set: BackupSet, database: string): void {
  if (set.manifest.database === database) return;
  const what = `the set ${set.name} is of the database ${set.manifest.database}, not of ${database}`;
  throw new DeployError('BACKUP_SET_INVALID', what, { where: set.dir });
}

/**
 * Looks whether every file of the set is there in its full length, which costs no reading.
 *
 * @throws DeployError `BACKUP_SET_INVALID`, as `verifySet`.
 */
export async function assertWhole({ dir, manifest }: BackupSet): Promise<void> {
  for (const file of manifest.files) {
    const path = join(dir, file.name);
    const { size } = await present(path, file, (name) => stat(name));
    assertSize(path, file, size);
  }
}

async function verifyFile(path: string, expected: ManifestFile): Promise<void> {
  const found = await present(path, expected, hashFile);
  assertSize(path, expected, found.sizeBytes);
  if (found.sha256 === expected.sha256) return;
  throw invalid(path, expected, 'is damaged: its SHA-256 is not that of the manifest');
}

async function present<T>(
  path: string,
  expected: ManifestFile,
  read: (path: string) => Promise<T>,
): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    const what = 'is missing or cannot be read: the set is not complete';
    throw invalid(path, expected, what, cause);
  }
}

function assertSize(path: string, expected: ManifestFile, sizeBytes: number): void {
  const sizes = `${sizeBytes} of ${expected.sizeBytes} bytes`;
  if (sizeBytes < expected.sizeBytes) throw invalid(path, expected, `is cut off: ${sizes}`);
  if (sizeBytes > expected.sizeBytes)
    throw invalid(path, expected, `is longer than it was: ${sizes}`);
}

function invalid(path: string, { name }: ManifestFile, what: string, cause?: unknown): DeployError {
  return new DeployError('BACKUP_SET_INVALID', `${name} ${what}`, { where: path, cause });
}
