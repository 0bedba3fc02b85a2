/**
 * What an `up` does about a run that did not end (the table of DESIGN §5a): finish it when it is
 * exactly what this image would do, else put the database back from that run's proven set.
 */
import { sweepUnfinished } from '../backup/folder.ts';
import { literal } from '../database/literal.ts';
import type { Hold } from '../database/lock.ts';
import { untilFree, waitBriefly } from '../database/until-free.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { readUnfinishedRun } from '../history/read-runs.ts';
import { isEndRecorded } from '../history/run-row.ts';
import { type RunRow, updateRun } from '../history/runs.ts';
import { setCounters } from '../migrations/counters.ts';
import { advanceJournal, readJournal } from '../statements/journal.ts';
import { knowsOver } from './back-up.ts';
import { patienceOf, type RunContext } from './context.ts';
import { countersBefore } from './counters.ts';
import { change, close, finish, type StoredPlan } from './cycle.ts';
import type { Facts } from './facts.ts';
import { type Fenced, fenceOut, letIn } from './fence.ts';
import { besideRun, throwIfNotFenceable } from './half-way.ts';
import { discardStaging, resumeRestore } from './restore.ts';
import { findResume, type Resume } from './resume.ts';
import { putBack, settle } from './settle.ts';

/**
 * Ends an unfinished run, if there is one, and says how. Needs the lock: while we hold it, no
 * statement of the earlier process is running any more.
 *
 * @throws SettledError when going on or putting back failed.
 */
export async function recoverUnfinished(
  context: RunContext,
  hold: Hold,
  facts: Facts,
): Promise<'none' | 'abandoned' | 'accepted' | 'finished' | 'put back'> {
  const database = context.config.database.name;
  const run = await readUnfinishedRun(hold.db, database);
  if (run === null) return 'none';
  context.log.warn(
    { run: run.runId, state: run.state },
    `run ${run.runId} did not end (${run.state})`,
  );
  // Also when nothing is to be backed up any more: nobody else would remove what that run was writing.
  await sweepUnfinished(context.config.backupDir, context.log, knowsOver(context, hold));
  if (run.state === 'locked') {
    await assertUnchanged(hold, run);
    await letIn(context, hold, run);
    await discardStaging(context, hold, run);
    await updateRun(hold, run.runId, { state: 'closed', outcome: 'abandoned' });
    return 'abandoned';
  }
  context.report.database.before = run.from;
  throwIfNotFenceable(context, facts, run);
  let known = run;
  const onFenced = (fenced: Fenced) => {
    known = { ...run, ...fenced };
  };
  try {
    return await endChangedRun(context, hold, facts, run, onFenced);
  } catch (error) {
    throw await settle(context, hold, known, error);
  }
}

/** The state of a run is written before its first entry: somebody has set it back by hand. */
async function assertUnchanged({ db, database }: Hold, run: RunRow): Promise<void> {
  const journal = await readJournal(db, database, run.runId);
  if (journal.length === 0) return;
  const error = new DeployError(
    'HISTORY_UNREADABLE',
    `deploy_run says that run ${run.runId} has changed nothing, and deploy_journal has what it did`,
    {
      where: 'deploy_run.state',
      next: [
        `write back what it was: UPDATE deploy_run SET state = 'changing' WHERE run_id = ${literal(run.runId)}`,
        'then run the same command again',
      ],
    },
  );
  throw besideRun(error, database, { ...run, state: 'changing' });
}

async function endChangedRun(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
  onFenced: (fenced: Fenced) => void,
): Promise<'accepted' | 'finished' | 'put back'> {
  // The result is recorded: the application may be in already, so never back.
  if (isEndRecorded(run)) {
    await close(context, hold, run);
    return run.outcome === 'left' ? 'accepted' : 'finished';
  }
  await fenceOut(context, hold, facts, run, onFenced);
  if (run.state === 'putting_back') {
    await putBack(context, hold, run, undecided(run));
    return 'put back';
  }
  if (run.mode === 'restore') {
    await resumeRestore(context, hold, run);
    return 'finished';
  }
  if (run.state === 'changed') {
    await finish(context, hold, facts, run);
    return 'finished';
  }
  const resume = await findResume(context, hold.db, facts, run);
  if (resume.kind === 'put-back') {
    context.log.warn({ run: run.runId }, `run ${run.runId} is put back: ${resume.why}`);
    context.report.warnings.push(`run ${run.runId} was put back: ${resume.why}`);
    await putBack(context, hold, run, undecided(run));
    return 'put back';
  }
  await goOn(context, hold, facts, run, resume);
  return 'finished';
}

/** Goes on forward with a run from where its journal is. Needs the lock. Ends with the run closed. */
export async function goOn(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
  resume: Extract<Resume, { kind: 'go-on' }>,
): Promise<void> {
  await advanceJournal(hold, run.runId, { done: resume.done, intent: null });
  context.log.info({ run: run.runId, action: resume.fromSeq }, `going on with run ${run.runId}`);
  const { actions } = run.plan as StoredPlan;
  const counters = await countersBefore(context, facts, run, resume);
  await waitBriefly(hold.db);
  await untilFree(patienceOf(context, hold), () => setCounters(hold, counters));
  await change(context, hold, facts, run, actions, resume.fromSeq);
}

function undecided(run: RunRow): DeployError {
  return new DeployError('RUN_UNDECIDED', `run ${run.runId} was cut off and has been put back`);
}
