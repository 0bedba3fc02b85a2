/** Gives the deploy lock back. Whatever goes wrong here, closing the connection frees the lock. */
import sql from 'sql-template-tag';
import type { Log } from '../config/log.ts';
import type { Db } from './connect.ts';
import type { Heartbeat } from './lock-heartbeat.ts';
import { lockNameSql } from './lock-name.ts';
import { markReleased } from './lock-table.ts';
import { within } from './within.ts';

type Held = { readonly db: Db; readonly database: string; readonly epoch: number };

const RELEASE_MS = 5_000;

/**
 * Stops the heartbeat, rolls an open transaction back, marks the row as free and closes both
 * connections. Never rejects: an error here must not hide the one that ended the run.
 */
export async function releaseLock(
  { db, database, epoch }: Held,
  heartbeat: Pick<Heartbeat, 'stop'>,
  log: Log,
): Promise<void> {
  await heartbeat.stop();
  try {
    if (db.lost() === null) await within(RELEASE_MS, giveBack(db, database, epoch));
  } catch (error) {
    // Closing the connection frees the lock as well; the row then still names this run as holder.
    log.warn({ err: error }, 'the deploy lock was not released in an orderly way');
    db.destroy();
  }
  await db.close();
}

async function giveBack(db: Db, database: string, epoch: number): Promise<void> {
  // What a failed step left open must not be committed together with the release.
  await db.run('ROLLBACK');
  await db.run('UNLOCK TABLES');
  await db.run('SET SESSION autocommit=1');
  await markReleased(db, { database, epoch });
  await db.run(sql`DO RELEASE_LOCK(${lockNameSql(database)})`);
}
