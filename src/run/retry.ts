/** `deploy resolve --retry`: tries migrations again that failed and are not critical. */
import { DeployError } from '../errors/deploy-error.ts';
import { digestWork, type Work } from '../migrations/actions.ts';
import type { RunContext } from './context.ts';
import { runCycle } from './cycle.ts';
import { type Facts, readFacts } from './facts.ts';
import { withLock } from './locked.ts';
import { tryCycles } from './look.ts';
import type { Cycle, Plan, PlanSettings } from './plan.ts';
import { refuseRights, refuseStatements, refuseStructure } from './refusals.ts';
import { throwIfRefused } from './refuse.ts';
import { refuseHistory } from './refuse-history.ts';
import { step } from './report.ts';
import { impatient, openFacts } from './resolve.ts';
import { SettledError } from './settled.ts';

/**
 * Plans the failed migration `number`, or all of them (null), as a cycle that stays at the version.
 * Pure.
 */
export function makeRetryPlan(
  facts: Facts,
  number: number | null,
  settings: Omit<PlanSettings, 'forward'>,
): Plan {
  const { failed, actualVersion: from } = facts.resolution;
  const migrations = failed.filter((migration) => number === null || migration.number === number);
  const work: Work = { adopt: [], migrations, direction: 'up' };
  const cycle: Cycle = {
    ...{ mode: 'update', ...work, from, to: from, masterdata: null, digest: digestWork(work) },
  };
  const cycles = migrations.length === 0 ? [] : [cycle];
  const refusals = [
    ...(number !== null && migrations.length === 0
      ? [{ code: 'NO_TARGET' as const, message: `no failed migration ${number} is waiting` }]
      : []),
    ...refuseHistory(facts),
    ...refuseRights(facts, { ...settings, forward: false }),
    ...refuseStatements(cycles),
    ...refuseStructure(withoutHope(facts), cycles),
  ];
  const mode = refusals.length > 0 ? 'refused' : cycles.length === 0 ? 'nothing to do' : 'update';
  const needs = mode === 'update' && facts.structural === null ? 'structural-run' : null;
  return { mode, from, to: from, cycles, warnings: [...facts.history.problems], refusals, needs };
}

/** Here the failed migrations are the only work: one that fails on the copy is not worth a backup. */
function withoutHope(facts: Facts): Facts {
  const { structural } = facts;
  const [failure] = structural?.expectedFailures ?? [];
  return structural === null || failure === undefined
    ? facts
    : { ...facts, structural: { ...structural, failure } };
}

/**
 * Runs them with fence, backup and proof like every change. Takes the lock.
 *
 * @throws DeployError `RUN_OPEN`, `NO_TARGET`, `LOCK_HELD`, refusals of the plan; SettledError when
 *   one fails again (taken back by its down file: exit 20), or when something else fails
 */
export async function retryFailed(context: RunContext, number: number | null): Promise<void> {
  const { report, config } = context;
  const { db, facts } = await openFacts(context);
  try {
    report.mode = 'update';
    const first = await step(report, 'plan', () => plan(context, facts, number));
    throwIfRefused(first.plan);
    if (first.plan.cycles.length === 0) {
      report.mode = 'nothing to do';
      report.database.statement = `${config.database.name} has no failed migration to try again`;
      return;
    }
  } finally {
    await db.close();
  }
  await withLock(impatient(context), async (hold) => {
    const now = await readFacts(hold.db, config, context.folder);
    const { facts: known, plan: again } = await plan(context, now, number);
    throwIfRefused(again);
    for (const cycle of again.cycles) await runCycle(context, hold, known, cycle, report.run_id);
    const { resolution } = await readFacts(hold.db, config, context.folder);
    noteOutcome(context, again, resolution);
  });
}

async function plan(
  context: RunContext,
  given: Facts,
  number: number | null,
): Promise<{ readonly facts: Facts; readonly plan: Plan }> {
  const { unfinished } = given;
  if (unfinished !== null)
    throw new DeployError('RUN_OPEN', `run ${unfinished.runId} is not ended (${unfinished.state})`);
  const made = makeRetryPlan(given, number, context.config);
  if (made.needs === null) return { facts: given, plan: made };
  const { db } = await openFacts(context);
  try {
    const structural = await tryCycles(context, db, given, made.cycles);
    const facts = { ...given, structural };
    return { facts, plan: makeRetryPlan(facts, number, context.config) };
  } finally {
    await db.close();
  }
}

function noteOutcome(
  { report, config }: RunContext,
  { cycles, to }: Plan,
  { failed }: Facts['resolution'],
): void {
  const { name } = config.database;
  const tried = new Set(cycles.flatMap(({ migrations }) => migrations.map((one) => one.number)));
  const again = failed.filter((migration) => tried.has(migration.number));
  report.database.after = to;
  report.database.state = 'as_required';
  if (again.length === 0) {
    report.database.statement = `${name} is at ${to}, and what had failed is applied`;
    return;
  }
  const names = again.map((migration) => `${migration.number} ${migration.name}`).join(', ');
  const error = new DeployError('MIGRATION_FAILED', `migration ${names} failed again`, {
    where: again[0]!.up.path,
    next: [
      'deploy status shows why; correct the rows that are in its way, then: deploy resolve --retry',
    ],
    facts: { problems: report.warnings.filter((text) => text.includes('failed')) },
  });
  throw new SettledError(error, {
    exitCode: 20,
    state: 'as_before',
    statement: `${name} is at ${to}, as before: what failed was taken back by its down file, and structure and rows compared`,
  });
}
