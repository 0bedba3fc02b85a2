/** Going back, as a whole: wait, plan, confirm, lock, recover, plan again, revert. */
import type { Db } from '../database/connect.ts';
import { assertUsable, readServer } from '../database/server.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { RollbackTarget } from './choose-reverts.ts';
import { openConnection, type RunContext } from './context.ts';
import { type Facts, readFacts } from './facts.ts';
import { withLock } from './locked.ts';
import { openDatabase } from './open-database.ts';
import { recoverUnfinished } from './recover.ts';
import { throwIfRefused } from './refuse.ts';
import { step } from './report.ts';
import { planRollback, type RollbackPlan, rollback } from './rollback.ts';

export type BackOptions = { readonly acceptDataLoss: boolean };

/**
 * Waits for the server and opens the connection of a command that changes the database; the report
 * gets its size. The caller closes it.
 *
 * @throws DeployError when the server is not usable, or does not answer in time
 */
export async function openForChange(context: RunContext): Promise<Db> {
  const { config, report } = context;
  const db = await openDatabase(context);
  try {
    const server = await readServer(db, config.database.name);
    assertUsable(server);
    report.database.size_before_bytes = server.sizeBytes;
    report.database.size_after_bytes = server.sizeBytes;
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Plans a rollback without a lock and without changing anything. */
export async function planBack(
  context: RunContext,
  target: RollbackTarget,
  options: BackOptions,
): Promise<{ readonly facts: Facts; readonly plan: RollbackPlan }> {
  const db = await openForChange(context);
  try {
    return await planRollback(context, db, target, options);
  } finally {
    await db.close();
  }
}

/** Carries a rollback out; `confirm` throws when nobody wants it. */
export async function runBack(
  context: RunContext,
  target: RollbackTarget,
  options: BackOptions & { readonly confirm: (plan: RollbackPlan, facts: Facts) => Promise<void> },
): Promise<void> {
  const { report } = context;
  const db = await openForChange(context);
  try {
    const first = await step(report, 'plan', () => planRollback(context, db, target, options));
    report.database.before = first.plan.from;
    report.mode = 'rollback';
    if (first.facts.unfinished === null) {
      throwIfRefused(first.plan);
      if (first.plan.cycles.length === 0) return noteNothing(context, first.plan);
    }
    await options.confirm(first.plan, first.facts);
    await withLock(context, async (hold) => {
      const facts = await readFacts(hold.db, context.config, context.folder);
      const ended = await recoverUnfinished(context, hold, facts);
      const { facts: now, plan } = await planUnderLock(context, target, options);
      report.database.after = plan.from;
      // The run that was ended here may be this very command, repeated after a crash.
      const repeated = ended === 'finished' && facts.unfinished?.mode === 'rollback';
      if (repeated && target.kind === 'steps') return noteRepeated(context, plan);
      throwIfRefused(plan);
      throwIfOther(first.plan, plan);
      await rollback(context, hold, now, plan, options);
    });
  } finally {
    await db.close();
  }
}

async function planUnderLock(context: RunContext, target: RollbackTarget, options: BackOptions) {
  const reader = await openConnection(context);
  try {
    return await planRollback(context, reader, target, options);
  } finally {
    await reader.close();
  }
}

function noteRepeated({ report, config }: RunContext, plan: RollbackPlan): void {
  report.database.state = 'as_required';
  report.database.statement = `${config.database.name} is at ${plan.from ?? 'no version'}: the rollback that was cut off is ended`;
}

/** What was confirmed is done, and nothing else: another run may have gone back meanwhile. */
function throwIfOther(confirmed: RollbackPlan, now: RollbackPlan): void {
  const digest = (plan: RollbackPlan) => plan.cycles[0]?.digest;
  if (now.cycles.length === 0 || digest(confirmed) === digest(now)) return;
  const message =
    confirmed.mode === 'recover'
      ? 'a run that had not ended was ended first, and only now can be said what going back takes'
      : 'the database has changed since this was planned';
  throw new DeployError('NOT_CONFIRMED', message, {
    next: ['run the same command again: it plans anew'],
  });
}

function noteNothing({ report, config }: RunContext, plan: RollbackPlan): void {
  report.mode = 'nothing to do';
  report.database.after = plan.from;
  report.database.statement = `${config.database.name} is at ${plan.from ?? 'no version'}, nothing to take back`;
}
