/** Pure: what the rows of the version tables say. */
import { DeployError } from '../errors/deploy-error.ts';
import { type AppliedAtType, readAppliedAt } from './applied-at.ts';
import type { VersionTable } from './tables.ts';
import { parseVersion, type SchemaVersion } from './versions.ts';

/** A successful row of `migration_history`. */
export type AppliedMigration = {
  readonly number: number;
  readonly version: SchemaVersion;
  readonly description: string;
  /** ISO, or null when the table does not say. */
  readonly appliedAt: string | null;
  readonly appliedBy: string | null;
  readonly executionTimeMs: number | null;
  readonly rollbackAvailable: boolean;
  /** Of its latest row in `schema_version` with the same version; null when unknown. */
  readonly checksum: string | null;
};

/** A row of `migration_history` that says the migration failed. */
export type FailedMigration = {
  readonly number: number;
  readonly version: SchemaVersion;
  readonly description: string;
  readonly error: string | null;
};

/** A row of `schema_version`. Shown, never trusted: others append to that table too. */
export type SchemaVersionRow = {
  readonly id: string;
  readonly version: string;
  readonly number: number;
  readonly checksum: string | null;
  /** '' when the table does not say. */
  readonly backendVersion: string;
};

export type HistoryFacts = {
  readonly present: { readonly schemaVersion: boolean; readonly migrationHistory: boolean };
  /** By number. */
  readonly applied: readonly AppliedMigration[];
  /** By number. */
  readonly failed: readonly FailedMigration[];
  /** In the order in which they were appended. */
  readonly schemaVersionRows: readonly SchemaVersionRow[];
  /** Oddities that stop nothing, in words. */
  readonly problems: readonly string[];
  /** How `migration_history` stores its times; `epoch` when there is no such table. */
  readonly appliedAtType: AppliedAtType;
};

/** A row of `migration_history` as text, null for SQL NULL. */
export type HistoryRow = {
  readonly migrationNumber: string | null;
  readonly version: string | null;
  readonly description: string | null;
  readonly appliedAt: string | null;
  readonly appliedBy: string | null;
  readonly executionTimeMs: string | null;
  readonly rollbackAvailable: string | null;
  readonly success: string | null;
  readonly errorMessage: string | null;
};

/** A row of `schema_version` as text, null for SQL NULL. */
export type VersionRow = {
  readonly id: string;
  readonly migrationNumber: string | null;
  readonly version: string | null;
  readonly checksum: string | null;
  readonly backendVersion: string | null;
};

/** The rows of both tables, each in the order of its `id`; null for a missing table. */
export type VersionTableRows = {
  readonly history: readonly HistoryRow[] | null;
  readonly versions: readonly VersionRow[] | null;
  readonly appliedAtType: AppliedAtType;
};

/**
 * Makes the facts from the rows.
 *
 * @throws DeployError `HISTORY_UNREADABLE` for a row without number or without outcome: to take
 * it for applied or for pending would both be a guess.
 */
export function makeHistory({ history, versions, appliedAtType }: VersionTableRows): HistoryFacts {
  const schemaVersionRows = (versions ?? []).map(
    ({ id, migrationNumber, version, checksum, backendVersion }) => ({
      id,
      version: version ?? '',
      number: toNumber(migrationNumber, 'schema_version'),
      checksum: checksum || null,
      backendVersion: backendVersion ?? '',
    }),
  );
  const checksums = checksumsOf(schemaVersionRows);
  const applied = new Map<number, AppliedMigration>();
  const failed = new Map<number, FailedMigration>();
  const problems: string[] = [];
  for (const row of history ?? []) {
    const number = toNumber(row.migrationNumber, 'migration_history');
    const base = { number, version: row.version ?? '', description: row.description ?? '' };
    if (applied.has(number) || failed.has(number)) {
      problems.push(`migration_history has more than one row of migration ${number}`);
    }
    if (parseVersion(base.version) === null) {
      problems.push(`migration_history has no usable version for migration ${number}`);
    }
    if (isSuccessful(row, number)) {
      applied.set(number, {
        ...base,
        appliedAt: readAppliedAt(row.appliedAt, appliedAtType),
        appliedBy: row.appliedBy || null,
        executionTimeMs: row.executionTimeMs === null ? null : Number(row.executionTimeMs),
        rollbackAvailable: row.rollbackAvailable === '1',
        checksum: checksums.get(`${number} ${base.version}`) ?? null,
      });
    } else {
      failed.set(number, { ...base, error: row.errorMessage });
    }
  }
  for (const number of applied.keys()) failed.delete(number);
  return {
    present: { schemaVersion: versions !== null, migrationHistory: history !== null },
    applied: [...applied.values()].sort(byNumber),
    failed: [...failed.values()].sort(byNumber),
    schemaVersionRows,
    problems,
    appliedAtType,
  };
}

/**
 * The latest checksum of each migration and version. Rows without one say nothing: the real
 * backend appends such rows, with other versions, to the number of an applied migration.
 */
function checksumsOf(rows: readonly SchemaVersionRow[]): ReadonlyMap<string, string> {
  const known = rows.filter(({ checksum }) => checksum !== null);
  return new Map(known.map(({ number, version, checksum }) => [`${number} ${version}`, checksum!]));
}

function isSuccessful({ success }: HistoryRow, number: number): boolean {
  if (success !== null) return Number(success) !== 0;
  throw new DeployError(
    'HISTORY_UNREADABLE',
    `table migration_history does not say whether migration ${number} was successful`,
    { where: 'migration_history', facts: { migration: number } },
  );
}

function toNumber(text: string | null, table: VersionTable): number {
  const number = Number(text ?? Number.NaN);
  if (Number.isSafeInteger(number)) return number;
  throw new DeployError('HISTORY_UNREADABLE', `table ${table} has a row without a number`, {
    where: table,
  });
}

function byNumber(a: { readonly number: number }, b: { readonly number: number }): number {
  return a.number - b.number;
}
