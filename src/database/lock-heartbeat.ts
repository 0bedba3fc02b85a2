/**
 * Keeps the lease of the deploy lock alive, on a connection of its own: the working connection
 * can be busy with one statement for hours.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { type Lease, renewLease } from './lock-table.ts';
import { within } from './within.ts';

export type HeartbeatOptions = {
  readonly lease: Lease;
  readonly intervalMs: number;
  /** The first connection. */
  readonly db: Db;
  /** performance.now() of just before the lease was claimed. */
  readonly claimedAt: number;
  readonly open: () => Promise<Db>;
  /** Called at most once: the lock is gone, or it can no longer be known to be held. */
  readonly onLost: (error: DeployError) => void;
};

export type Heartbeat = { stop(): Promise<void> };

/**
 * Renews the lease every `intervalMs`. A broken connection is opened again; `onLost` is called when
 * the epoch changed, when the working connection does not hold the lock any more, or when the
 * lease ran out before it could be renewed.
 */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { leaseMs } = options.lease;
  const stopped = new AbortController();
  let db: Db | null = options.db;
  const beating = beat();

  async function beat(): Promise<void> {
    let renewedAt = options.claimedAt;
    let pauseMs = options.intervalMs;
    while (await pause(pauseMs, stopped.signal)) {
      const begunAt = performance.now();
      // The margin: that the lease ran out must be known here before anybody else may act on it.
      const deadline = renewedAt + leaseMs * 0.9;
      const outcome = await renew(deadline);
      if (stopped.signal.aborted) return db?.destroy();
      if (outcome.kind === 'refused') {
        return options.onLost(lockLost('another run took the deploy lock over, or it was freed'));
      }
      if (outcome.kind === 'renewed') {
        renewedAt = begunAt;
        pauseMs = options.intervalMs;
        continue;
      }
      if (performance.now() > deadline) {
        return options.onLost(
          lockLost('the lease of the deploy lock was not renewed in time', outcome.cause),
        );
      }
      pauseMs = Math.min(options.intervalMs, 250);
    }
  }

  /**
   * One attempt on the open connection, and if that fails, one on a new one. Also after the
   * deadline, shortly: a process that was frozen and not taken over may go on.
   */
  async function renew(deadline: number): Promise<Outcome> {
    const limitMs = () =>
      Math.max(leaseMs / 40, Math.min(leaseMs / 4, deadline - performance.now()));
    let cause: unknown;
    for (const _attempt of ['open', 'new']) {
      try {
        db ??= await within(limitMs(), options.open(), (late) => late.destroy());
        const renewed = await within(limitMs(), renewLease(db, options.lease));
        return { kind: renewed ? 'renewed' : 'refused' };
      } catch (error) {
        cause = error;
        db?.destroy();
        db = null;
      }
    }
    return { kind: 'failed', cause };
  }

  return {
    async stop() {
      stopped.abort();
      // A renewal that hangs is left behind; it cuts its connection when it ends.
      await within(STOP_MS, beating).catch(() => db?.destroy());
      await db?.close();
    },
  };
}

const STOP_MS = 1_000;

type Outcome =
  | { readonly kind: 'renewed' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly cause: unknown };

function lockLost(message: string, cause?: unknown): DeployError {
  return new DeployError('LOCK_LOST', message, cause === undefined ? {} : { cause });
}

/** False when the signal came first. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
