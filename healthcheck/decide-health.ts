/** Pure: what state the database is in, and what that means for people, probes and status codes. */
import type { AppliedMigration, FailedMigration, HistoryFacts } from '../src/history/read.ts';
import { compareVersions, compatibility, type SchemaVersion } from '../src/history/versions.ts';
import type { MigrationFolder } from '../src/migrations/files.ts';
import { type Resolution, resolve, versionBeyond } from '../src/migrations/resolve.ts';
import type { ClosedRun, DatabaseFacts, OpenRun, Reading, RunRecords, Trouble } from './facts.ts';

/** The state of the database in a word; public, so that a page need not read sentences. */
export type DatabaseState =
  | 'as_required'
  | 'behind'
  | 'empty'
  | 'deploying'
  | 'ahead'
  | 'unknown'
  | 'cut_off'
  | Trouble;

type Folder = Pick<MigrationFolder, 'migrations' | 'versions'>;

/** What the decision is made from. */
export type HealthInput = {
  /** Null when the files cannot be read. */
  readonly folder: Folder | null;
  /** The version that the backend requires; null when neither files nor settings say one. */
  readonly requiredVersion: SchemaVersion | null;
  readonly reading: Reading;
};

type Line = { readonly number: number; readonly description: string };

/** Everything that the answers say, decided once for each look at the database. */
export type Health = {
  readonly state: DatabaseState;
  readonly status: 'ok' | 'warning' | 'error';
  /** Of `/api/system/health`. */
  readonly httpStatus: 200 | 500;
  /** Whether `/readyz` says 200. The same as `compatible`. */
  readonly ready: boolean;
  readonly requiredVersion: SchemaVersion | null;
  readonly actualVersion: SchemaVersion | null;
  readonly migrationNeeded: boolean;
  /** One public sentence without full stop. */
  readonly reason: string;
  readonly pending: readonly Line[];
  /** Not critical, tried, and failed. */
  readonly failed: readonly Line[];
  readonly lastMigration: AppliedMigration | null;
  readonly openRun: OpenRun | null;
  readonly lastRun: ClosedRun | null;
  /** Null when the database could not be read. */
  readonly records: RunRecords | null;
  readonly migrationsAvailable: number;
};

const troubleReasons: Readonly<Record<Trouble, string>> = {
  unreachable: 'Database cannot be reached',
  access_denied: 'Database refuses the account of this service, or a table that it must read',
  database_missing: 'Database does not exist, or this service may not use it',
  unreadable: 'Version tables of the database cannot be read',
  contents_invalid: 'Migrations of this release are missing or cannot be read',
};

/**
 * Decides the answer by the table of DESIGN §7. What is not known to be right is never ready: a
 * run that is under way, one that was cut off, and tables without history stop the backend.
 */
export function decideHealth({ folder, requiredVersion, reading }: HealthInput): Health {
  if (folder === null || requiredVersion === null) {
    return inTrouble('contents_invalid', folder, requiredVersion);
  }
  if (reading.trouble !== null) return inTrouble(reading.trouble, folder, requiredVersion);
  const { database } = reading;
  const { history, openRun, lastRun, records } = database;
  const state = stateOf(folder, requiredVersion, database);
  if (state === 'unreadable') return inTrouble(state, folder, requiredVersion);
  const { actualVersion, beyond, pending, failed } = upTo(requiredVersion, folder, history);
  // Of a schema without history every migration would count as pending: that would be a guess.
  const isGuess = state === 'unknown' && history?.applied.length === 0;
  const verdict = compatibility(requiredVersion, beyond ?? actualVersion);
  const status = statusOf(state, failed);
  return {
    state,
    status,
    httpStatus: status === 'error' ? 500 : 200,
    ready: state === 'as_required',
    requiredVersion,
    actualVersion,
    migrationNeeded: verdict.migrationNeeded && !isGuess,
    reason: reasonOf(state, isGuess, openRun) ?? verdict.reason,
    pending: isGuess ? [] : pending.map(line),
    failed: failed.map(line),
    lastMigration: history?.applied.at(-1) ?? null,
    openRun,
    lastRun,
    records,
    migrationsAvailable: folder.migrations.length,
  };
}

function stateOf(
  folder: Folder,
  requiredVersion: SchemaVersion,
  { history, hasTables, openRun }: DatabaseFacts,
): DatabaseState {
  if (openRun !== null) return openRun.isAlive ? 'deploying' : 'cut_off';
  if (history === null) return 'unreadable';
  const resolution = resolve(folder, history);
  const { actualVersion } = resolution;
  if (actualVersion === null && history.applied.length === 0) {
    return hasTables ? 'unknown' : 'empty';
  }
  if (versionBeyond(resolution, requiredVersion) !== null) return 'ahead';
  if (!fits(resolution, history)) return 'unknown';
  const order = actualVersion === null ? -1 : compareVersions(actualVersion, requiredVersion);
  if (order === 0) return 'as_required';
  return order < 0 ? 'behind' : 'ahead';
}

/**
 * False for what `up` refuses as a history that does not fit the files, as far as the two tell: a
 * backend of this release would not be started on that, so it must not be called fit for it.
 */
function fits({ changed, missing, outOfOrder }: Resolution, history: HistoryFacts): boolean {
  const misfits = [...changed, ...missing, ...outOfOrder];
  return misfits.length === 0 && history.present.schemaVersion;
}

function statusOf(state: DatabaseState, failed: readonly unknown[]): Health['status'] {
  if (state === 'as_required') return failed.length === 0 ? 'ok' : 'warning';
  return state === 'behind' || state === 'empty' || state === 'deploying' ? 'warning' : 'error';
}

/** Null where the comparison of the versions says all. */
function reasonOf(
  state: DatabaseState,
  isWithoutHistory: boolean,
  openRun: OpenRun | null,
): string | null {
  if (state === 'deploying') return 'Database is being updated';
  if (state === 'unknown') {
    return isWithoutHistory
      ? 'Database has tables, but no history that says its version'
      : 'History of the database does not fit the migrations of this release';
  }
  if (state !== 'cut_off') return null;
  return openRun?.state === 'locked'
    ? 'Last update was cut off before it changed anything: run the deploy again'
    : 'Last update was cut off half-way: the next deploy finishes it or puts it back';
}

/** Migrations of versions above the required one are nobody's matter here. */
function upTo(
  requiredVersion: SchemaVersion,
  folder: Folder,
  history: HistoryFacts | null,
): Pick<Resolution, 'pending' | 'failed' | 'actualVersion'> & { beyond: SchemaVersion | null } {
  if (history === null) return { pending: [], failed: [], actualVersion: null, beyond: null };
  const resolution = resolve(folder, history);
  const isWanted = ({ version }: { readonly version: SchemaVersion }) =>
    compareVersions(version, requiredVersion) <= 0;
  return {
    pending: resolution.pending.filter(isWanted),
    failed: resolution.failed.filter(isWanted),
    actualVersion: resolution.actualVersion,
    beyond: versionBeyond(resolution, requiredVersion),
  };
}

function inTrouble(
  trouble: Trouble,
  folder: Folder | null,
  requiredVersion: SchemaVersion | null,
): Health {
  return {
    state: trouble,
    status: 'error',
    httpStatus: 500,
    ready: false,
    requiredVersion,
    actualVersion: null,
    migrationNeeded: false,
    reason: troubleReasons[trouble],
    pending: [],
    failed: [],
    lastMigration: null,
    openRun: null,
    lastRun: null,
    records: null,
    migrationsAvailable: folder?.migrations.length ?? 0,
  };
}

function line({ number, description }: FailedMigration | Line): Line {
  return { number, description };
}
