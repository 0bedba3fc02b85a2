/** Decides what a waiter does about the holder of the lock. Pure. */
import type { LockFacts } from './lock-table.ts';
import type { HolderThreads } from './lock-threads.ts';

/**
 * - `retry`: nobody holds it (any more);
 * - `wait`: the holder lives, or nothing may be done about it yet;
 * - `wait for statement`: the holder's process is gone, and the server still runs its last
 *   statement; what it does is wanted to be known, so it is not killed;
 * - `take over`: the holder does not renew its lease: its connections are to be killed.
 */
export type Judgement =
  | { readonly act: 'retry' | 'wait' | 'wait for statement' }
  | { readonly act: 'take over'; readonly connectionIds: readonly number[] };

/**
 * Judges the holder from the recorded facts (null: no table yet) and the connection that holds
 * GET_LOCK. A connection that holds it and is not the recorded one is about to record itself, which
 * it does before any work; after a lease's time it is taken for frozen. `threads` is needed only
 * when the lease is expired. An expired lease is believed when no heartbeat came for a while
 * longer: a clock of the server that is set forward must not end a healthy run.
 */
export function judgeHolder(
  facts: LockFacts | null,
  heldBy: number | null,
  seen: {
    readonly unrecordedForMs: number;
    /** How long this waiter has seen the lease expired without a heartbeat. */
    readonly expiredForMs: number;
    readonly threads: HolderThreads | null;
  },
  leaseMs: number,
): Judgement {
  if (heldBy === null) return { act: 'retry' };
  if (!isRecorded(facts, heldBy)) {
    if (seen.unrecordedForMs < leaseMs) return { act: 'wait' };
    return { act: 'take over', connectionIds: [heldBy] };
  }
  if (!facts.expired || seen.threads === null) return { act: 'wait' };
  const { working, othersOpen } = seen.threads;
  if (working === 'busy' && !othersOpen) return { act: 'wait for statement' };
  if (seen.expiredForMs < leaseMs * CONFIRMED_AFTER) return { act: 'wait' };
  const others = facts.sameServerLife ? facts.otherConnections : [];
  return { act: 'take over', connectionIds: [heldBy, ...others] };
}

/** Of a lease: longer than from one heartbeat to the next. */
const CONFIRMED_AFTER = 0.3;

/** True when the connection that holds the lock is the one that the table names. */
export function isRecorded(facts: LockFacts | null, heldBy: number): facts is LockFacts {
  return facts !== null && facts.owner !== '' && facts.connectionId === heldBy;
}
