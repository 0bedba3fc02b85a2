/**
 * Compares the migration files with the history. Pure: the caller reads both.
 *
 * The truth is the *set* of migrations that the history has as successful; the order of its rows
 * and the rows of `schema_version` prove nothing (the real backend appends old ones). With 1, 2
 * and 4 applied and 3 in the files, 3 is pending and out of order.
 */
import type { AppliedMigration, HistoryFacts } from '../history/read.ts';
import { compareVersions, parseVersion } from '../history/versions.ts';
import type { MigrationFolder } from './files.ts';
import type { Migration, SchemaVersion } from './migration.ts';

/** An applied migration whose file is not what was applied. */
export type ChangedMigration = {
  readonly migration: Migration;
  readonly recorded: AppliedMigration;
  /**
   * True when the recorded checksum is that of the same text with CRLF line endings: another
   * tool recorded it. This program's own checksums do not see line endings.
   */
  readonly onlyLineEndings: boolean;
};

/** Every list is in the order of the migrations' numbers. */
export type Resolution = {
  /** Files that are applied, changed or not. */
  readonly applied: readonly Migration[];
  /** Files that are not applied, without those of `failed`. */
  readonly pending: readonly Migration[];
  /** Not critical, tried, and failed: their version counts as reached; tried again with other work. */
  readonly failed: readonly Migration[];
  readonly changed: readonly ChangedMigration[];
  /** Applied files without a recorded checksum, so that nobody can tell whether they changed. */
  readonly unknownChecksum: readonly Migration[];
  /** Applied, of a version that the files know, and without a file. */
  readonly missing: readonly AppliedMigration[];
  /** Applied and of a version above all files: a newer image was here. */
  readonly ahead: readonly AppliedMigration[];
  /** Pending with a lower number than one that is applied. */
  readonly outOfOrder: readonly Migration[];
  /**
   * Highest version of which every migration, and every one of the versions before, is applied
   * or is in `failed`; a version of `ahead` if there is one; null for nothing.
   */
  readonly actualVersion: SchemaVersion | null;
};

/** Says of every migration, in the files or in the history, how it stands. */
export function resolve(
  folder: Pick<MigrationFolder, 'migrations' | 'versions'>,
  history: Pick<HistoryFacts, 'applied' | 'failed'>,
): Resolution {
  const recorded = new Map(history.applied.map((row) => [row.number, row]));
  const failedBefore = new Set(history.failed.map((row) => row.number));
  const files = new Set(folder.migrations.map(({ number }) => number));

  const isFailed = ({ number, critical }: Migration) => !critical && failedBefore.has(number);
  const applied = folder.migrations.filter(({ number }) => recorded.has(number));
  const open = folder.migrations.filter(({ number }) => !recorded.has(number));
  const pending = open.filter((migration) => !isFailed(migration));
  const failed = open.filter(isFailed);
  const highest = history.applied.reduce((max, { number }) => Math.max(max, number), -1);

  const withoutFile = history.applied
    .filter(({ number }) => !files.has(number))
    .sort((a, b) => a.number - b.number);
  const newest = folder.versions.at(-1) ?? null;
  const isAhead = (row: AppliedMigration) =>
    parseVersion(row.version) !== null &&
    (newest === null || compareVersions(row.version, newest) > 0);
  const ahead = withoutFile.filter(isAhead);

  return {
    applied,
    pending,
    failed,
    changed: applied.flatMap((migration) => changeOf(migration, recorded.get(migration.number)!)),
    unknownChecksum: applied.filter(({ number }) => !recorded.get(number)!.checksum),
    missing: withoutFile.filter((row) => !isAhead(row)),
    ahead,
    outOfOrder: pending.filter(({ number }) => number < highest),
    actualVersion: highestOf(ahead) ?? reachedVersion(folder.versions, pending),
  };
}

/**
 * The highest version above `required` of which a migration is applied, be it only one of several;
 * null when the database has nothing that a backend of `required` does not know.
 */
export function versionBeyond(
  { applied, ahead }: Pick<Resolution, 'applied' | 'ahead'>,
  required: SchemaVersion,
): SchemaVersion | null {
  return highestOf(
    [...applied, ...ahead].filter(({ version }) => compareVersions(version, required) > 0),
  );
}

function changeOf(migration: Migration, recorded: AppliedMigration): ChangedMigration[] {
  const { checksum, version } = recorded;
  if (version !== migration.version) return [{ migration, recorded, onlyLineEndings: false }];
  // Another tool may have hashed the bytes as they are.
  const same = [migration.checksum, migration.rawChecksum];
  if (!checksum || same.includes(checksum)) return [];
  return [{ migration, recorded, onlyLineEndings: checksum === migration.crlfChecksum }];
}

function highestOf(rows: readonly { readonly version: SchemaVersion }[]): SchemaVersion | null {
  return (
    rows
      .map(({ version }) => version)
      .sort(compareVersions)
      .at(-1) ?? null
  );
}

/** The version before the first one that still has something pending. */
function reachedVersion(
  versions: readonly SchemaVersion[],
  pending: readonly Migration[],
): SchemaVersion | null {
  const unfinished = new Set(pending.map(({ version }) => version));
  const first = versions.findIndex((version) => unfinished.has(version));
  return versions[(first === -1 ? versions.length : first) - 1] ?? null;
}
