/**
 * The record of one run: what was done, how long it took, where the database is now. Plain data
 * with the names that are published (snake_case); fields may be added, never removed.
 */
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Conversion } from '../masterdata/former.ts';
import type { SyncReport } from '../masterdata/report.ts';
import type { Finding } from '../validation/finding.ts';
import type { Mode } from './plan.ts';

export type ReportOutcome = 'done' | 'nothing_to_do' | 'refused' | 'failed';

export type ReportStep = {
  readonly kind: string;
  readonly status: 'done' | 'failed' | 'skipped';
  readonly duration_ms: number;
  readonly detail?: string;
};

export type ReportStatement = {
  readonly sql: string;
  readonly duration_ms: number;
  readonly rows: number;
};

export type ReportMigration = {
  readonly number: number;
  readonly version: string;
  readonly description: string;
  readonly direction: 'up' | 'down';
  duration_ms: number;
  readonly statements: ReportStatement[];
};

export type ReportBackup = {
  readonly name: string;
  readonly size_bytes: number;
  readonly tables: number;
  readonly rows: number;
  readonly proven: boolean;
  /** When it was restored elsewhere and compared; null for a set without proof. */
  readonly proven_at: string | null;
  readonly reused: boolean;
};

/** Numbers of rows; null where the tables have no common key to tell rows apart. */
export type ReportRowDifference = {
  readonly table: string;
  readonly key: readonly string[];
  readonly live_rows: number;
  readonly backup_rows: number;
  readonly only_live: number | null;
  readonly only_backup: number | null;
  readonly differing: number | null;
};

export type ReportError = {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly what?: string;
  readonly where?: string;
};

/** Where the database is: as before, as required, in between, or not known. */
export type ReportState = 'as_before' | 'as_required' | 'partial' | 'unknown';

export type Report = {
  readonly report_version: 1;
  readonly run_id: string;
  mode: Mode;
  outcome: ReportOutcome;
  exit_code: number;
  error: ReportError | null;
  readonly tool_version: string;
  readonly backend_version: string | null;
  readonly required_db_version: string | null;
  readonly database: {
    readonly name: string;
    before: string | null;
    after: string | null;
    state: ReportState;
    /** The same in one sentence. */
    statement: string;
    size_before_bytes: number | null;
    size_after_bytes: number | null;
  };
  readonly steps: ReportStep[];
  readonly migrations: ReportMigration[];
  /** The set that this run would be put back from: the last of `backups`. */
  backup: ReportBackup | null;
  readonly backups: ReportBackup[];
  /** In which rows the database differed from the set to be restored; tables without difference, too. */
  row_differences: readonly ReportRowDifference[];
  /** Names of old sets that the run removed at its end. */
  pruned: readonly string[];
  /** What the sync of master data did, or null. */
  masterdata: SyncReport | null;
  /** File beside the report with every changed and deleted row, as lines of JSON; null for none. */
  masterdata_changes: string | null;
  /** From which former format the master data was converted, and what that decided; null: it was not. */
  masterdata_conversion: Conversion | null;
  /** What the validation found. */
  findings: readonly Finding[];
  readonly warnings: string[];
  /** RELEASE to set to go on with the database as it is after a failure; null when none is known. */
  former_release: string | null;
  /** What to do now, as commands; empty when nothing is. */
  readonly next: string[];
  readonly started_at: string;
  finished_at: string;
};

/** A new report: nothing done yet. */
export function makeReport(
  facts: Pick<Report, 'run_id' | 'tool_version' | 'backend_version' | 'required_db_version'> & {
    readonly database: string;
  },
): Report {
  const now = new Date().toISOString();
  return {
    report_version: 1,
    run_id: facts.run_id,
    mode: 'nothing to do',
    outcome: 'nothing_to_do',
    exit_code: 0,
    error: null,
    tool_version: facts.tool_version,
    backend_version: facts.backend_version,
    required_db_version: facts.required_db_version,
    database: {
      ...{ name: facts.database, before: null, after: null, state: 'as_before' as const },
      ...{ statement: 'not touched', size_before_bytes: null, size_after_bytes: null },
    },
    ...{
      steps: [],
      migrations: [],
      backup: null,
      backups: [],
      row_differences: [],
      pruned: [],
      warnings: [],
      former_release: null,
      next: [],
    },
    ...{ masterdata: null, masterdata_changes: null, masterdata_conversion: null, findings: [] },
    ...{ started_at: now, finished_at: now },
  };
}

/** Runs one step of a run and notes its duration, also when it fails. */
export async function step<T>(report: Report, kind: string, work: () => Promise<T>): Promise<T> {
  const begunAt = performance.now();
  const note = (status: ReportStep['status']) =>
    report.steps.push({ kind, status, duration_ms: Math.round(performance.now() - begunAt) });
  try {
    const result = await work();
    note('done');
    return result;
  } catch (error) {
    note('failed');
    throw error;
  }
}

/** `20260116_103000`: the stamp of file names, UTC. */
export function stampOf(at: Date): string {
  return at.toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15);
}

/** Names one run everywhere: lock, backup set, report, log. Sorts by time. */
export function makeRunId(at: Date): string {
  return `${at.toISOString().replace(/[-:]/g, '').slice(0, 15)}Z-${randomBytes(3).toString('hex')}`;
}

/**
 * Writes the report as `deployment_<stamp>.json` into `dir` (created if missing, file 0600) and
 * gives its path. A second report of the same second gets its own name.
 */
export async function writeReport(
  dir: string,
  report: Report,
  redact: (text: string) => string,
): Promise<string> {
  await mkdir(dir, { recursive: true });
  const base = path.join(dir, `deployment_${stampOf(new Date(report.started_at))}`);
  for (let suffix = 1; ; suffix++) {
    const file = suffix === 1 ? `${base}.json` : `${base}_${suffix}.json`;
    try {
      // The empty file claims the name; the contents come in one step, so that nobody reads a half.
      await (await open(file, 'wx', 0o600)).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    const part = `${file}.${process.pid}.part`;
    await appendFile(part, redact(`${JSON.stringify(report, null, 2)}\n`), { mode: 0o600 });
    await rename(part, file);
    return file;
  }
}
