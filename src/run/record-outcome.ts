import type { Db } from '../database/connect.ts';
import type { HistoryFacts } from '../history/history-facts.ts';
import { readHistory } from '../history/read.ts';
import {
  type PresentTypes,
  readPresentTypes,
  recordApplied,
  recordFailed,
  recordReverted,
} from '../history/record.ts';
import { recordedRelease } from '../history/release.ts';
import { VERSION_TABLES } from '../history/tables.ts';
import { compareVersions, type SchemaVersion } from '../history/versions.ts';
import { type Action, statementsOf } from '../migrations/actions.ts';
import type { Migration } from '../migrations/migration.ts';
import { resolve } from '../migrations/resolve.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';

/** What became of one migration. */
export type MigrationOutcome = {
  readonly action: Pick<Action, 'direction' | 'of'>;
  readonly migration: Migration;
  readonly executionTimeMs: number;
  /** Why it failed, when it is not critical and was taken back; else null. */
  readonly error: string | null;
};

/** Writes what became of a migration, in the transaction that the caller has open on `db`. */
export type Recorder = (db: Db, outcome: MigrationOutcome) => Promise<void>;

/**
 * Makes what writes the outcomes of one run to the version tables: applied, failed, or reverted.
 * The history is read once for all reverts, and followed from there: nobody else writes to it while
 * the lock is held. How the tables store times is read again after a migration that may have changed
 * that. Needs the lock.
 *
 * @throws DeployError `HISTORY_UNREADABLE`
 */
export function makeRecorder(context: RunContext, { folder }: Pick<Facts, 'folder'>): Recorder {
  const { config, toolVersion } = context;
  let known: HistoryFacts | null = null;
  let lower: Lower | null = null;
  let types: PresentTypes | null = null;
  const gone = new Set<number>();

  return async (db, outcome) => {
    const { action, migration, executionTimeMs, error } = outcome;
    const entry = {
      number: migration.number,
      version: migration.version,
      description: migration.description,
      checksum: migration.checksum,
      appliedBy: `deploy ${toolVersion}`,
      backendVersion: config.backendVersion,
      executionTimeMs,
      rollbackAvailable: migration.down !== null,
    };
    if (types === null || (action.of > 0 && mayChangeVersionTables(outcome)))
      types = await readPresentTypes(db);
    if (error !== null || action.direction === 'up') {
      [known, lower] = [null, null];
      gone.clear();
      if (error === null) return recordApplied(db, entry, types);
      return recordFailed(db, entry, error, types);
    }
    known ??= await readHistory(db, config.database.name);
    gone.add(migration.number);
    if (!isBelow(lower, migration)) lower = findLower(folder, without(known, gone));
    // The new row speaks of the lower version: its release is the one to go back to.
    const backendVersion = lower.release ?? entry.backendVersion;
    return recordReverted(db, { ...entry, backendVersion, lowerVersion: lower.version }, types);
  };
}

/** Only what ran is looked at: what is merely recorded has files that nobody has read. Pure. */
function mayChangeVersionTables({ action, migration, error }: MigrationOutcome): boolean {
  // Then its down file ran, too.
  if (error !== null || migration.data !== null) return true;
  return statementsOf(migration, action.direction).some(
    ({ sql, classification }) =>
      classification.class === 'opaque' ||
      VERSION_TABLES.some((table) => sql.toLowerCase().includes(table)),
  );
}

/** The version that the database has after a revert, and the backend that recorded it. */
type Lower = { readonly version: SchemaVersion | null; readonly release: string | null };

/** Then a migration of a version above makes no difference to it any more. Pure. */
function isBelow(lower: Lower | null, { version }: Migration): lower is Lower {
  if (lower === null) return false;
  return lower.version === null || compareVersions(lower.version, version) < 0;
}

function findLower(folder: Facts['folder'], history: HistoryFacts): Lower {
  const { actualVersion: version } = resolve(folder, history);
  return { version, release: recordedRelease(history, version) };
}

/** Also one that failed and is not critical goes when its version is left. */
function without(history: HistoryFacts, gone: ReadonlySet<number>): HistoryFacts {
  const isLeft = ({ number }: { readonly number: number }) => !gone.has(number);
  return {
    ...history,
    applied: history.applied.filter(isLeft),
    failed: history.failed.filter(isLeft),
  };
}
