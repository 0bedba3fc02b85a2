/** Whether what a plan changes could be backed up, and put back from that backup. */
import type { BackupSet } from '../backup/manifest.ts';
import { readRoutineDefiners } from '../backup/read-objects.ts';
import { assertRestorable, readRestorable, restorableOf } from '../backup/restore-check.ts';
import { assertServerFits } from '../backup/restore-fit.ts';
import { assertBackupRights } from '../backup/rights.ts';
import { type Db, withConnection } from '../database/connect.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import type { Refusal } from './plan.ts';

/**
 * The reasons why this account could not take a whole backup of the database as it is, or could not
 * bring one back: rights, foreign keys of other schemas, what an earlier restore left. The run asks
 * again for its set before it changes anything; asked here, lock, fence and backup are saved (promise
 * P4). Reads only.
 */
export async function refuseUnrestorable(
  { config }: RunContext,
  db: Db,
  { server }: Pick<Facts, 'server'>,
): Promise<Refusal[]> {
  const { name } = config.database;
  const checks = [
    async () => assertBackupRights(server, { definers: await readRoutineDefiners(db, name) }),
    async () => assertRestorable(config.database, name, await readRestorable(db, name)),
  ];
  const refusals: Refusal[] = [];
  for (const check of checks) {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof DeployError)) throw error;
      const { code, message, where, next } = error;
      refusals.push({
        ...{ code, message },
        ...(where === undefined ? {} : { where }),
        ...(next === undefined ? {} : { next }),
      });
    }
  }
  return refusals;
}

/**
 * Before the first change: the set that was just taken of the database can be put back into this
 * server. That it is proven does not say so, as the private server takes longer statements.
 *
 * @throws DeployError `RIGHT_MISSING`, or `RESTORE_FAILED` naming what is in the way
 */
export async function assertCanPutBack(
  { config }: Pick<RunContext, 'config'>,
  set: BackupSet,
  how: 'staged' | 'in place' = 'staged',
): Promise<void> {
  const { name: database } = config.database;
  await assertRestorable(config.database, database, restorableOf(set.manifest), how);
  // A connection of its own: a server's setting holds for those that are opened after it.
  await withConnection(config.database, { database }, (db) => assertServerFits(db, set));
}
