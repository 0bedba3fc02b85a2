/**
 * Carries out the actions of a run, one after the other, each journalled so that it takes effect
 * exactly once (DESIGN §5a). Applying and reverting are the same loop over other actions.
 */
import type { Log } from '../config/log.ts';
import type { Hold } from '../database/lock.ts';
import { setFreshSession } from '../database/session.ts';
import { inTransaction } from '../database/transaction.ts';
import { type DeployError, isDeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { advanceJournal, type JournalEntry } from '../statements/journal.ts';
import { type Action, statementsOf } from './actions.ts';
import { explainFailure } from './apply-failure.ts';
import { carryOut, patiently } from './carry-out.ts';
import { type Counters, readCounters, traceWrites } from './counters.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';
import { skipMigration } from './skip.ts';

/** One statement, data function or history row that took effect. */
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
  /** Connection collation for every file; the database's own. */
  readonly collation: string;
  /**
   * Writes the history row of a migration, inside the transaction that is open on the working
   * connection; `error` is null unless the migration failed and is not critical.
   */
  readonly record: (action: Action, executionTimeMs: number, error: string | null) => Promise<void>;
  /** Digest of the whole structure now. */
  readonly readStructure: () => Promise<string>;
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
  const { actions, migrations } = options;
  const writes = traceWrites(migrations);
  for (const action of actions.slice(0, options.fromSeq)) writes.add(action);
  const progress: Progress = { open: [], migrationMs: 0, structureBefore: null, writes };
  for (let seq = options.fromSeq; seq < actions.length; seq++) {
    const action = actions[seq]!;
    const migration = migrations.get(action.migration)!;
    throwIfStopped(options);
    if (actions[seq - 1]?.migration !== action.migration)
      await beginMigration(options, progress, migration);
    try {
      await applyAction(options, progress, action, migration);
    } catch (error) {
      if (!isDeployError(error, 'MIGRATION_FAILED') || progress.structureBefore === null)
        throw error;
      const record = actions.findIndex((each) => each.seq > seq && each.kind === 'record');
      await skipMigration(options, {
        migration,
        record: actions[record]!,
        error,
        before: progress.structureBefore,
      });
      progress.open = [];
      seq = record;
    }
  }
}

/** What the loop carries from one action to the next. */
type Progress = {
  /** The statement that has ended and is not marked done yet. */
  open: readonly JournalEntry[];
  migrationMs: number;
  /** Of a migration that may fail; null for all others, and when it was entered in its middle. */
  structureBefore: string | null;
  /** Of the actions so far. */
  readonly writes: ReturnType<typeof traceWrites>;
};

async function beginMigration(
  options: ApplyOptions,
  progress: Progress,
  migration: Migration,
): Promise<void> {
  const mayFail = !migration.critical && migration.down !== null;
  progress.migrationMs = 0;
  progress.structureBefore = mayFail ? await options.readStructure() : null;
}

async function applyAction(
  options: ApplyOptions,
  progress: Progress,
  action: Action,
  migration: Migration,
): Promise<void> {
  const { hold, runId } = options;
  options.onBegin?.(action, migration);
  const begunAt = performance.now();
  const statement = statementOf(migration, action);
  const work = () => carryOut(options, action, migration, statement, progress.migrationMs);
  const unknown = progress.writes.unknownTo(action);
  progress.writes.add(action);
  let rows = 0;
  try {
    await openFile(options, action, migration);
    if (isTransactional(action)) {
      const noted = await noteCounters(options, progress, action, unknown);
      rows = await patiently(options, statement, async (triedBefore) => {
        if (triedBefore > 0) await options.beforeRetry(action, noted);
        return inTransaction(hold.db, async () => {
          await advanceJournal(hold, runId, { done: [...progress.open, action], intent: null });
          await failPoint('apply.journalled');
          return work();
        });
      });
      progress.open = [];
    } else if (action.class === 'session') {
      await work();
    } else {
      await advanceJournal(hold, runId, { done: progress.open, intent: action });
      progress.open = [action];
      await failPoint('apply.journalled');
      rows = await patiently(options, statement, work);
    }
  } catch (error) {
    throw explainFailure(error, { options, action, migration, statement });
  }
  await failPoint('apply.executed');
  const durationMs = performance.now() - begunAt;
  progress.migrationMs += durationMs;
  options.onDone?.({ action, migration, sql: statement?.sql ?? nameOf(action), durationMs, rows });
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

/** True for what shares its transaction with its journal row: it took effect when that says done. Pure. */
export function isTransactional(action: Action): boolean {
  return action.class === 'dml' || action.kind !== 'statement';
}

function statementOf(migration: Migration, action: Action): ClassifiedStatement | undefined {
  if (action.kind !== 'statement') return undefined;
  return statementsOf(migration, action.direction)[action.statement - 1];
}

function nameOf(action: Action): string {
  return action.kind === 'data' ? 'data function' : 'history row';
}

function throwIfStopped({ hold, stop }: ApplyOptions): void {
  if (hold.signal.aborted) throw hold.signal.reason;
  if (stop.aborted) throw stop.reason;
}

/**
 * Gives a file the session that it may rely on. When a file is entered in its middle its session
 * statements before that place are repeated; `canResume` has seen to it that they suffice.
 */
async function openFile(
  options: ApplyOptions,
  action: Action,
  migration: Migration,
): Promise<void> {
  const entered = action.seq === options.fromSeq;
  const previous = options.actions[action.seq - 1];
  const sameFile =
    previous?.kind === 'statement' &&
    action.kind === 'statement' &&
    previous.migration === action.migration;
  if (sameFile && !entered) return;
  await setFreshSession(options.hold.db, { collation: options.collation });
  if (!sameFile) return;
  for (const statement of statementsOf(migration, action.direction).slice(
    0,
    action.statement - 1,
  )) {
    if (statement.classification.class === 'session') await options.hold.db.run(statement.sql);
  }
}
