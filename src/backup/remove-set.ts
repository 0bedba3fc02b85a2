import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failPoint } from '../errors/fail-point.ts';
import { syncFolder } from './folder.ts';
import { makePrunedName } from './names.ts';

/**
 * Removes a finished set. It loses its name first, in one step that is on the disk before a file
 * goes: a death in between leaves no half set that somebody could take for a whole one, and
 * `sweepUnfinished` removes the rest. Nothing happens when it is gone already.
 *
 * DATA LOSS: a backup set. The caller has decided that others are enough.
 */
export async function removeSet(dir: string, name: string): Promise<void> {
  const pruned = join(dir, makePrunedName(name));
  await rm(pruned, { recursive: true, force: true });
  try {
    await rename(join(dir, name), pruned);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await syncFolder(dir);
  await failPoint('prune.renamed');
  await rm(pruned, { recursive: true, force: true });
}
