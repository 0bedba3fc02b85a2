/** Pure: one row of `deploy_run` as data. */
import type { RecordedEvent } from '../database/events.ts';
import type { FencedAccount } from '../database/fence.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { SchemaVersion } from './versions.ts';

const modes = ['install', 'adopt', 'update', 'rollback', 'restore', 'recover', 'backup'] as const;
const states = ['locked', 'changing', 'changed', 'putting_back', 'closed'] as const;
const outcomes = ['done', 'failed', 'put_back', 'left', 'abandoned', 'interrupted'] as const;

export type RunMode = (typeof modes)[number];

/**
 * How far a run is. It is *locked* until the first change may happen, *changing* until the last
 * one has, *changed* until the version is validated and recorded, or *putting_back* after a
 * failure; *closed* when nothing is left to do for anybody (DESIGN §5a).
 */
export type RunState = (typeof states)[number];

/** How a run ended, or how the process that ran it did. */
export type RunOutcome = (typeof outcomes)[number];

export type RunRow = {
  readonly runId: string;
  /** Epoch of the deploy lock under which the run was last written. */
  readonly epoch: number;
  /** Two runs with the same digest do the same. */
  readonly planDigest: string;
  readonly mode: RunMode;
  readonly direction: 'up' | 'down';
  readonly from: SchemaVersion | null;
  readonly to: SchemaVersion | null;
  readonly state: RunState;
  /** What the run was doing last, in a word; for people. */
  readonly step: string | null;
  /** Whatever the run needs in order to be gone on with by another process. */
  readonly plan: unknown;
  /** Name of the proven set that the run would be put back from. */
  readonly backupSet: string | null;
  readonly fencedAccounts: readonly FencedAccount[];
  /** The events that there were before the first was held (events.ts). */
  readonly disabledEvents: readonly RecordedEvent[];
  /** How far a restore is; null when none was begun. */
  readonly restoreState: unknown;
  /** ISO, by the server's clock. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly outcome: RunOutcome | null;
  readonly exitCode: number | null;
  readonly report: string | null;
  /** Of the master data that this run synced; null when it synced none. */
  readonly masterdataDigest: string | null;
};

/**
 * Whether the end of the run is recorded: it is complete, or a person took the database as it is.
 * What is left is to let the application in and to close it; it is never put back. Pure.
 */
export function isEndRecorded({ outcome }: Pick<RunRow, 'outcome'>): boolean {
  return outcome === 'done' || outcome === 'left';
}

/**
 * Makes the run from a row with the columns of `deploy_run`.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a value is none that this program writes.
 */
export function toRunRow(row: Readonly<Record<string, unknown>>): RunRow {
  const runId = String(row['run_id']);
  const refuse = (column: string, cause?: unknown): never => {
    throw new DeployError('HISTORY_UNREADABLE', `run ${runId} has an unknown value in ${column}`, {
      where: `deploy_run.${column}`,
      cause,
      next: [
        `write back what it was: UPDATE deploy_run SET ${column} = '…' WHERE run_id = '${runId}'; states are ${states.join(', ')}`,
        'then: deploy resolve shows what the run left',
      ],
    });
  };
  const text = (column: string) => {
    const value = row[column];
    return value === null || value === undefined ? null : String(value);
  };
  const oneOf = <T extends string>(column: string, known: readonly T[]): T =>
    known.find((value) => value === text(column)) ?? refuse(column);
  const json = (column: string): unknown => {
    try {
      return JSON.parse(text(column) ?? 'null');
    } catch (error) {
      return refuse(column, error);
    }
  };
  const list = (column: string): unknown[] => {
    const value = json(column);
    return Array.isArray(value) ? value : refuse(column);
  };
  return {
    runId,
    epoch: Number(row['epoch']),
    planDigest: text('plan_digest') ?? refuse('plan_digest'),
    mode: oneOf('mode', modes),
    direction: oneOf('direction', ['up', 'down']),
    from: text('from_version'),
    to: text('to_version'),
    state: oneOf('state', states),
    step: text('step'),
    plan: json('plan'),
    backupSet: text('backup_set'),
    fencedAccounts: list('fenced_accounts') as FencedAccount[],
    disabledEvents: list('disabled_events') as RecordedEvent[],
    restoreState: json('restore_state'),
    startedAt: toIso(text('started_at')) ?? refuse('started_at'),
    finishedAt: toIso(text('finished_at')),
    outcome: text('outcome') === null ? null : oneOf('outcome', outcomes),
    exitCode: text('exit_code') === null ? null : Number(text('exit_code')),
    report: text('report'),
    masterdataDigest: text('masterdata_digest'),
  };
}

/** The column holds UTC without saying so. */
function toIso(utc: string | null): string | null {
  return utc === null ? null : `${utc.replace(' ', 'T')}Z`;
}
