/** Whether what was looked at without the lock is still so. */
import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { lockNameSql } from '../database/lock-name.ts';
import { readLastRuns, readUnfinishedRun } from '../history/read-runs.ts';
import type { Facts } from './facts.ts';

/**
 * Whether another run is at work, or was since `facts` were read. History and structure are read one
 * after the other: what another run did between the two looks like a mistake of the migrations, and
 * says nothing. Reads only, needs no lock.
 */
export async function othersAtWork(db: Db, database: string, facts: Facts): Promise<boolean> {
  const lock = await db.one<{ id: string | null }>(
    sql`SELECT IS_USED_LOCK(${lockNameSql(database)}) AS id`,
  );
  if (lock?.id != null) return true;
  const [last] = await readLastRuns(db, database, 1);
  const unfinished = await readUnfinishedRun(db, database);
  return last?.runId !== facts.lastRun?.runId || unfinished?.runId !== facts.unfinished?.runId;
}
