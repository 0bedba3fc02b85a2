/**
 * Carries out the actions of a run, one after the other, each journalled so that it takes effect
 * exactly once (DESIGN §5a). Applying and reverting are the same loop over other actions.
 */
import type { Log } from '../config/log.ts';
import type { Hold } from '../database/lock.ts';
import { inTransaction } from '../database/transaction.ts';
import { type DeployError, isDeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { advanceJournal, assertGuard, type JournalEntry } from '../statements/journal.ts';
import { type Action, statementOf, statementsOf } from './actions.ts';
import { explainFailure } from './apply-failure.ts';
import { carryOut, nameOf, noteIds, patiently } from './carry-out.ts';
import { closeFailedFile } from './close-file.ts';
import { type Counters, readCounters, traceWrites } from './counters.ts';
import type { ExistedBefore } from './existing.ts';
import { type Group, groupAt, isTransactional } from './group.ts';
import type { Migration } from './migration.ts';
import { openFile } from './open-file.ts';
import { canBeSkipped, skipMigration } from './skip.ts';

/** One action that took effect. */
export type ActionDone = {
  readonly action: Action;
  readonly migration: Migration;
  readonly sql: string;
  readonly durationMs: number;
  readonly rows: number;
};

export type ApplyOptions = {
  readonly hold: Hold;
  readonly runId: string;
  readonly actions: readonly Action[];
  /** The first action to carry out, e.g. 3 when actions 0 to 2 took effect in an earlier process. */
  readonly fromSeq: number;
  readonly migrations: ReadonlyMap<number, Migration>;
  /** What existed before the migrations: taking back one that may fail leaves it alone. */
  readonly existed: ExistedBefore;
  /** Connection collation for every file; the database's own. */
  readonly collation: string;
  /**
   * Writes the history row of a migration, inside the transaction that is open on the working
   * connection; `error` is null unless the migration failed and is not critical.
   */
  readonly record: (action: Action, executionTimeMs: number, error: string | null) => Promise<void>;
  /** Digest of the whole structure now, and of the rows that the migration may change. */
  readonly readState: (migration: Migration) => Promise<string>;
  /** Told of a migration that failed, is not critical, and was taken back. */
  readonly onSkip?: (migration: Migration, error: DeployError) => void;
  readonly onBegin?: (action: Action, migration: Migration) => void;
  readonly onDone?: (done: ActionDone) => void;
  /** For how long a statement is tried again while others use its tables. */
  readonly tableWaitMs: number;
  readonly log: Log;
  /** Called before a transaction that was rolled back is tried again: rows must get the same ids. */
  readonly beforeRetry: (action: Action, noted: Counters | null) => Promise<void>;
  /** Ends the loop before the next action; what has taken effect stays and is journalled. */
  readonly stop: AbortSignal;
};

/**
 * Carries out `actions` from `fromSeq` on the working connection. Needs the lock.
 *
 * A migration that is not critical and fails is taken back and recorded as failed; the loop goes
 * on with the next one (skip.ts).
 *
 * @throws DeployError `MIGRATION_FAILED` (where: file and line; the failing statement was undone
 * by the server), `TABLES_IN_USE`, `RECORD_FAILED`, `INTERRUPTED`, `LOCK_LOST`, `CONNECTION_LOST`.
 */
export async function applyActions(options: ApplyOptions): Promise<void> {
  const { actions, migrations, fromSeq } = options;
  const writes = traceWrites(migrations);
  for (const action of actions.slice(0, fromSeq)) writes.add(action);
  const progress: Progress = { ...atStart, writes };
  for (let seq = fromSeq; seq < actions.length; ) {
    const action = actions[seq]!;
    const migration = migrations.get(action.migration)!;
    throwIfStopped(options);
    if (actions[seq - 1]?.migration !== action.migration)
      await beginMigration(options, progress, migration, action);
    try {
      const group = isTransactional(action) ? groupAt(seq, actions, migrations) : null;
      if (group === null) await applyAlone(options, progress, action, migration);
      else await applyTogether(options, progress, group, migration);
      seq += group?.actions.length ?? 1;
    } catch (error) {
      if (!isDeployError(error, 'MIGRATION_FAILED') || progress.stateBefore === null) throw error;
      const record = actions.findIndex((each) => each.seq > seq && each.kind === 'record');
      await skipMigration(options, {
        migration,
        record: actions[record]!,
        error,
        before: progress.stateBefore,
      });
      Object.assign(progress, { open: [], intended: null });
      seq = record + 1;
    }
  }
}

/** What the loop carries from one action to the next. */
type Progress = {
  /** The statement that has ended and is not marked done yet. */
  open: readonly JournalEntry[];
  /** The next statement, when its intent is written already. */
  intended: Action | null;
  migrationMs: number;
  /** Of a migration that may fail; null for all others, and when it was entered in its middle. */
  stateBefore: string | null;
  /** Of the actions so far. */
  readonly writes: ReturnType<typeof traceWrites>;
};

const atStart = { open: [], intended: null, migrationMs: 0, stateBefore: null } as const;

async function beginMigration(
  options: ApplyOptions,
  progress: Progress,
  migration: Migration,
  action: Action,
): Promise<void> {
  progress.migrationMs = 0;
  const mayFail = canBeSkipped(migration, action.direction);
  progress.stateBefore = mayFail ? await options.readState(migration) : null;
}

/** A statement that commits by itself, or that only changes the session. */
async function applyAlone(
  options: ApplyOptions,
  progress: Progress,
  action: Action,
  migration: Migration,
): Promise<void> {
  const { hold, runId } = options;
  progress.writes.add(action);
  const done = await explaining(options, { action, migration }, async () => {
    const guarded = await openFile(options, action, migration);
    // It may read tables, too: SET @n = (SELECT …), CREATE TEMPORARY TABLE … SELECT.
    if (action.class === 'session') return perform(options, progress, action, migration, patiently);
    // With an intent that is written already only the lock is left to look at.
    if (progress.intended !== action) {
      const tableIds = await noteIds(options, statementOf(migration, action));
      await advanceJournal(hold, runId, { done: progress.open, intent: action, tableIds });
    } else if (!guarded) await assertGuard(hold);
    progress.open = [action];
    progress.intended = null;
    await failPoint('apply.journalled');
    return perform(options, progress, action, migration, patiently);
  });
  await failPoint('apply.executed');
  options.onDone?.(done);
}

/** What can be rolled back, in one transaction with its journal rows. */
async function applyTogether(
  options: ApplyOptions,
  progress: Progress,
  { actions, intent }: Group,
  migration: Migration,
): Promise<void> {
  const { hold, runId } = options;
  const current = { action: actions[0]!, migration };
  const unknown = progress.writes.unknownTo(current.action);
  for (const action of actions) progress.writes.add(action);
  const ended: ActionDone[] = [];
  await explaining(options, current, async () => {
    await openFile(options, current.action, migration);
    const noted = await noteCounters(options, progress, current.action, unknown);
    await patiently(options, statementOf(migration, current.action), async (triedBefore) => {
      if (triedBefore > 0) await options.beforeRetry(actions[0]!, noted);
      ended.length = 0;
      await inTransaction(hold.db, async () => {
        await advanceJournal(hold, runId, { done: [...progress.open, ...actions], intent });
        await failPoint('apply.journalled');
        for (const action of actions) {
          current.action = action;
          ended.push(await perform(options, progress, action, migration));
        }
      });
      return ended.length;
    });
  });
  progress.open = intent === null ? [] : [intent];
  progress.intended = intent;
  for (const done of ended) {
    await failPoint('apply.executed');
    options.onDone?.(done);
  }
}

/** Calls an error of `work` by the name that it has for the action that was then carried out. */
async function explaining<T>(
  options: ApplyOptions,
  current: { readonly action: Action; readonly migration: Migration },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { action, migration } = current;
    await closeFailedFile(options.hold.db, statementsOf(migration, action.direction));
    const statement = statementOf(migration, action);
    throw explainFailure(error, { options, action, migration, statement });
  }
}

async function perform(
  options: ApplyOptions,
  progress: Progress,
  action: Action,
  migration: Migration,
  run: typeof patiently = (_options, _statement, work) => work(0),
): Promise<ActionDone> {
  const begunAt = performance.now();
  const statement = statementOf(migration, action);
  const running = run(options, statement, () =>
    carryOut(options, action, migration, statement, progress.migrationMs),
  );
  // It is on its way to the server: what is said of it costs no time while it is carried out.
  options.onBegin?.(action, migration);
  const rows = await running;
  const durationMs = performance.now() - begunAt;
  progress.migrationMs += durationMs;
  return { action, migration, sql: statement?.sql ?? nameOf(action), durationMs, rows };
}

/**
 * Notes the counters that a transaction may move and that only the live database knows, so that
 * the rows have the same ids when the transaction is rolled back by a crash and run again.
 */
async function noteCounters(
  { hold, runId }: ApplyOptions,
  progress: Progress,
  action: Action,
  tables: readonly string[] | null,
): Promise<Counters | null> {
  if (tables?.length === 0) return null;
  const counters = await readCounters(hold.db, hold.database, tables);
  await advanceJournal(hold, runId, { done: progress.open, intent: action, counters });
  progress.open = [];
  return counters;
}

function throwIfStopped({ hold, stop }: ApplyOptions): void {
  if (hold.signal.aborted) throw hold.signal.reason;
  if (stop.aborted) throw stop.reason;
}
