/** Waiting for the deploy lock: asks for it, looks at who holds it, frees it from a frozen holder. */
import { setTimeout as sleep } from 'node:timers/promises';
import sql from 'sql-template-tag';
import type { Log } from '../config/log.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { isRecorded, type Judgement, judgeHolder } from './lock-judge.ts';
import { lockName, lockNameSql } from './lock-name.ts';
import { type LockFacts, readLock } from './lock-table.ts';
import { killConnections, killStatements, readHolderThreads } from './lock-threads.ts';
import { isConnectionLost, isConnectionRefused, toDeployError } from './server-errors.ts';

/** One contender, over all its connections. */
export type Waiting = {
  readonly database: string;
  readonly leaseMs: number;
  /** performance.now() at which it gives up. */
  readonly deadline: number;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
  /** Set when somebody else held the lock. */
  waited: boolean;
};

/**
 * Opens a connection and gives it back when it holds GET_LOCK. A connection that breaks meanwhile,
 * for example because the server restarts, is opened again.
 *
 * @throws DeployError `LOCK_HELD` after the deadline; the reason of the signal
 */
export async function waitForTurn(open: () => Promise<Db>, waiting: Waiting): Promise<Db> {
  let db = await open();
  for (;;) {
    try {
      await contend(db, waiting);
      return db;
    } catch (error) {
      await db.close();
      const mayRetry = isConnectionLost(error) && performance.now() < waiting.deadline;
      if (!mayRetry) throw asItIs(error, waiting);
      waiting.log.warn('the connection broke while waiting for the deploy lock; connecting again');
      waiting.waited = true;
      db = await reopen(open, waiting);
    }
  }
}

/** Returns when `db` holds GET_LOCK. */
async function contend(db: Db, waiting: Waiting): Promise<void> {
  const memory: Memory = {
    unrecorded: null,
    expired: null,
    logged: null,
    denied: [],
  };
  for (let seconds = 0; ; seconds = 1) {
    waiting.signal?.throwIfAborted();
    let elsewhere: LockFacts | null = null;
    if (await getLock(db, waiting.database, seconds)) {
      elsewhere = await readLeaseElsewhere(db, waiting.database);
      if (elsewhere === null) return;
      await db.run(sql`DO RELEASE_LOCK(${lockNameSql(waiting.database)})`);
      await sleep(1_000);
    }
    waiting.waited = true;
    const seen = elsewhere === null ? await look(db, waiting, memory) : waitFor(elsewhere);
    await act(db, seen, waiting, memory);
    const isOver = performance.now() >= waiting.deadline;
    if (isOver && seen.judgement.act !== 'retry') throw lockHeld(waiting, seen, memory);
  }
}

/** What a waiter remembers between two looks: since when (performance.now()) it has seen the same. */
type Memory = {
  unrecorded: Since | null;
  expired: Since | null;
  logged: { readonly act: string; readonly at: number } | null;
  /** Connections that this account may not kill. */
  denied: readonly number[];
};

type Since = { readonly what: string; readonly since: number };

/** Keeps the time of the first of several equal sights; null ends the series. */
function keepSince(former: Since | null, what: string | null): Since | null {
  if (what === null) return null;
  return former?.what === what ? former : { what, since: performance.now() };
}

function elapsed(since: Since | null): number {
  return since === null ? 0 : performance.now() - since.since;
}

type Seen = {
  readonly facts: LockFacts | null;
  readonly heldBy: number | 'another node' | null;
  readonly judgement: Judgement;
};

/** GET_LOCK gives 1 for the lock, 0 after the time-out, NULL for a failure such as KILL QUERY. */
async function getLock(db: Db, database: string, seconds: number): Promise<boolean> {
  const row = await db.one<{ got: number | null }>(
    sql`SELECT GET_LOCK(${lockNameSql(database)}, ${seconds}) AS got`,
  );
  if (row?.got === null) await sleep(200);
  return Number(row?.got ?? 0) === 1;
}

/**
 * GET_LOCK is local to one node of a Galera cluster: there, the holder may sit on another one, and
 * only its lease tells. On a single server who has GET_LOCK need not wait for a dead holder's.
 */
async function readLeaseElsewhere(db: Db, database: string): Promise<LockFacts | null> {
  const row = await db.one<{ value: string }>(
    `SELECT global_value AS value FROM information_schema.system_variables
     WHERE variable_name = 'WSREP_ON'`,
  );
  if (row === undefined || row.value === 'OFF') return null;
  const facts = await readLock(db, database);
  return facts !== null && facts.owner !== '' && !facts.expired ? facts : null;
}

/** Its connection is another node's: here the number may be a stranger's. */
function waitFor(facts: LockFacts): Seen {
  return { facts, heldBy: 'another node', judgement: { act: 'wait' } };
}

async function look(db: Db, waiting: Waiting, memory: Memory): Promise<Seen> {
  const facts = await readLock(db, waiting.database);
  const heldBy = facts === null ? await readHolderId(db, waiting.database) : facts.heldBy;
  const isUnknown = heldBy !== null && !isRecorded(facts, heldBy);
  memory.unrecorded = keepSince(memory.unrecorded, isUnknown ? String(heldBy) : null);
  const isExpired = facts?.expired === true;
  memory.expired = keepSince(memory.expired, isExpired ? `${heldBy} ${facts.heartbeatAt}` : null);
  const seen = {
    unrecordedForMs: elapsed(memory.unrecorded),
    expiredForMs: elapsed(memory.expired),
    threads: isExpired ? await readHolderThreads(db, facts) : null,
  };
  return { facts, heldBy, judgement: judgeHolder(facts, heldBy, seen, waiting.leaseMs) };
}

async function readHolderId(db: Db, database: string): Promise<number | null> {
  const row = await db.one<{ id: string | null }>(
    sql`SELECT IS_USED_LOCK(${lockNameSql(database)}) AS id`,
  );
  return row?.id == null ? null : Number(row.id);
}

const LOG_EVERY_MS = 5_000;

async function act(db: Db, seen: Seen, waiting: Waiting, memory: Memory): Promise<void> {
  const { judgement } = seen;
  if (judgement.act === 'retry') return;
  const holder = holderOf(seen);
  if (judgement.act === 'take over' && memory.denied.length === 0) {
    waiting.log.warn(
      { holder, connectionIds: judgement.connectionIds },
      `taking the deploy lock over: ${describe(seen)} does not renew its lease`,
    );
    memory.denied = await killConnections(db, judgement.connectionIds);
    return;
  }
  const now = performance.now();
  if (memory.logged?.act === judgement.act && now < memory.logged.at + LOG_EVERY_MS) return;
  memory.logged = { act: judgement.act, at: now };
  const what =
    judgement.act === 'wait for statement'
      ? 'waiting for the statement of a lost connection to end'
      : 'waiting for the deploy lock';
  waiting.log.info({ holder }, `${what}: held by ${describe(seen)}`);
}

function lockHeld(waiting: Waiting, seen: Seen, memory: Memory): DeployError {
  const kill = killStatements(memory.denied.length > 0 ? memory.denied : heldByList(seen)).join(
    ' ',
  );
  const elsewhere = [
    'wait for that run to end, then run the same command again',
    `if it is dead: its lease ends at ${seen.facts?.expiresAt}, and the next run takes over`,
  ];
  const next =
    seen.heldBy === 'another node'
      ? elsewhere
      : memory.denied.length > 0
        ? [`let an administrator end the frozen run: ${kill}`, 'then run the same command again']
        : [
            'wait for that run to end, then run the same command again',
            `if it is dead: deploy unlock, or let an administrator run ${kill}`,
          ];
  return new DeployError(
    'LOCK_HELD',
    `the deploy lock of ${waiting.database} is held by ${describe(seen)}`,
    { where: `lock ${lockName(waiting.database)}`, next, facts: holderOf(seen) },
  );
}

function heldByList({ heldBy }: Seen): number[] {
  return typeof heldBy === 'number' ? [heldBy] : [];
}

function describe({ facts, heldBy }: Seen): string {
  if (heldBy === 'another node' && facts !== null)
    return `run ${facts.owner} on host ${facts.host} (pid ${facts.pid}), on another node of the cluster, since ${facts.acquiredAt}`;
  if (typeof heldBy !== 'number' || !isRecorded(facts, heldBy)) {
    return `connection ${heldBy ?? 'unknown'}, which has not said yet who it is`;
  }
  const { owner, host, pid, acquiredAt } = facts;
  return `run ${owner} on host ${host} (pid ${pid}, connection ${heldBy}) since ${acquiredAt}`;
}

function holderOf({ facts, heldBy }: Seen): Record<string, unknown> {
  if (heldBy === 'another node') return { owner: facts?.owner, host: facts?.host, pid: facts?.pid };
  if (heldBy === null || !isRecorded(facts, heldBy)) return { connectionId: heldBy };
  const { owner, host, pid, acquiredAt, expiresAt, epoch } = facts;
  return { owner, host, pid, connectionId: heldBy, acquiredAt, expiresAt, epoch };
}

async function reopen(open: () => Promise<Db>, waiting: Waiting): Promise<Db> {
  for (;;) {
    waiting.signal?.throwIfAborted();
    try {
      return await open();
    } catch (error) {
      const mayRetry = isConnectionRefused(error) || isConnectionLost(error);
      if (!mayRetry || performance.now() >= waiting.deadline) throw asItIs(error, waiting);
      await sleep(500);
    }
  }
}

/** The reason of an abort is the caller's and passes unchanged. */
function asItIs(error: unknown, waiting: Waiting): unknown {
  if (waiting.signal?.aborted === true && error === waiting.signal.reason) return error;
  return toDeployError(error, `the deploy lock of ${waiting.database} could not be asked for`);
}
