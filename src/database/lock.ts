/**
 * The deploy lock: one run at a time on a database.
 *
 * The lock is GET_LOCK on the *working* connection, the one that runs the statements. It survives
 * every implicit commit, and stays held while the server still runs a statement of a client that
 * died. The table `deploy_lock` says who holds it, and when a holder that is not dead but
 * frozen may be taken over. In order:
 *
 * 1. A contender opens a connection and asks for GET_LOCK, one second at a time. Only the result 1
 *    is the lock. Between the attempts it looks at who holds it (lock-judge.ts), says so in the log,
 *    and kills the connections of a holder whose lease has expired. Two contenders that do so at
 *    once kill the same connections; the server gives the lock to one of them.
 * 2. With GET_LOCK it creates the table if need be, and kills what the recorded holder before it
 *    left open. If it dies here, the server frees the lock and the row still says what to kill.
 * 3. It opens the heartbeat's connection and then claims: one transaction, valid only with the
 *    epoch read before and with GET_LOCK, writes the next epoch and all that a take-over needs.
 *    Nothing is done under the lock before that. A contender frozen before it is recognised
 *    by holding GET_LOCK for a whole lease without being recorded.
 * 4. While it holds: the heartbeat renews the lease as long as epoch and GET_LOCK are its own, and
 *    every write of the run is conditional on `guard`. When the server restarts or the connection
 *    breaks, the lock is gone with it; `signal` aborts.
 * 5. Release: heartbeat ends, an open transaction is rolled back, the row is marked as free,
 *    RELEASE_LOCK, connections closed. If it dies in between, the closing connection frees the lock.
 *
 * A holder that is woken after a take-over finds its connections dead. A heartbeat that opens a new
 * one is refused, because the epoch or the holder of GET_LOCK differs.
 */
import { hostname } from 'node:os';
import sql, { type Sql } from 'sql-template-tag';
import type { Log } from '../config/log.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { endFormerHolder, waitUntilClosed } from './lock-former.ts';
import { type Heartbeat, startHeartbeat } from './lock-heartbeat.ts';
import { releaseLock } from './lock-release.ts';
import { claimLock, ensureLockTable, guardOf, lockName, registerConnection } from './lock-table.ts';
import { type Waiting, waitForTurn } from './lock-wait.ts';
import { isConnectionLost, toDeployError } from './server-errors.ts';

export { breakLock } from './lock-break.ts';
export { type LockFacts, lockName, readLock } from './lock-table.ts';

/** The deploy lock while it is held. */
export type Hold = {
  /** The working connection: it holds the lock. Closed by `release`. */
  readonly db: Db;
  readonly database: string;
  readonly lockName: string;
  /** Rises with every holder; part of everything that the run writes. */
  readonly epoch: number;
  /** The run id. */
  readonly owner: string;
  /**
   * SQL condition for statements on `db`: true if and only if the lock is still held in this epoch,
   * e.g. `` sql`INSERT INTO … SELECT … FROM … WHERE ${hold.guard}` ``.
   */
  readonly guard: Sql;
  /** @throws DeployError `LOCK_LOST` */
  assertHeld(): Promise<void>;
  /**
   * Records a connection that works under this lock, so that a take-over kills it. To be awaited
   * before that connection changes anything.
   *
   * @throws DeployError `LOCK_LOST`
   */
  register(connectionId: number): Promise<void>;
  /** Aborts with a DeployError `LOCK_LOST` or `CONNECTION_LOST` as its reason. */
  readonly signal: AbortSignal;
  /** Gives the lock back and closes its connections. Never rejects; may be called twice. */
  release(): Promise<void>;
};

export type LockOptions = {
  readonly database: string;
  /** How long to wait for another holder. 0: one attempt. */
  readonly waitMs: number;
  readonly runId: string;
  readonly log: Log;
  /** Ends the waiting with its reason. Does not release a lock that is held. */
  readonly signal?: AbortSignal;
  /** Shorter times for tests. */
  readonly timing?: LockTiming;
};

export type LockTiming = { readonly leaseMs: number; readonly heartbeatMs: number };

const TIMING: LockTiming = { leaseMs: 20_000, heartbeatMs: 4_000 };

/**
 * Takes the deploy lock of a database; `waited` says that another run held it, so that what was
 * read before must be read again. `open` gives new connections to the server; they are closed by
 * the lock. Creates the table `deploy_lock` if it is missing.
 *
 * The holder must not block its event loop for long: the heartbeat runs on it.
 *
 * @throws DeployError `LOCK_HELD` after `waitMs`, naming the holder; `RIGHT_MISSING`, `CONNECTION_LOST`, …
 *   of the server; the reason of `signal`
 */
export async function holdLock(
  open: () => Promise<Db>,
  options: LockOptions,
): Promise<{ hold: Hold; waited: boolean }> {
  const timing = options.timing ?? TIMING;
  const waiting: Waiting = {
    database: options.database,
    leaseMs: timing.leaseMs,
    deadline: performance.now() + options.waitMs,
    log: options.log,
    signal: options.signal,
    waited: false,
  };
  const db = await waitForTurn(open, waiting);
  try {
    const hold = await claim(db, open, options, timing);
    return { hold, waited: waiting.waited };
  } catch (error) {
    // The closing connection gives GET_LOCK back.
    await db.close();
    throw toDeployError(error, `the deploy lock of ${options.database} could not be taken`);
  }
}

/** With GET_LOCK on `db`: records the hold and starts its heartbeat. */
async function claim(
  db: Db,
  open: () => Promise<Db>,
  options: LockOptions,
  timing: LockTiming,
): Promise<Hold> {
  const { database, runId: owner, log } = options;
  await ensureLockTable(db, database);
  const former = await endFormerHolder(db, database);
  const heartbeatDb = await open();
  let heartbeat: Heartbeat | undefined;
  try {
    const claimedAt = performance.now();
    const claimed = await claimLock(db, {
      database,
      epochBefore: former.epoch,
      owner,
      host: hostname(),
      pid: process.pid,
      heartbeatId: heartbeatDb.id,
      inherited: former.connectionIds,
      leaseMs: timing.leaseMs,
    });
    if (!claimed) throw new DeployError('LOCK_LOST', 'the deploy lock was lost while it was taken');
    const epoch = former.epoch + 1;
    const lost = new AbortController();
    const lease = { database, epoch, workingId: db.id, leaseMs: timing.leaseMs };
    heartbeat = startHeartbeat({
      lease,
      intervalMs: timing.heartbeatMs,
      db: heartbeatDb,
      claimedAt,
      open,
      onLost: (error) => lost.abort(error),
    });
    db.onLost((cause) => lost.abort(workingConnectionLost(cause)));
    await waitUntilClosed(db, former.connectionIds, { database, log });
    return makeHold({ db, database, epoch, owner, heartbeat, signal: lost.signal, log });
  } catch (error) {
    if (heartbeat === undefined) await heartbeatDb.close();
    else await heartbeat.stop();
    throw error;
  }
}

type HoldParts = Pick<Hold, 'db' | 'database' | 'epoch' | 'owner' | 'signal'> & {
  readonly heartbeat: Heartbeat;
  readonly log: Log;
};

function makeHold({ heartbeat, log, ...parts }: HoldParts): Hold {
  const { db, database, epoch } = parts;
  const guard = guardOf(database, epoch);
  let released: Promise<void> | undefined;
  return {
    ...parts,
    lockName: lockName(database),
    guard,
    async assertHeld() {
      const row = await db
        .one<{ held: number | null }>(sql`SELECT ${guard} AS held`)
        .catch((cause: unknown) => {
          throw toLockLost(cause);
        });
      if (Number(row?.held ?? 0) !== 1) throw toLockLost();
    },
    async register(connectionId) {
      const done = await registerConnection(db, { database, epoch }, connectionId).catch(
        (cause: unknown) => {
          throw toLockLost(cause);
        },
      );
      if (!done) throw toLockLost();
    },
    release() {
      released ??= releaseLock(parts, heartbeat, log);
      return released;
    },
  };
}

/** A lost connection means a lost lock; any other error of the server stays what it is. */
function toLockLost(cause?: unknown): DeployError {
  if (cause !== undefined && !isConnectionLost(cause)) {
    return toDeployError(cause, 'the deploy lock could not be checked');
  }
  return new DeployError(
    'LOCK_LOST',
    'the deploy lock is not held any more',
    cause === undefined ? {} : { cause },
  );
}

function workingConnectionLost(cause: unknown): DeployError {
  return new DeployError('CONNECTION_LOST', 'the connection that holds the deploy lock broke', {
    cause,
  });
}
