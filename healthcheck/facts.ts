/** What the sidecar reads of the database: plain data, from which everything it answers is decided. */
import type { HistoryFacts } from '../src/history/read.ts';
import type { RunMode, RunOutcome, RunState } from '../src/history/run-row.ts';
import type { SchemaVersion } from '../src/history/versions.ts';

/** Why there is nothing to decide from. The details are in the log, never in an answer. */
export type Trouble =
  | 'unreachable'
  | 'access_denied'
  | 'database_missing'
  | 'unreadable'
  | 'contents_invalid';

/** A run that somebody began and nobody closed. */
export type OpenRun = {
  readonly runId: string;
  readonly mode: RunMode;
  readonly state: RunState;
  readonly step: string | null;
  readonly from: SchemaVersion | null;
  readonly to: SchemaVersion | null;
  /** ISO. */
  readonly startedAt: string;
  /** Somebody holds the deploy lock, or did until a moment ago; without it the run was cut off. */
  readonly isAlive: boolean;
  /** Actions of the plan that are done, of all; null when the run does not say. */
  readonly progress: { readonly done: number; readonly total: number } | null;
};

/** The last run that was closed. */
export type ClosedRun = {
  readonly runId: string;
  readonly mode: RunMode;
  readonly outcome: RunOutcome | null;
  readonly exitCode: number | null;
  /** ISO. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
};

/** What runs wrote into `deploy_run`. The sidecar sees neither backups nor reports. */
export type RunRecords = {
  /** Of the last closed run, from the error catalogue, e.g. `MIGRATION_FAILED`. */
  readonly errorCode: string | null;
  /** Of the last closed run. */
  readonly steps: readonly { readonly step: string; readonly durationMs: number }[];
  /** End of the last run that reached its goal. ISO. */
  readonly lastSuccessAt: string | null;
  /** The last backup set that was proven. */
  readonly backup: { readonly provenAt: string; readonly sizeBytes: number } | null;
  /** At the end of the last run. */
  readonly databaseSizeBytes: number | null;
  /** Of the last sync. */
  readonly masterdata: readonly { readonly entity: string; readonly records: number }[];
};

export type DatabaseFacts = {
  /** Null when it cannot be read at the moment, which is no trouble while a run is changing it. */
  readonly history: HistoryFacts | null;
  /** Tables or views besides the version tables and this program's own. */
  readonly hasTables: boolean;
  readonly openRun: OpenRun | null;
  readonly lastRun: ClosedRun | null;
  readonly records: RunRecords;
};

/** What one look at the database gave. */
export type Reading =
  | { readonly trouble: Trouble }
  | { readonly trouble: null; readonly database: DatabaseFacts };
