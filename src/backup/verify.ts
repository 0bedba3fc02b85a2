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

async function verifyFile(path: string, expected: ManifestFile): Promise<void> {
  const invalid = (message: string, cause?: unknown) =>
    new DeployError('BACKUP_SET_INVALID', `${expected.name} ${message}`, { where: path, cause });
  let found: { sha256: string; sizeBytes: number };
  try {
    found = await hashFile(path);
  } catch (cause) {
    throw invalid('is missing or cannot be read: the set is not complete', cause);
  }
  const sizes = `${found.sizeBytes} of ${expected.sizeBytes} bytes`;
  if (found.sizeBytes < expected.sizeBytes) throw invalid(`is cut off: ${sizes}`);
  if (found.sizeBytes > expected.sizeBytes) throw invalid(`is longer than it was: ${sizes}`);
  if (found.sha256 !== expected.sha256) {
    throw invalid('is damaged: its SHA-256 is not that of the manifest');
  }
}
