/** Whether what a plan changes could be backed up, and put back from that backup. */
import { readRoutineDefiners } from '../backup/read-objects.ts';
import { assertRestorable, readRestorable } from '../backup/restore-check.ts';
import { assertBackupRights } from '../backup/rights.ts';
import type { Db } from '../database/connect.ts';
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
