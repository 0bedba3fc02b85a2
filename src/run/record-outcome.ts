import type { Db } from '../database/connect.ts';
import { readHistory } from '../history/read.ts';
import { recordApplied, recordFailed, recordReverted } from '../history/record.ts';
import { recordedRelease } from '../history/release.ts';
import type { Action } from '../migrations/actions.ts';
import type { Migration } from '../migrations/migration.ts';
import { resolve } from '../migrations/resolve.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';

/** What became of one migration. */
export type MigrationOutcome = {
  readonly action: Pick<Action, 'direction'>;
  readonly migration: Migration;
  readonly executionTimeMs: number;
  /** Why it failed, when it is not critical and was taken back; else null. */
  readonly error: string | null;
};

/**
 * Writes what became of a migration to the version tables: applied, failed, or reverted. Runs in
 * the transaction that the caller has open on `db`. Needs the lock.
 *
 * @throws DeployError `HISTORY_UNREADABLE`
 */
export async function recordOutcome(
  context: RunContext,
  db: Db,
  facts: Pick<Facts, 'folder'>,
  { action, migration, executionTimeMs, error }: MigrationOutcome,
): Promise<void> {
  const entry = {
    number: migration.number,
    version: migration.version,
    description: migration.description,
    checksum: migration.checksum,
    appliedBy: `deploy ${context.toolVersion}`,
    backendVersion: context.config.backendVersion,
    executionTimeMs,
    rollbackAvailable: migration.down !== null,
  };
  if (error !== null) return recordFailed(db, entry, error);
  if (action.direction === 'up') return recordApplied(db, entry);
  const history = await readHistory(db, context.config.database.name);
  const others = <T extends { readonly number: number }>(rows: readonly T[]) =>
    rows.filter(({ number }) => number !== migration.number);
  // Also one that failed and is not critical goes when its version is left.
  const left = { applied: others(history.applied), failed: others(history.failed) };
  const lower = resolve(facts.folder, left);
  // The new row speaks of the lower version: its release is the one to go back to.
  const backendVersion = recordedRelease(history, lower.actualVersion) ?? entry.backendVersion;
  return recordReverted(db, { ...entry, backendVersion, lowerVersion: lower.actualVersion });
}
