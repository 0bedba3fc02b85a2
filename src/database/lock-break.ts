/** Frees the deploy lock by hand: what `deploy unlock` does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { type LockFacts, readLock } from './lock-table.ts';
import { killConnections, killStatements } from './lock-threads.ts';

/**
 * Kills the connections of the holder that `facts` describes and waits until the lock is free. It
 * takes no lock itself. When another run holds the lock by now, nothing is done to that run. The
 * database is left as the killed run left it: the next `up` finishes that run or puts back.
 *
 * DATA LOSS: none by itself; a statement that is cut off is undone by the server.
 *
 * @throws DeployError `LOCK_HELD` when the holder is another account's, or does not end within `limitMs`
 */
export async function breakLock(
  db: Db,
  facts: LockFacts,
  options: { readonly limitMs?: number } = {},
): Promise<void> {
  const limitMs = options.limitMs ?? 60_000;
  const deadline = performance.now() + limitMs;
  const now = await readLock(db, facts.database);
  if (now === null || now.epoch !== facts.epoch || now.heldBy !== facts.heldBy) return;
  const others = now.sameServerLife ? [now.connectionId, ...now.otherConnections] : [];
  const ids = [...(now.heldBy === null ? [] : [now.heldBy]), ...others];
  const denied = await killConnections(db, ids);
  if (denied.length > 0) throw notBroken(facts, denied, 'belong to another account');
  for (;;) {
    const left = await readLock(db, facts.database);
    if (left === null || left.heldBy !== now.heldBy || left.heldBy === null) return;
    if (performance.now() > deadline) {
      throw notBroken(facts, [left.heldBy], `did not end within ${Math.round(limitMs / 1000)} s`);
    }
    await sleep(50);
  }
}

function notBroken(facts: LockFacts, ids: readonly number[], why: string): DeployError {
  return new DeployError(
    'LOCK_HELD',
    `connections of run ${facts.owner || 'unknown'} on ${facts.database} ${why}`,
    {
      next: [`let an administrator run: ${killStatements(ids).join(' ')}`],
      facts: { connectionIds: ids },
    },
  );
}
