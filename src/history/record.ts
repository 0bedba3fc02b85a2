/**
 * Writes to the version tables. Every function runs inside the transaction that the caller has
 * open on the connection, so that the history changes together with the journal, and works on
 * the connection's own database. They need the lock.
 */
import sql, { type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { AppliedAtType } from './applied-at.ts';
import { type AppliedAtTypes, readAppliedAtTypes } from './read.ts';
import type { SchemaVersion } from './versions.ts';

/** What is recorded of a migration that was tried. */
export type RecordEntry = {
  readonly number: number;
  readonly version: SchemaVersion;
  readonly description: string;
  readonly checksum: string;
  /** Who ran it, e.g. `deploy 0.1.0 on web-1`. */
  readonly appliedBy: string;
  readonly executionTimeMs: number;
  readonly rollbackAvailable: boolean;
  readonly backendVersion: string | null;
};

/** What is recorded of a revert. */
export type RevertEntry = Pick<RecordEntry, 'number' | 'description' | 'backendVersion'> & {
  /** The version of the database without this migration, null for none. */
  readonly lowerVersion: SchemaVersion | null;
};

/**
 * Records a migration as applied: its row in `migration_history` (also over a failed one) and a
 * new row in `schema_version`, which carries the checksum. `known` are the types of `applied_at`, if
 * nothing can have changed them since they were read.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a version table is missing or lacks a column.
 */
export async function recordApplied(
  db: Db,
  entry: RecordEntry,
  known?: PresentTypes,
): Promise<void> {
  const types = known ?? (await readPresentTypes(db));
  await upsertHistory(db, entry, types, null);
  await appendVersion(db, types, { ...entry, checksum: sql`${entry.checksum}` });
}

/**
 * Records that a migration that is not critical failed: `success` 0 and the error in
 * `migration_history`. Its version counts as reached, so `schema_version` gets its row too.
 * `error` must hold no row data.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a version table is missing or lacks a column.
 */
export async function recordFailed(
  db: Db,
  entry: RecordEntry,
  error: string,
  known?: PresentTypes,
): Promise<void> {
  const types = known ?? (await readPresentTypes(db));
  await upsertHistory(db, entry, types, error);
  const description = `failed, not critical: ${entry.description}`;
  await appendVersion(db, types, { ...entry, description, checksum: sql`${entry.checksum}` });
}

/**
 * Records a revert: the migration's row leaves `migration_history`, and `schema_version` gets a
 * row of the lower version with the number and the checksum of that version's last migration.
 * When no version is left there is nothing to append.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a version table is missing or lacks a column.
 */
export async function recordReverted(
  db: Db,
  entry: RevertEntry,
  known?: PresentTypes,
): Promise<void> {
  const types = known ?? (await readPresentTypes(db));
  await db.run(sql`DELETE FROM migration_history WHERE migration_number = ${entry.number}`);
  const version = entry.lowerVersion;
  if (version === null) return;
  const last = await db.one<{ number: string | null }>(
    sql`SELECT MAX(migration_number) AS number FROM migration_history
        WHERE version = ${version} AND success <> 0`,
  );
  const number = Number(last?.number ?? 0);
  // A checksum is read from the latest row of its migration: this row must not hide it.
  const checksum = sql`(SELECT v.checksum FROM schema_version AS v
    WHERE v.migration_number = ${number} AND v.version = ${version} AND v.checksum <> ''
    ORDER BY v.id DESC LIMIT 1)`;
  const description = `migration ${entry.number} reverted: ${entry.description}`;
  await appendVersion(db, types, { ...entry, number, version, description, checksum });
}

/** A row of `schema_version` to be appended. */
export type VersionEntry = Pick<
  RecordEntry,
  'number' | 'version' | 'description' | 'backendVersion'
> & {
  readonly checksum: string | null;
};

/**
 * Records another checksum of an applied migration: a new row of `schema_version`. `current` is
 * then appended again when it is another migration, because backends take the last row for the
 * version of the database.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a version table is missing or lacks a column.
 */
export async function recordChecksum(
  db: Db,
  entry: VersionEntry,
  current: VersionEntry | null,
): Promise<void> {
  const types = await readPresentTypes(db);
  const again = current !== null && current.number !== entry.number ? [current] : [];
  for (const row of [entry, ...again])
    await appendVersion(db, types, { ...row, checksum: sql`${row.checksum}` });
}

/** How each of the version tables stores `applied_at`. */
export type PresentTypes = { readonly [Table in keyof AppliedAtTypes]: AppliedAtType };

/**
 * Tells the types by a value that is there: a time has a minus sign, a number has not. That is
 * ten times as fast as information_schema, which is asked when there is no value yet. Reads only.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a version table is missing or lacks a column.
 */
export async function readPresentTypes(db: Db): Promise<PresentTypes> {
  const found = await db
    .one<{ history: string | null; version: string | null }>(
      `SELECT
        (SELECT CONVERT(applied_at USING utf8mb4) FROM migration_history
          WHERE applied_at IS NOT NULL LIMIT 1) AS history,
        (SELECT CONVERT(applied_at USING utf8mb4) FROM schema_version
          WHERE applied_at IS NOT NULL LIMIT 1) AS version`,
    )
    // A missing table or column is explained below.
    .catch(() => undefined);
  const typeOf = (value: string) => (value.slice(1).includes('-') ? 'timestamp' : 'epoch');
  if (found?.history && found.version) {
    return { migration_history: typeOf(found.history), schema_version: typeOf(found.version) };
  }
  const database = await db.one<{ name: string }>('SELECT DATABASE() AS name');
  const { schema_version, migration_history } = await readAppliedAtTypes(db, database!.name);
  if (schema_version !== null && migration_history !== null) {
    return { schema_version, migration_history };
  }
  throw new DeployError('HISTORY_UNREADABLE', 'a version table is missing', {
    where: schema_version === null ? 'schema_version' : 'migration_history',
  });
}

async function upsertHistory(
  db: Db,
  entry: RecordEntry,
  types: PresentTypes,
  error: string | null,
): Promise<void> {
  await db.run(sql`
    INSERT INTO migration_history
      (migration_number, version, description, applied_at, applied_by,
       execution_time_ms, success, error_message, rollback_available)
    VALUES
      (${entry.number}, ${entry.version}, ${cut(entry.description, textBytes)},
       ${now(types.migration_history)}, ${cut(entry.appliedBy, 100)},
       ${Math.round(entry.executionTimeMs)}, ${error === null ? 1 : 0},
       ${error === null ? null : cut(error, textBytes)}, ${entry.rollbackAvailable ? 1 : 0})
    ON DUPLICATE KEY UPDATE
      version = VALUES(version), description = VALUES(description),
      applied_at = VALUES(applied_at), applied_by = VALUES(applied_by),
      execution_time_ms = VALUES(execution_time_ms), success = VALUES(success),
      error_message = VALUES(error_message), rollback_available = VALUES(rollback_available)`);
}

async function appendVersion(
  db: Db,
  types: PresentTypes,
  row: Pick<RecordEntry, 'number' | 'version' | 'description' | 'backendVersion'> & {
    readonly checksum: Sql;
  },
): Promise<void> {
  await db.run(sql`
    INSERT INTO schema_version
      (version, migration_number, applied_at, backend_version, description, checksum)
    SELECT ${row.version}, ${row.number}, ${now(types.schema_version)},
      ${cut(row.backendVersion ?? 'unknown', 20)}, ${cut(row.description, textBytes)}, ${row.checksum}`);
}

/** Server time as the column takes it: a datetime in a BIGINT would become 20260116103000. */
function now(type: AppliedAtType): Sql {
  return type === 'epoch' ? sql`UNIX_TIMESTAMP()` : sql`CURRENT_TIMESTAMP`;
}

/** TEXT holds 65,535 bytes and a character has at most four. */
const textBytes = 16_000;

/** Cuts by characters, never through one. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : Array.from(text).slice(0, length).join('');
}
