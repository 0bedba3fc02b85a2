/** `deploy resolve`: carries out what a person decided about a run that did not end. */
import type { Db } from '../database/connect.ts';
import { type Hold, readLock } from '../database/lock.ts';
import { inTransaction } from '../database/transaction.ts';
import { waitForServer } from '../database/wait.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { readUnfinishedRun } from '../history/read-runs.ts';
import { isEndRecorded } from '../history/run-row.ts';
import { type RunRow, updateRun } from '../history/runs.ts';
import { advanceJournal, forgetIntent } from '../statements/journal.ts';
import { acceptRun } from './accept.ts';
import type { RunContext } from './context.ts';
import { close, finish, type StoredPlan } from './cycle.ts';
import { type Facts, readFacts } from './facts.ts';
import { type Fenced, fenceOut, letIn } from './fence.ts';
import { besideRun, throwIfNotFenceable } from './half-way.ts';
import { withLock } from './locked.ts';
import { goOn } from './recover.ts';
import { step } from './report.ts';
import type { EditedRun } from './resolve-forward.ts';
import { lookAtRun, type ResolveChoice, type RunLook } from './resolve-look.ts';
import { resumeRestore } from './restore.ts';
import type { InDoubtAnswer } from './resume.ts';
import { putBack, settle, settleAccept } from './settle.ts';

/** Waits for the server and reads the facts. The caller closes the connection. */
export async function openFacts(context: RunContext): Promise<{ db: Db; facts: Facts }> {
  const { config, log, stop, report } = context;
  const database = config.database.name;
  const db = await waitForServer(config.database, {
    ...{ waitMs: config.dbWaitMs, log, signal: stop, database },
  });
  try {
    const facts = await readFacts(db, config, context.folder);
    report.database.before = facts.resolution.actualVersion;
    return { db, facts };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** What there is to decide; null when every run has ended. Needs no lock, changes nothing. */
export async function findUndecided(
  context: RunContext,
  answer: InDoubtAnswer | null,
): Promise<{ readonly look: RunLook | null; readonly facts: Facts }> {
  const { db, facts } = await openFacts(context);
  try {
    if (facts.unfinished === null) return { look: null, facts };
    await throwIfAlive(context, db, facts.unfinished);
    return { look: await lookAtRun(context, db, facts, facts.unfinished, answer), facts };
  } finally {
    await db.close();
  }
}

/** @throws DeployError or SettledError `LOCK_HELD` while a run is at work: there is nothing to decide about it yet. */
async function throwIfAlive({ config }: RunContext, db: Db, run: RunRow): Promise<void> {
  const lock = await readLock(db, config.database.name);
  if (lock === null || !lock.held || lock.expired) return;
  const what = `run ${lock.owner} is at work, and may still end by itself`;
  const where = `${lock.host}, pid ${lock.pid}, connection ${lock.connectionId}, since ${lock.acquiredAt}`;
  throw besideRun(new DeployError('LOCK_HELD', what, { where }), config.database.name, run);
}

/**
 * Carries `choice` out, after `confirm` has not thrown. Takes the lock. A kill at any moment
 * leaves a run that can be resolved, or gone on with by `up`.
 *
 * DATA LOSS: `put-back` restores the backup set of the run; what was written since then goes.
 *
 * @throws DeployError `CHOICE_REFUSED`, `LOCK_HELD`, `NOT_CONFIRMED`; SettledError after changes
 */
export async function resolveRun(
  context: RunContext,
  found: { readonly look: RunLook; readonly facts: Facts },
  choice: ResolveChoice,
): Promise<void> {
  const { look } = found;
  context.report.mode = 'resolve';
  const { possible, text } = look.options[choice];
  if (!possible) {
    throw new DeployError('CHOICE_REFUSED', `--${choice} is not possible: ${text}`, {
      where: `run ${look.run.runId}, ${look.run.state}`,
    });
  }
  await withLock(impatient(context), async (hold) => {
    const run = await readUnfinishedRun(hold.db, hold.database);
    if (run === null || !isSame(run, look.run)) {
      throw new DeployError('NOT_CONFIRMED', 'the run has moved on since it was shown', {
        next: ['look again: deploy resolve'],
      });
    }
    const facts = await readFacts(hold.db, context.config, context.folder);
    if (choice !== 'accept') throwIfNotFenceable(context, facts, run);
    let known = run;
    const onFenced = (fenced: Fenced) => {
      known = { ...run, ...fenced };
    };
    try {
      const decided = { look, choice, onFenced };
      await step(context.report, choice, () => carryOut(context, hold, facts, decided));
    } catch (error) {
      const settleIt = choice === 'accept' ? settleAccept : settle;
      throw await settleIt(context, hold, known, error);
    }
  });
}

/** A person waits at the other end: another run is said at once, not after LOCK_WAIT_SECONDS. */
export function impatient(context: RunContext): RunContext {
  const lockWaitMs = Math.min(context.config.lockWaitMs, 5_000);
  return { ...context, config: { ...context.config, lockWaitMs } };
}

function isSame(now: RunRow, shown: RunRow): boolean {
  return now.runId === shown.runId && now.state === shown.state && now.epoch === shown.epoch;
}

async function carryOut(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  decided: {
    readonly look: RunLook;
    readonly choice: ResolveChoice;
    readonly onFenced: (fenced: Fenced) => void;
  },
): Promise<void> {
  const { report } = context;
  const { look, choice, onFenced } = decided;
  const { run } = look;
  report.database.before = run.from;
  if (choice === 'accept') {
    await acceptRun(context, hold, facts, run);
    report.database.state = 'partial';
    return;
  }
  // Not where nothing was changed yet, nor where the application may be in for good.
  if (run.state !== 'locked' && !isEndRecorded(run))
    await fenceOut(context, hold, facts, run, onFenced);
  if (choice === 'put-back') {
    await takeBack(context, hold, run);
    return;
  }
  await goForward(context, hold, facts, look);
  report.database.after = run.to;
  report.database.state = 'as_required';
  report.database.statement = `${hold.database} is at ${run.to ?? 'no version'}: run ${run.runId} was gone on with and has ended`;
}

async function takeBack(context: RunContext, hold: Hold, run: RunRow): Promise<void> {
  const { report } = context;
  report.database.after = run.from;
  report.database.state = 'as_before';
  if (run.state === 'locked') {
    await letIn(context, hold, run);
    await updateRun(hold, run.runId, { state: 'closed', outcome: 'abandoned' });
    report.database.statement = `${hold.database} is at ${run.from ?? 'no version'}, not touched`;
    return;
  }
  const reason = new DeployError('RUN_UNDECIDED', `run ${run.runId} was put back by a person`);
  report.database.statement = (await putBack(context, hold, run, reason)).statement;
}

async function goForward(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  { run, forward }: RunLook,
): Promise<void> {
  switch (forward.kind) {
    case 'close':
      return close(context, hold, run);
    case 'finish':
      return finish(context, hold, facts, run);
    case 'restore':
      return resumeRestore(context, hold, run);
    case 'resume':
      await reopen(hold, run);
      return goOn(context, hold, facts, run, forward.resume);
    case 'edited': {
      const edited = await adoptEdits(hold, run, forward.edited);
      return goOn(context, hold, facts, edited, { kind: 'go-on', ...forward.edited });
    }
    case 'no':
      throw new DeployError('CHOICE_REFUSED', forward.why);
  }
}

/** A put-back that had not begun to restore is given up. */
async function reopen(hold: Hold, run: RunRow): Promise<void> {
  if (run.state !== 'changing') await updateRun(hold, run.runId, { state: 'changing' });
}

/** Makes the corrected files those of the run, at once: from now on an `up` with them goes on too. */
async function adoptEdits(hold: Hold, run: RunRow, edited: EditedRun): Promise<RunRow> {
  const { planDigest, actions, existed, forget } = edited;
  const plan: StoredPlan = { ...(run.plan as StoredPlan), actions, existed };
  await inTransaction(hold.db, async () => {
    await updateRun(hold, run.runId, { planDigest, plan, state: 'changing' });
    if (forget !== null) await forgetIntent(hold, run.runId, forget);
    // What a person said of a statement in doubt is known nowhere else.
    await advanceJournal(hold, run.runId, { done: edited.done, intent: null });
  });
  await failPoint('resolve.adopted');
  return { ...run, planDigest, plan, state: 'changing' };
}
