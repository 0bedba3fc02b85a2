/** What a holder of the deploy lock left behind that did not release it: ended before work begins. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../config/log.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { readLock } from './lock-table.ts';
import { killConnections, killStatements, stillOpen } from './lock-threads.ts';

export type FormerHolder = {
  readonly epoch: number;
  /** Its connections that were told to end and may not have ended yet. */
  readonly connectionIds: readonly number[];
};

/**
 * Kills what the recorded holder left open: a loader or a dump can outlive its run. Only for who
 * holds GET_LOCK, before it claims: the row then still says what to kill if this run dies here.
 *
 * @throws DeployError `LOCK_HELD` when the connections belong to another account
 */
export async function endFormerHolder(db: Db, database: string): Promise<FormerHolder> {
  const facts = await readLock(db, database);
  if (facts === null) throw new DeployError('LOCK_LOST', 'the table deploy_lock is gone');
  // After a restart of the server these numbers belong to other connections.
  const isOver = facts.owner === '' || !facts.sameServerLife;
  if (isOver) return { epoch: facts.epoch, connectionIds: [] };
  const ids = await stillOpen(db, [facts.connectionId, ...facts.otherConnections]);
  const denied = await killConnections(db, ids);
  if (denied.length > 0) throw leftOpen(database, denied);
  return { epoch: facts.epoch, connectionIds: ids };
}

/**
 * Waits until killed connections are gone: the server first undoes what they were doing.
 *
 * @throws DeployError `LOCK_HELD` when they are still there after a minute
 */
export async function waitUntilClosed(
  db: Db,
  connectionIds: readonly number[],
  options: { readonly database: string; readonly log: Log; readonly limitMs?: number },
): Promise<void> {
  const deadline = performance.now() + (options.limitMs ?? 60_000);
  let pauseMs = 5;
  for (;;) {
    const open = await stillOpen(db, connectionIds);
    if (open.length === 0) return;
    if (performance.now() > deadline) throw leftOpen(options.database, open);
    options.log.debug({ connectionIds: open }, 'waiting for connections of an earlier run to end');
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 2, 1_000);
  }
}

function leftOpen(database: string, ids: readonly number[]): DeployError {
  return new DeployError(
    'LOCK_HELD',
    `connections of an earlier run on ${database} are still open and do not end`,
    {
      next: [
        `let an administrator end them: ${killStatements(ids).join(' ')}`,
        'then run the same command again',
      ],
      facts: { connectionIds: ids },
    },
  );
}
