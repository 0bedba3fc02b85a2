/**
 * The state of a session: what a migration file finds, and what it left behind.
 *
 * On the connection that holds the deploy lock this must never be done by COM_RESET_CONNECTION or
 * COM_CHANGE_USER (mysql2's reset() and changeUser()): both release GET_LOCK. So every variable is
 * set, and the rest is read and compared.
 */
import assert from 'node:assert/strict';
import sql, { raw, type Sql } from 'sql-template-tag';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { isValueRefused } from './server-errors.ts';
import { ROW_WAIT_SECONDS, TABLE_WAIT_SECONDS } from './until-free.ts';

/** MariaDB's default sql_mode, in which an application's schema is normally made. */
export const FRESH_SQL_MODE =
  'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION';

/** Session variables that decide what a statement does, as MariaDB 10.6 to 11.8 know them. */
const FRESH: readonly (readonly [name: string, value: string])[] = [
  ['sql_mode', `'${FRESH_SQL_MODE}'`],
  ['time_zone', `'+00:00'`],
  ['autocommit', '1'],
  ['tx_isolation', `'REPEATABLE-READ'`],
  ['tx_read_only', '0'],
  ['foreign_key_checks', '1'],
  ['unique_checks', '1'],
  ['check_constraint_checks', '1'],
  ['sql_safe_updates', '0'],
  ['sql_auto_is_null', '0'],
  ['sql_big_selects', '1'],
  ['sql_select_limit', '18446744073709551615'],
  ['sql_quote_show_create', '1'],
  ['sql_notes', '1'],
  ['group_concat_max_len', '1048576'],
  ['div_precision_increment', '4'],
  ['default_week_format', '0'],
  ['lc_time_names', `'en_US'`],
  ['default_storage_engine', `'InnoDB'`],
  ['innodb_strict_mode', '1'],
  ['alter_algorithm', 'DEFAULT'],
  ['optimizer_switch', 'DEFAULT'],
  ['old_mode', 'DEFAULT'],
  ['max_statement_time', '0'],
  // What runs in such a session is repeated while tables are in use (until-free.ts).
  ['lock_wait_timeout', String(TABLE_WAIT_SECONDS)],
  ['innodb_lock_wait_timeout', String(ROW_WAIT_SECONDS)],
  ['max_recursive_iterations', 'DEFAULT'],
  ['max_sort_length', 'DEFAULT'],
  ['auto_increment_increment', 'DEFAULT'],
  ['auto_increment_offset', 'DEFAULT'],
  ['insert_id', '0'],
  ['last_insert_id', '0'],
  ['timestamp', 'DEFAULT'],
  ['wait_timeout', '2147483'],
  ['net_read_timeout', '3600'],
  ['net_write_timeout', '3600'],
];

/**
 * Gives the session the state in which every migration file begins. `collation` is that of the
 * database, so that literals compare as its columns do. User variables and temporary tables stay.
 * Must not be called inside a transaction: switching autocommit on would commit it.
 *
 * With `guard`, the one of the deploy lock (lock.ts), the lock is looked at in the same statement.
 *
 * @throws DeployError `LOCK_LOST` when `guard` is not true; then the session is as it was.
 */
export async function setFreshSession(
  db: Db,
  { collation, guard }: { readonly collation: string; readonly guard?: Sql },
): Promise<void> {
  assert.match(collation, /^\w+$/);
  // Another character set than utf8mb4 has no collation that a utf8mb4 connection could use.
  const names = collation.startsWith('utf8mb4_') ? collation : 'utf8mb4_general_ci';
  const variables = FRESH.map(([name, value]) => `SESSION ${name}=${value}`);
  const fresh = `SET NAMES utf8mb4 COLLATE ${names}, ${variables.join(', ')}`;
  if (guard === undefined) return void (await db.run(fresh));
  // No variable is set when one of the values is refused.
  const mode = sql`IF(${guard}, ${FRESH_SQL_MODE}, ${'deploy lock lost'})`;
  await db.run(sql`${raw(fresh)}, SESSION sql_mode=${mode}`).catch(async (cause: unknown) => {
    if (!isValueRefused(cause)) throw cause;
    // It may be the value of another variable that this server does not take.
    const row = await db.one<{ held: number | null }>(sql`SELECT ${guard} AS held`);
    if (Number(row?.held ?? 0) === 1) throw cause;
    throw new DeployError('LOCK_LOST', 'the deploy lock is no longer held by this run', { cause });
  });
}

/** Every session variable with its value, by lower-case name. Takes about 2 ms. */
export async function readSession(db: Db): Promise<Map<string, string>> {
  const rows = await db.query<{ name: string; value: string | null }>(
    `SELECT LOWER(variable_name) AS name, session_value AS value
     FROM information_schema.system_variables WHERE variable_scope LIKE 'SESSION%'`,
  );
  return new Map(rows.map(({ name, value }) => [name, value ?? '']));
}

export type SessionDifference = {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
};

/** What differs between two readings, by name; clocks and counters of the session are left out. */
export function diffSession(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): SessionDifference[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .filter((name) => !MOVING.has(name) && before.get(name) !== after.get(name))
    .map((name) => ({ name, before: before.get(name) ?? null, after: after.get(name) ?? null }));
}

/** They change by themselves, or tell of the statement before. */
const MOVING: ReadonlySet<string> = new Set([
  'timestamp',
  'last_insert_id',
  'identity',
  'insert_id',
  'warning_count',
  'error_count',
  'rand_seed1',
  'rand_seed2',
  'last_gtid',
  'in_transaction',
  'pseudo_thread_id',
  'proxy_user',
  'external_user',
  'gtid_seq_no',
  'skip_replication',
]);
