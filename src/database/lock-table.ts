/**
 * The table `deploy_lock`: who holds the deploy lock, and what a take-over must know.
 *
 * It has two rows. Row 1 names the holder; the guard of every journal write reads it, and may
 * lock it until a long transaction ends. Row 2 is the lease, which the heartbeat renews every few
 * seconds: it is a row of its own so that the heartbeat never waits for that transaction. All
 * times are the server's, in UTC. The lock itself is GET_LOCK; the rows alone lock nothing.
 */
import sql, { type Sql } from 'sql-template-tag';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { qualified } from './identifier.ts';
import { lockName, lockNameSql } from './lock-name.ts';
import { isMissingTable, isUnknownColumn } from './server-errors.ts';

export { lockName };

/** What is recorded of the lock's holder, and whether the server says that it is held. */
export type LockFacts = {
  readonly database: string;
  /** Run id of the holder; empty when the last holder released it. */
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  /** The working connection of the recorded holder. */
  readonly connectionId: number;
  /** Its other connections: heartbeat, loaders, dumps. */
  readonly otherConnections: readonly number[];
  readonly epoch: number;
  /** ISO 8601, UTC. */
  readonly acquiredAt: string | null;
  readonly heartbeatAt: string | null;
  readonly expiresAt: string | null;
  /** The recorded holder did not renew its lease in time. */
  readonly expired: boolean;
  /** Somebody holds GET_LOCK: `heldBy`, normally `connectionId`. */
  readonly held: boolean;
  readonly heldBy: number | null;
  /** The server has not restarted since the last heartbeat: its connection numbers still mean the same. */
  readonly sameServerLife: boolean;
};

/** Reads the lock without taking it or anything else. Null when the table is not there. */
export async function readLock(db: Db, database: string): Promise<LockFacts | null> {
  const row = await readRow(db, database);
  if (row === undefined) return null;
  const list = `${row.connections},${row.heartbeat_id ?? ''}`
    .split(',')
    .filter(Boolean)
    .map(Number);
  const heldBy = row.held_by === null ? null : Number(row.held_by);
  return {
    database,
    owner: row.owner,
    host: row.host,
    pid: Number(row.pid),
    connectionId: Number(row.connection_id),
    otherConnections: [...new Set(list)].filter((id) => id > 0),
    epoch: Number(row.epoch),
    acquiredAt: isoTime(row.acquired_at),
    heartbeatAt: isoTime(row.heartbeat_at),
    expiresAt: isoTime(row.expires_at),
    expired: row.owner !== '' && Number(row.expired ?? 1) === 1,
    held: heldBy !== null,
    heldBy,
    sameServerLife: Number(row.same_life ?? 0) === 1,
  };
}

/** Creates the table and its rows where they are missing. Only for who holds GET_LOCK. */
export async function ensureLockTable(db: Db, database: string): Promise<void> {
  const row = await readRow(db, database);
  // Without its second row the lease could never be renewed.
  if (row !== undefined && row.heartbeat_id !== null) return;
  const table = qualified(database, 'deploy_lock');
  await db.run(sql`CREATE TABLE IF NOT EXISTS ${table} (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY COMMENT '1 the holder, 2 its lease',
    epoch BIGINT UNSIGNED NOT NULL COMMENT 'rises with every holder',
    owner VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'run id, empty when free',
    host VARCHAR(255) NOT NULL DEFAULT '',
    pid BIGINT UNSIGNED NOT NULL DEFAULT 0,
    connection_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
    connections TEXT NOT NULL COMMENT 'others that a take-over must kill',
    acquired_at DATETIME(3) NULL,
    heartbeat_at DATETIME(3) NULL,
    expires_at DATETIME(3) NULL
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT='deploy: one run at a time'`);
  await db.run(
    sql`INSERT IGNORE INTO ${table} (id, epoch, connections) VALUES (1, 0, ''), (2, 0, '')`,
  );
}

/** True if and only if this connection still holds the lock in this epoch; NULL counts as no. */
export function guardOf(database: string, epoch: number): Sql {
  const table = qualified(database, 'deploy_lock');
  return sql`(IS_USED_LOCK(${lockNameSql(database)}) = CONNECTION_ID()
    AND (SELECT held.epoch FROM ${table} held WHERE held.id = 1) = ${epoch})`;
}

export type Claim = {
  readonly database: string;
  readonly epochBefore: number;
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  readonly heartbeatId: number;
  /** Connections of the holder before that may still be ending. */
  readonly inherited: readonly number[];
  readonly leaseMs: number;
};

/**
 * Names this connection as the holder of the next epoch, in one transaction. False when it does
 * not hold GET_LOCK any more, or when the row changed in between: then nothing was written.
 */
export async function claimLock(db: Db, claim: Claim): Promise<boolean> {
  const { database, epochBefore, leaseMs } = claim;
  const table = qualified(database, 'deploy_lock');
  await db.run('START TRANSACTION');
  const named = await db.run(sql`UPDATE ${table} SET epoch = ${epochBefore + 1},
      owner = ${claim.owner}, host = ${claim.host}, pid = ${claim.pid},
      connection_id = CONNECTION_ID(), connections = ${claim.inherited.join(',')},
      acquired_at = UTC_TIMESTAMP(3)
    WHERE id = 1 AND epoch = ${epochBefore}
      AND IS_USED_LOCK(${lockNameSql(database)}) = CONNECTION_ID()`);
  const leased = await db.run(sql`UPDATE ${table} SET epoch = ${epochBefore + 1},
      connection_id = ${claim.heartbeatId}, ${leaseUntil(leaseMs)} WHERE id = 2`);
  const claimed = named.affectedRows === 1 && leased.affectedRows === 1;
  await db.run(claimed ? 'COMMIT' : 'ROLLBACK');
  return claimed;
}

export type Lease = {
  readonly database: string;
  readonly epoch: number;
  readonly workingId: number;
  readonly leaseMs: number;
};

/**
 * Renews the lease from the heartbeat's connection and registers that connection. False when the
 * epoch changed or the working connection does not hold GET_LOCK any more.
 */
export async function renewLease(db: Db, lease: Lease): Promise<boolean> {
  const { affectedRows } = await db.run(sql`UPDATE ${qualified(lease.database, 'deploy_lock')}
    SET connection_id = CONNECTION_ID(), ${leaseUntil(lease.leaseMs)}
    WHERE id = 2 AND epoch = ${lease.epoch}
      AND IS_USED_LOCK(${lockNameSql(lease.database)}) = ${lease.workingId}`);
  return affectedRows === 1;
}

/** Adds a connection to those that a take-over kills. False when the lock is lost. */
export async function registerConnection(
  db: Db,
  hold: { readonly database: string; readonly epoch: number },
  connectionId: number,
): Promise<boolean> {
  const { affectedRows } = await db.run(sql`UPDATE ${qualified(hold.database, 'deploy_lock')}
    SET connections = CONCAT_WS(',', NULLIF(connections, ''), ${connectionId})
    WHERE id = 1 AND epoch = ${hold.epoch}
      AND IS_USED_LOCK(${lockNameSql(hold.database)}) = CONNECTION_ID()`);
  return affectedRows === 1;
}

/** Marks the lock as released, if it is still this connection's. */
export async function markReleased(
  db: Db,
  hold: { readonly database: string; readonly epoch: number },
): Promise<void> {
  await db.run(sql`UPDATE ${qualified(hold.database, 'deploy_lock')}
    SET owner = '', connections = '', expires_at = UTC_TIMESTAMP(3)
    WHERE epoch = ${hold.epoch} AND IS_USED_LOCK(${lockNameSql(hold.database)}) = CONNECTION_ID()`);
}

function leaseUntil(leaseMs: number): Sql {
  return sql`heartbeat_at = UTC_TIMESTAMP(3),
    expires_at = UTC_TIMESTAMP(3) + INTERVAL ${leaseMs * 1000} MICROSECOND`;
}

type LockRow = {
  epoch: string;
  owner: string;
  host: string;
  pid: string;
  connection_id: string;
  connections: string;
  heartbeat_id: string | null;
  acquired_at: string | null;
  heartbeat_at: string | null;
  expires_at: string | null;
  expired: number | null;
  held_by: string | null;
  same_life: number | null;
};

async function readRow(db: Db, database: string): Promise<LockRow | undefined> {
  const table = qualified(database, 'deploy_lock');
  try {
    // Connection numbers start again from 1 when the server restarts. It did not if the last
    // heartbeat is later than the second in which the server started (UPTIME has whole seconds).
    return await db.one<LockRow>(sql`
      SELECT held.epoch, held.owner, held.host, held.pid, held.connection_id, held.connections,
        lease.connection_id AS heartbeat_id, held.acquired_at, lease.heartbeat_at,
        lease.expires_at, lease.expires_at <= UTC_TIMESTAMP(3) AS expired,
        IS_USED_LOCK(${lockNameSql(database)}) AS held_by,
        lease.heartbeat_at >= UTC_TIMESTAMP() + INTERVAL 1 - (
          SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status
          WHERE variable_name = 'UPTIME') SECOND AS same_life
      FROM ${table} held LEFT JOIN ${table} lease ON lease.id = 2 AND lease.epoch = held.epoch
      WHERE held.id = 1`);
  } catch (error) {
    if (isMissingTable(error)) return undefined;
    if (!isUnknownColumn(error)) throw error;
    throw new DeployError(
      'HISTORY_UNREADABLE',
      'the table deploy_lock has other columns than expected',
      {
        where: `${database}.deploy_lock`,
        next: ['drop the table deploy_lock while no run is active: it is made again'],
        cause: error,
      },
    );
  }
}

function isoTime(text: string | null): string | null {
  return text === null ? null : `${text.replace(' ', 'T')}Z`;
}
