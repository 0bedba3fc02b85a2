/**
 * Decides what a run that was cut off inside a statement has to do about it (DESIGN §5a).
 * Pure: the caller reads the journal and the schema. A statement is in doubt when the journal
 * has its intent and not its end. Statements that can be rolled back are never in doubt.
 */
import type { StatementClass } from './statement.ts';
import type { IdsSeen } from './table-ids.ts';

export type InDoubt = {
  readonly class: StatementClass;
  readonly repeatable: boolean;
  /** Not repeatable and possibly without a trace in the structure: EXCHANGE PARTITION, RENAME cycles. */
  readonly invisible: boolean;
  /** The file says that its statements may be run again. */
  readonly rerunnable: boolean;
  /** True when the statement, tried on an empty copy, left another structure than it found. */
  readonly changesStructure: boolean;
  /** How the objects that it changes look now. */
  readonly live: 'before' | 'expected' | 'neither';
  /** Of what is `invisible`: whether the tables still have the ids that the journal noted. */
  readonly ids: IdsSeen;
};

/**
 * - `run`: it did not take effect, or running it again has the same effect;
 * - `done`: it took effect;
 * - `put-back`: it cannot be told, or it took effect by half.
 */
export type Verdict = 'run' | 'done' | 'put-back';

/** Decides one statement in doubt. */
export function decideInDoubt(statement: InDoubt): Verdict {
  if (statement.rerunnable) return 'run';
  if (statement.class === 'opaque') return 'put-back';
  if (statement.changesStructure) {
    if (statement.live === 'before') return 'run';
    return statement.live === 'expected' ? 'done' : 'put-back';
  }
  // The structure cannot tell. Only what may run twice is run again.
  if (statement.live === 'neither') return 'put-back';
  if (statement.invisible) return BY_IDS[statement.ids];
  return statement.repeatable && statement.class !== 'ddl-not-atomic' ? 'run' : 'put-back';
}

const BY_IDS = { before: 'run', moved: 'done', unknown: 'put-back' } as const;

/** How a set of objects looks now, against how it looked before and should look after. */
export function matchStructure(
  changes: readonly {
    readonly key: string;
    readonly before: string | null;
    readonly after: string | null;
  }[],
  live: ReadonlyMap<string, string>,
): InDoubt['live'] {
  const now = (key: string) => live.get(key) ?? null;
  if (changes.every((change) => now(change.key) === change.before)) return 'before';
  return changes.every((change) => now(change.key) === change.after) ? 'expected' : 'neither';
}

/** Whether a file can be gone on with in its middle: nothing that it needs lives only in the session. */
export function canResume(statements: readonly { readonly sessionDependent: boolean }[]): boolean {
  return !statements.some((statement) => statement.sessionDependent);
}
