/**
 * The journal: what a run has begun and what it has ended, statement by statement, in the table
 * `deploy_journal`. DESIGN §5a has the protocol:
 *
 * - before a statement that commits by itself, one INSERT marks the previous statement done and
 *   writes this one's *intent*; a crash after it leaves exactly one statement in doubt;
 * - a statement that can be rolled back shares its transaction with its own *done* row, so it is
 *   never in doubt.
 *
 * Every write is conditional on the deploy lock and its epoch: a run that was taken over writes
 * nothing, and finds out.
 */
import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified } from '../database/identifier.ts';
import type { Hold } from '../database/lock.ts';
import { isMissingTable, isNullRefused } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { Direction, StatementClass } from './statement.ts';
import type { TableIds } from './table-ids.ts';

export type JournalState = 'intent' | 'done';

/** What the journal keeps of one action of a run. */
export type JournalEntry = {
  /** Position in the run, from 0: the order in which actions take effect. */
  readonly seq: number;
  readonly migration: number;
  readonly direction: Direction;
  /** Statement number in its file; the data function and the history row come after the last. */
  readonly statement: number;
  /** SHA-256 hex of the statement, or of the migration for data functions and history rows. */
  readonly hash: string;
  readonly class: StatementClass | 'data' | 'record';
  /** Digest of the objects that the statement changes, before and after; '' when it changes none. */
  readonly before: string;
  readonly expected: string;
};

export type JournalRow = JournalEntry & {
  readonly runId: string;
  readonly state: JournalState;
  /** AUTO_INCREMENT counters before the action, where they were noted. */
  readonly counters: Readonly<Record<string, string>> | null;
  /** Ids of its tables before a statement that may leave no other trace, where they could be read. */
  readonly tableIds: TableIds | null;
};

/** Creates `deploy_journal` if it is missing. Needs the lock. Commits implicitly. */
export async function ensureJournalTable(hold: Hold): Promise<void> {
  await hold.db.run(sql`CREATE TABLE IF NOT EXISTS ${qualified(hold.database, 'deploy_journal')} (
    run_id varchar(64) NOT NULL,
    seq int unsigned NOT NULL,
    epoch bigint unsigned NOT NULL,
    migration bigint NOT NULL,
    direction varchar(4) NOT NULL,
    statement int unsigned NOT NULL,
    hash char(64) NOT NULL,
    class varchar(20) NOT NULL,
    structure_before varchar(64) NOT NULL,
    structure_expected varchar(64) NOT NULL,
    state varchar(6) NOT NULL,
    begun_at datetime(6) NOT NULL,
    ended_at datetime(6) DEFAULT NULL,
    counters mediumtext DEFAULT NULL,
    table_ids mediumtext DEFAULT NULL,
    PRIMARY KEY (run_id, seq)
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`);
  // Journals of earlier releases lack them.
  await hold.db.run(
    sql`ALTER TABLE ${qualified(hold.database, 'deploy_journal')} ADD COLUMN IF NOT EXISTS counters mediumtext DEFAULT NULL,
      ADD COLUMN IF NOT EXISTS table_ids mediumtext DEFAULT NULL`,
  );
}

/**
 * Marks `done` as ended and `intent` as begun, in one statement and therefore at once. Given
 * inside a transaction it takes effect with that transaction.
 *
 * @throws DeployError `LOCK_LOST` when the lock or the epoch is no longer ours; then nothing is written.
 */
export async function advanceJournal(
  hold: Hold,
  runId: string,
  marks: {
    readonly done: readonly JournalEntry[];
    readonly intent: JournalEntry | null;
    /** Noted with the intent: the counters that it may move, as they are now. */
    readonly counters?: Readonly<Record<string, string>>;
    readonly tableIds?: TableIds | null;
  },
): Promise<void> {
  const asText = (value: unknown) => (value == null ? null : JSON.stringify(value));
  const noted = { counters: asText(marks.counters), tableIds: asText(marks.tableIds) };
  const none = { counters: null, tableIds: null };
  const entries: Mark[] = marks.done.map((entry) => ({ entry, state: 'done', ...none }));
  if (marks.intent !== null) entries.push({ entry: marks.intent, state: 'intent', ...noted });
  if (entries.length === 0) return;
  // A row without an epoch is refused, and with it the statement: half as long as a SELECT with a
  // condition. The file that is being run may have switched off that NULL is refused.
  const epoch = sql`IF(${hold.guard}, ${hold.epoch}, NULL)`;
  const rows = entries.map((one, index) =>
    journalValues(runId, one, index === 0 ? epoch : sql`${hold.epoch}`),
  );
  await hold.db
    .run(
      sql`SET STATEMENT sql_mode='STRICT_ALL_TABLES' FOR
    INSERT INTO ${qualified(hold.database, 'deploy_journal')}
      (run_id, seq, epoch, migration, direction, statement, hash, class,
       structure_before, structure_expected, state, begun_at, ended_at, counters, table_ids)
    VALUES ${join(rows)}
    ON DUPLICATE KEY UPDATE epoch = VALUES(epoch), state = VALUES(state),
      begun_at = IF(VALUES(state) = 'intent', VALUES(begun_at), begun_at), ended_at = VALUES(ended_at),
      counters = COALESCE(VALUES(counters), counters),
      table_ids = COALESCE(VALUES(table_ids), table_ids)`,
    )
    .catch((error: unknown) => {
      throw isNullRefused(error) ? lockLost(hold) : error;
    });
}

/**
 * Looks at the lock and its epoch as a write of the journal does, without writing.
 *
 * @throws DeployError `LOCK_LOST` when they are no longer ours.
 */
export async function assertGuard(hold: Hold): Promise<void> {
  const row = await hold.db.one<{ held: number | string | null }>(
    sql`SELECT ${hold.guard} AS held`,
  );
  if (Number(row?.held ?? 0) !== 1) throw lockLost(hold);
}

function lockLost({ database }: Hold): DeployError {
  return new DeployError(
    'LOCK_LOST',
    `the deploy lock of ${database} is no longer held by this run`,
  );
}

/**
 * Removes the intent of a statement that did not take effect, because the run goes on with another
 * text in its place. Needs the lock.
 *
 * @throws DeployError `LOCK_LOST` when there is none, or the lock is no longer ours
 */
export async function forgetIntent(hold: Hold, runId: string, seq: number): Promise<void> {
  const { affectedRows } = await hold.db.run(sql`
    DELETE FROM ${qualified(hold.database, 'deploy_journal')}
    WHERE run_id = ${runId} AND seq = ${seq} AND state = 'intent' AND ${hold.guard}`);
  if (affectedRows === 1) return;
  throw new DeployError(
    'LOCK_LOST',
    `the journal of run ${runId} is no longer written by this run`,
  );
}

/**
 * Removes the intents of the actions before `seq`, because what they meant to do was taken back. Runs
 * in the transaction that the caller has open. Needs the lock.
 */
export async function forgetIntentsBefore(hold: Hold, runId: string, seq: number): Promise<void> {
  await hold.db.run(sql`
    DELETE FROM ${qualified(hold.database, 'deploy_journal')}
    WHERE run_id = ${runId} AND seq < ${seq} AND state = 'intent' AND ${hold.guard}`);
}

/** What a row says besides its run and epoch. */
type Mark = {
  readonly entry: JournalEntry;
  readonly state: JournalState;
  readonly counters: string | null;
  readonly tableIds: string | null;
};

function journalValues(runId: string, { entry, state, ...noted }: Mark, epoch: Sql): Sql {
  const endedAt = state === 'done' ? sql`NOW(6)` : sql`NULL`;
  return sql`(${runId}, ${entry.seq}, ${epoch}, ${entry.migration}, ${entry.direction}, ${entry.statement},
    ${entry.hash}, ${entry.class}, ${entry.before}, ${entry.expected}, ${state}, NOW(6), ${endedAt},
    ${noted.counters}, ${noted.tableIds})`;
}

/**
 * The rows of one run in the order of its actions; empty when there are none. Reads only.
 *
 * @throws DeployError `HISTORY_UNREADABLE` for a state that is none.
 */
export async function readJournal(db: Db, database: string, runId: string): Promise<JournalRow[]> {
  try {
    const rows = await db.query<Record<string, string | number | null>>(
      sql`SELECT seq, migration, direction, statement, hash, class, structure_before, structure_expected, state, counters, table_ids
          FROM ${qualified(database, 'deploy_journal')} WHERE run_id = ${runId} ORDER BY seq`,
    );
    return rows.map((row) => ({
      runId,
      seq: Number(row['seq']),
      migration: Number(row['migration']),
      direction: row['direction'] as Direction,
      statement: Number(row['statement']),
      hash: String(row['hash']),
      class: row['class'] as JournalEntry['class'],
      before: String(row['structure_before']),
      expected: String(row['structure_expected']),
      state: readState(row['state'], runId),
      counters: readNote(row['counters']),
      tableIds: readNote(row['table_ids']),
    }));
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}

/** The note is this program's own; one that was edited by hand is not used. */
function readNote(text: unknown): JournalRow['counters'] {
  if (typeof text !== 'string') return null;
  try {
    const noted: unknown = JSON.parse(text);
    return typeof noted === 'object' ? (noted as JournalRow['counters']) : null;
  } catch {
    return null;
  }
}

/** Anything else was written by hand, and is not to be taken for done. */
function readState(value: unknown, runId: string): JournalState {
  if (value === 'intent' || value === 'done') return value;
  throw new DeployError(
    'HISTORY_UNREADABLE',
    `deploy_journal has an unknown value in state of run ${runId}`,
    { where: 'deploy_journal.state' },
  );
}
