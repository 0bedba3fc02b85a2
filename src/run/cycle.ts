/**
 * One version walked: fence, backup with proof, change, record. Whatever fails after the first
 * change ends in `settle`, which puts the database back or says why it did not.
 */
import type { BackupSet } from '../backup/manifest.ts';
import { heldNames } from '../database/events.ts';
import type { Hold } from '../database/lock.ts';
import { readServer } from '../database/server.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { readHistory } from '../history/read.ts';
import { openRun, type RunRow, updateRun } from '../history/runs.ts';
import { ensureVersionTables } from '../history/tables.ts';
import { compareVersions } from '../history/versions.ts';
import { type Action, makeActions } from '../migrations/actions.ts';
import { applyActions } from '../migrations/apply.ts';
import { setCounters } from '../migrations/counters.ts';
import { migrationsByNumber } from '../migrations/install.ts';
import { resolve } from '../migrations/resolve.ts';
import type { Finding } from '../validation/finding.ts';
import { backUp } from './back-up.ts';
import { findProblems, reconcile, validateRun } from './check-up.ts';
import { type RunContext, tableWaitMs, throwIfStopped } from './context.ts';
import { countersBefore } from './counters.ts';
import type { StoredExisted } from './existed.ts';
import type { Facts } from './facts.ts';
import { fenceOut, letIn } from './fence.ts';
import { expectedChanges, expectedWrites } from './look.ts';
import { syncInRun } from './masterdata.ts';
import type { Cycle } from './plan.ts';
import { noteAction, noteBegin, noteSkipped } from './progress.ts';
import { makeRecorder } from './record-outcome.ts';
import { step } from './report.ts';
import { assertCanPutBack } from './restorable.ts';
import { settle } from './settle.ts';
import { readState } from './state.ts';

/** What `deploy_run.plan` holds: enough for another process to go on. */
export type StoredPlan = {
  /** Digest of the files of that master data: a start that finds them unchanged need not read them. */
  readonly masterdataFiles: string | null;
  readonly adopt: readonly number[];
  readonly migrations: readonly number[];
  readonly direction: Cycle['direction'];
  /** Digest of the master data to sync after the migrations; null for none. */
  readonly masterdata: string | null;
  /** What was wrong before: only what is new fails the run. */
  readonly findings: readonly Finding[];
  readonly actions: readonly Action[];
  /** What existed before each of the migrations; missing in runs of older images. */
  readonly existed?: StoredExisted;
};

/**
 * Walks one version. Needs the lock. Leaves the database exactly at `cycle.to`, or throws. `mayChange`
 * throws when the database, fenced and backed up, is not what was planned for.
 *
 * @throws SettledError which says where the database is.
 */
export async function runCycle(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  cycle: Cycle,
  runId: string,
  mayChange: (set: BackupSet) => Promise<void> = async () => undefined,
): Promise<void> {
  const { config } = context;
  const { structural } = facts;
  const actions = makeActions(cycle, expectedChanges(structural), expectedWrites(structural));
  const stored: StoredPlan = {
    masterdataFiles: cycle.masterdata === null ? null : (facts.masterdata?.files ?? null),
    adopt: cycle.adopt.map(({ number }) => number),
    migrations: cycle.migrations.map(({ number }) => number),
    direction: cycle.direction,
    masterdata: cycle.masterdata,
    findings: config.validate === 'off' ? [] : await findProblems(context, facts, cycle.from),
    actions,
    existed: existedOf(cycle, facts),
  };
  const run: RunRow = await openRun(hold, {
    ...{ runId, planDigest: cycle.digest, mode: cycle.mode, direction: cycle.direction },
    ...{ from: cycle.from, to: cycle.to, plan: stored },
  });
  let changing = run;
  try {
    await failPoint('run.opened');
    const fenced = await runStep(context, hold, runId, 'fence', () =>
      fenceOut(context, hold, facts, run, (fenced) => {
        changing = { ...run, ...fenced };
      }),
    );
    const heldEvents = heldNames(fenced.disabledEvents);
    throwIfStopped(context);
    const set: BackupSet = await runStep(context, hold, runId, 'backup', () =>
      backUp(context, hold, facts, { mode: cycle.mode, heldEvents }),
    );
    throwIfStopped(context);
    await assertCanPutBack(context, set);
    await mayChange(set);
    changing = { ...changing, state: 'changing', backupSet: set.name };
    await updateRun(hold, runId, { state: 'changing', backupSet: set.name });
    await failPoint('run.changing');
    await change(context, hold, facts, changing, actions, 0);
  } catch (error) {
    throw await settle(context, hold, changing, error);
  }
  context.log.info(
    { version: cycle.to },
    `${config.database.name} is at ${cycle.to ?? 'no version'}`,
  );
}

/** Going up what the empty copy showed, going down what the plan keeps. */
function existedOf({ direction, migrations, existed }: Cycle, facts: Facts): StoredExisted {
  const known = direction === 'up' ? facts.structural?.existed : existed;
  const mine = new Set(migrations.map(({ number }) => number));
  return [...(known ?? [])].filter(([number]) => mine.has(number));
}

/**
 * The part of a cycle that changes the database, from action `fromSeq` on; also how an
 * unfinished run is gone on with. Ends with the run closed and the fence open.
 */
export async function change(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
  actions: readonly Action[],
  fromSeq: number,
): Promise<void> {
  const { report, config } = context;
  const migrations = migrationsByNumber(facts.folder);
  const record = makeRecorder(context, facts);
  await ensureVersionTables(hold.db);
  await runStep(context, hold, run.runId, 'migrate', () =>
    applyActions({
      ...{ hold, runId: run.runId, actions, fromSeq, migrations, stop: context.stop },
      existed: new Map((run.plan as StoredPlan).existed ?? []),
      ...{ tableWaitMs: tableWaitMs(config), log: context.log },
      beforeRetry: async ({ seq: fromSeq }, counters) =>
        setCounters(hold, await countersBefore(context, facts, run, { fromSeq, counters })),
      collation: facts.server.database.collation,
      record: (action, executionTimeMs, error) =>
        record(hold.db, {
          action,
          migration: migrations.get(action.migration)!,
          executionTimeMs,
          error,
        }),
      readState: (migration) => readState(context, migration),
      onSkip: (migration, error) => noteSkipped(context, migration, error),
      onBegin: (action, migration) => noteBegin(context, action, migration),
      onDone: (done) => noteAction(context, done),
    }),
  );
  await completeChange(context, hold, facts, run);
  await updateRun(hold, run.runId, { state: 'changed' });
  await failPoint('run.changed');
  report.database.size_after_bytes = (await readServer(hold.db, config.database.name)).sizeBytes;
  await finish(context, hold, facts, run);
}

/** A step that everybody may see: the sidecar reads its name in `deploy_run`. */
async function runStep<T>(
  { report }: RunContext,
  hold: Hold,
  runId: string,
  kind: string,
  work: () => Promise<T>,
): Promise<T> {
  await updateRun(hold, runId, { step: kind });
  return step(report, kind, work);
}

/** Safety net, master data, validation: each may be repeated by a process that goes on. */
async function completeChange(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
): Promise<void> {
  const { report, config } = context;
  const { masterdata, findings } = run.plan as StoredPlan;
  const { to } = run;
  throwIfStopped(context);
  if (run.direction === 'up' && to !== null && config.safetyNet !== 'off') {
    await runStep(context, hold, run.runId, 'reconcile', () => reconcile(context, hold, facts, to));
  }
  await failPoint('run.reconciled');
  throwIfStopped(context);
  if (masterdata !== null) {
    report.masterdata = await runStep(context, hold, run.runId, 'masterdata', () =>
      syncInRun(context, hold, facts, run),
    );
  }
  await failPoint('run.synced');
  throwIfStopped(context);
  if (config.validate !== 'off' && (await isWholeVersion(context, hold, facts, run))) {
    await runStep(context, hold, run.runId, 'validate', () =>
      validateRun(context, facts, run, findings),
    );
  }
}

/** Going back by some migrations of a version leaves a structure that no version has: nothing to compare with. */
async function isWholeVersion(
  { config }: RunContext,
  hold: Hold,
  facts: Facts,
  { direction, to }: RunRow,
): Promise<boolean> {
  if (direction === 'up') return true;
  const { applied } = resolve(facts.folder, await readHistory(hold.db, config.database.name));
  return to !== null && applied.every(({ version }) => compareVersions(version, to) <= 0);
}

/** Checks that the history says what the run promised, lets the application in, closes the run. */
export async function finish(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
): Promise<void> {
  const { report, config } = context;
  await runStep(context, hold, run.runId, 'record', async () => {
    await failPoint('run.record');
    const { actualVersion } = resolve(
      facts.folder,
      await readHistory(hold.db, config.database.name),
    );
    if (actualVersion !== run.to) {
      const message = `the history says ${actualVersion ?? 'none'} after a run to ${run.to ?? 'none'}`;
      throw new DeployError('RECORD_FAILED', message);
    }
  });
  // Everything large first: after the application is let in, only one small write is left.
  const result = { outcome: 'done', exitCode: 0, report: JSON.stringify(report) } as const;
  await updateRun(hold, run.runId, result);
  await close(context, hold, run);
}

/** Lets the application in and closes a run whose end is recorded. Safe to repeat. */
export async function close(context: RunContext, hold: Hold, run: RunRow): Promise<void> {
  await letIn(context, hold, run);
  await updateRun(hold, run.runId, { state: 'closed' });
}
