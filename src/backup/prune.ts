import type { Log } from '../config/log.ts';
import type { Hold } from '../database/lock.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { explainDiskError } from './disk-errors.ts';
import { sweepUnfinished } from './folder.ts';
import type { ListedSet } from './list.ts';
import { removeSet } from './remove-set.ts';
import { type Decision, prunable } from './retention.ts';
import { verifySet } from './verify.ts';

export type PruneOptions = {
  /** BACKUP_DIR. */
  readonly dir: string;
  /** The deploy lock: without it another process could be restoring from a set that goes. */
  readonly hold: Pick<Hold, 'assertHeld'>;
  readonly database: string;
  readonly decisions: readonly Decision[];
  /** Set that this process has read in full or made, so that it need not be read again; or null. */
  readonly wholeSet: string | null;
  readonly log: Log;
};

/**
 * Removes the sets that `decideRetention` lets go, oldest first, and gives their names. Before the
 * first goes, the newest set that stays is read in full: a set that only looks whole must not be the
 * reason why another one goes. Restartable: what a death leaves is removed by the next one.
 *
 * DATA LOSS: backup sets.
 *
 * @throws DeployError `BACKUP_SET_INVALID` when the newest set is damaged (nothing is removed),
 *   `LOCK_LOST`, `BACKUP_FAILED` when the file system refuses.
 */
export async function pruneSets(options: PruneOptions): Promise<string[]> {
  const { dir, hold, decisions, log } = options;
  const going = prunable(decisions);
  await sweepUnfinished(dir, log);
  if (going.length === 0) return [];
  const newest = findNewest(options);
  if (newest === null) return [];
  if (newest.name !== options.wholeSet) await verifySet(newest.dir);
  const removed: string[] = [];
  try {
    for (const { name, sizeBytes } of going) {
      await hold.assertHeld();
      await removeSet(dir, name);
      log.info({ set: name, sizeBytes }, `pruned backup ${name}`);
      removed.push(name);
    }
  } catch (error) {
    throw isDeployError(error) ? error : await explainDiskError(error, dir);
  }
  return removed;
}

/** The newest set that stays, or null: then nothing may go, whatever was decided. */
function findNewest({ decisions, database }: PruneOptions): ListedSet | null {
  const stays = decisions.find(
    ({ set, keptBecause }) => set.manifest?.database === database && keptBecause.length > 0,
  );
  return stays?.set ?? null;
}
