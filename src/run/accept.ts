/**
 * Takes the database as it is: finds out how many migrations of a run that did not end are really
 * in it, and makes the history say so.
 */
import type { Hold } from '../database/lock.ts';
import { inTransaction } from '../database/transaction.ts';
import { failPoint } from '../errors/fail-point.ts';
import type { HistoryFacts } from '../history/history-facts.ts';
import { readHistory } from '../history/read.ts';
import { type RunRow, updateRun } from '../history/runs.ts';
import { ensureVersionTables } from '../history/tables.ts';
import type { Action } from '../migrations/actions.ts';
import { migrationsByNumber } from '../migrations/install.ts';
import { resolve } from '../migrations/resolve.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { readJournal } from '../statements/journal.ts';
import { openConnection, type RunContext } from './context.ts';
import { close, type StoredPlan } from './cycle.ts';
import type { Facts } from './facts.ts';
import { makeRecorder } from './record-outcome.ts';

/** What is true of a run: how many of its migrations took effect in full. */
export type Truth = {
  readonly complete: number;
  /** False when the structure is that after none of them: then the journal alone says it. */
  readonly matches: boolean;
};

/**
 * Finds the number of migrations after which the structure is as it is now. The journal is right
 * when it fits; else the nearest number that fits. Pure.
 */
export function findTruth(
  actions: readonly Action[],
  doneSeqs: ReadonlySet<number>,
  live: ReadonlyMap<ObjectKey | string, string>,
): Truth {
  const records = actions.filter(({ kind }) => kind === 'record');
  const journalled = records.findIndex(({ seq }) => !doneSeqs.has(seq));
  const complete = journalled === -1 ? records.length : journalled;
  const fits = fittingCounts(actions, live);
  if (fits.length === 0) return { complete, matches: false };
  if (fits.includes(complete)) return { complete, matches: true };
  const [nearest] = fits.toSorted((a, b) => Math.abs(a - complete) - Math.abs(b - complete));
  return { complete: withRecordedOnly(actions, records, nearest!), matches: true };
}

/**
 * The numbers of migrations after which every object that the run touches looks as it does now.
 * One walk over the actions, which keeps count of the objects that look otherwise.
 */
function fittingCounts(
  actions: readonly Action[],
  live: ReadonlyMap<ObjectKey | string, string>,
): number[] {
  const expected = new Map<string, string | null>();
  const isOther = (key: string) => (live.get(key) ?? null) !== expected.get(key);
  for (const { changes } of actions)
    for (const { key, before } of changes) if (!expected.has(key)) expected.set(key, before);
  let others = [...expected.keys()].filter(isOther).length;
  const fits = others === 0 ? [0] : [];
  let count = 0;
  for (const { changes, kind } of actions) {
    for (const { key, after } of changes) {
      if (isOther(key)) others--;
      expected.set(key, after);
      if (isOther(key)) others++;
    }
    if (kind !== 'record') continue;
    count++;
    if (others === 0) fits.push(count);
  }
  return fits;
}

/** A migration that is only recorded, e.g. one that schema.sql covers, goes with the one before it. */
function withRecordedOnly(
  actions: readonly Action[],
  records: readonly Action[],
  count: number,
): number {
  let complete = count;
  while (complete > 0 && complete < records.length) {
    if (actions[records[complete]!.seq - 1]?.kind !== 'record') break;
    complete++;
  }
  return complete;
}

/**
 * Makes the history say what is true, lets the application in and closes the run. Needs the lock.
 * Killed in between, the run is still open and can be resolved again.
 *
 * @throws DeployError `LOCK_LOST`, `HISTORY_UNREADABLE`
 */
export async function acceptRun(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
): Promise<Truth> {
  const { report, config } = context;
  const database = config.database.name;
  const takenBack = await readTakenBack(hold, run);
  const truth = await readTruth(context, run, takenBack);
  const { actions } = run.plan as StoredPlan;
  const records = actions.filter(({ kind }) => kind === 'record');
  await ensureVersionTables(hold.db);
  await inTransaction(hold.db, async () => {
    await hold.assertHeld();
    const correct = correcting(context, hold, facts, await readHistory(hold.db, database));
    for (const [index, action] of records.entries())
      if (!takenBack.has(action.migration)) await correct(action, index < truth.complete);
    await failPoint('resolve.recording');
    await updateRun(hold, run.runId, { outcome: 'left', exitCode: 0 });
  });
  await failPoint('resolve.recorded');
  const { actualVersion } = resolve(facts.folder, await readHistory(hold.db, database));
  report.database.after = actualVersion;
  report.database.statement = `${database} is at ${actualVersion ?? 'no version'}: taken as it is`;
  if (!truth.matches) {
    report.warnings.push(
      'the structure is not that after any migration of the run: deploy schema diff shows what differs, and the next up plans from it',
    );
  }
  await close(context, hold, run);
  return truth;
}

/**
 * Migrations that failed, are not critical and were taken back by this run: the history says so
 * already, and the structure has nothing of them. Needs no lock.
 */
async function readTakenBack({ db, database }: Hold, run: RunRow): Promise<ReadonlySet<number>> {
  const { actions } = run.plan as StoredPlan;
  const journal = await readJournal(db, database, run.runId);
  const ended = journal.filter(
    ({ seq, state }) => state === 'done' && actions[seq]?.kind === 'record',
  );
  const { failed } = await readHistory(db, database);
  const numbers = ended.filter(({ direction }) => direction === 'up').map((row) => row.migration);
  return new Set(numbers.filter((number) => failed.some((row) => row.number === number)));
}

/** Reads what `findTruth` needs; `takenBack` have changed nothing. Needs no lock. */
async function readTruth(
  context: RunContext,
  run: RunRow,
  takenBack: ReadonlySet<number>,
): Promise<Truth> {
  const database = context.config.database.name;
  const reader = await openConnection(context);
  try {
    const journal = await readJournal(reader, database, run.runId);
    const done = journal.filter(({ state }) => state === 'done').map(({ seq }) => seq);
    const live = fingerprintSchema(await readSchema(reader, database));
    const actions = (run.plan as StoredPlan).actions.map((action) =>
      takenBack.has(action.migration) ? { ...action, changes: [] } : action,
    );
    return findTruth(actions, new Set(done), live);
  } finally {
    await reader.close();
  }
}

/** Writes or removes one row of the history at a time, if it does not say already what is true. */
function correcting(
  context: RunContext,
  hold: Hold,
  { folder }: Facts,
  { applied, failed }: HistoryFacts,
): (action: Action, tookEffect: boolean) => Promise<void> {
  const migrations = migrationsByNumber(folder);
  const record = makeRecorder(context, { folder });
  // Each migration comes once: what was read before the first stays true for the others.
  const recorded = new Set(applied.map(({ number }) => number));
  const hasFailed = new Set(failed.map(({ number }) => number));
  return async ({ migration: number, direction }, tookEffect) => {
    const migration = migrations.get(number);
    const isTrue = (direction === 'up') === tookEffect;
    // One that failed and is not critical is neither applied nor to be removed.
    if (migration === undefined || isTrue === recorded.has(number)) return;
    if (!isTrue && hasFailed.has(number)) return;
    await record(hold.db, {
      ...{ action: { direction: isTrue ? 'up' : 'down', of: 0 }, migration },
      ...{ executionTimeMs: 0, error: null },
    });
  };
}
