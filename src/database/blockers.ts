/** Who keeps a table from being changed. What their statements do with rows is not said. */
import sql from 'sql-template-tag';
import type { Db } from './connect.ts';
import { isMissingRight, isUnknownTable } from './server-errors.ts';

/** A session that holds locks in the database, or may. */
export type Blocker = {
  readonly connectionId: number;
  readonly user: string;
  /** Without the port. */
  readonly host: string;
  /** How long its transaction is open; without one, how long it is in its present state. */
  readonly ageSeconds: number;
  /** First word of what it runs, e.g. `UPDATE`; null when it is idle. */
  readonly statement: string | null;
  readonly inTransaction: boolean;
};

/**
 * The sessions that may hold a table of `database`, the oldest first. MariaDB lists metadata locks
 * only with the plugin metadata_lock_info, which is mostly not there: then those count that
 * have a transaction open, and if there is none, all that use the database. Reads only.
 *
 * @returns `unknown` when the account may not see the sessions of others (no PROCESS right)
 */
export async function findBlockers(db: Db, database: string): Promise<Blocker[] | 'unknown'> {
  const holders = await readLockHolders(db, database);
  const sessions = await readSessions(db, database);
  if (sessions === 'unknown') return sessions;
  const held = sessions.filter(({ connectionId }) => holders?.includes(connectionId));
  if (held.length > 0) return held;
  const transactions = sessions.filter(({ inTransaction }) => inTransaction);
  return transactions.length > 0 ? transactions : sessions;
}

/** `app from 10.0.0.5 (connection 12, idle in a transaction for 340 s)` for each; or that nobody knows. */
export function describeBlockers(blockers: Blocker[] | 'unknown'): string {
  if (blockers === 'unknown') {
    return 'a session that this account may not see (it has not the PROCESS right)';
  }
  if (blockers.length === 0) return 'a session that is gone by now';
  const shown = blockers.slice(0, 5).map(({ user, host, connectionId, ...state }) => {
    const doing = state.statement === null ? 'idle' : `running ${state.statement}`;
    const where = state.inTransaction ? ' in a transaction' : '';
    return `${user} from ${host} (connection ${connectionId}, ${doing}${where} for ${state.ageSeconds} s)`;
  });
  const more = blockers.length > shown.length ? [`${blockers.length - shown.length} more`] : [];
  return [...shown, ...more].join(', ');
}

type SessionRow = {
  id: string;
  user: string;
  host: string;
  age: string;
  word: string | null;
  open: number;
};

async function readSessions(db: Db, database: string): Promise<Blocker[] | 'unknown'> {
  try {
    // The server shows when a transaction began by its own clock. What runs is cut to its first word
    // before it leaves the server: the rest may hold the contents of rows.
    const rows = await db.query<SessionRow>(sql`SELECT other.id AS id, other.user AS user,
        SUBSTRING_INDEX(other.host, ':', 1) AS host,
        GREATEST(0, IFNULL(TIMESTAMPDIFF(SECOND, trx.trx_started,
          CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')), other.time)) AS age,
        REGEXP_SUBSTR(other.info, '^[A-Za-z]+') AS word, trx.trx_id IS NOT NULL AS open
      FROM information_schema.processlist other
      JOIN information_schema.processlist own ON own.id = CONNECTION_ID()
      LEFT JOIN information_schema.innodb_trx trx ON trx.trx_mysql_thread_id = other.id
      WHERE other.id <> own.id AND other.user NOT IN ('system user', 'event_scheduler')
        AND (trx.trx_id IS NOT NULL OR other.db = ${database} AND NOT (other.user = own.user
          AND other.command = 'Sleep'
          AND SUBSTRING_INDEX(other.host, ':', 1) = SUBSTRING_INDEX(own.host, ':', 1)))
      ORDER BY age DESC`);
    return rows.map(({ id, user, host, age, word, open }) => ({
      ...{ connectionId: Number(id), user, host, ageSeconds: Number(age) },
      ...{ statement: word?.toUpperCase() || null, inTransaction: Number(open) === 1 },
    }));
  } catch (error) {
    if (isMissingRight(error)) return 'unknown';
    throw error;
  }
}

/** Null without the plugin. */
async function readLockHolders(db: Db, database: string): Promise<number[] | null> {
  try {
    const rows = await db.query<{ id: string }>(
      sql`SELECT DISTINCT thread_id AS id FROM information_schema.metadata_lock_info
          WHERE table_schema = ${database} AND thread_id <> CONNECTION_ID()`,
    );
    return rows.map(({ id }) => Number(id));
  } catch (error) {
    if (isUnknownTable(error) || isMissingRight(error)) return null;
    throw error;
  }
}
