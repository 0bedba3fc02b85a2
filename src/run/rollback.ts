/** `deploy rollback`: runs the down files of the newest migrations, with backup and proof before. */
import type { Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import { compareVersions } from '../history/versions.ts';
import { digestWork, type Work } from '../migrations/actions.ts';
import type { Migration, SchemaVersion } from '../migrations/migration.ts';
import { resolve } from '../migrations/resolve.ts';
import type { RunContext } from './context.ts';
import { runCycle } from './cycle.ts';
import { type Facts, readFacts } from './facts.ts';
import { tryCycles } from './look.ts';
import { countLosses, describeLosses, tryRoundTrip } from './loss.ts';
import type { Cycle, Plan, PlanSettings, Refusal } from './plan.ts';
import { refuseRights, refuseStatements, refuseStructure } from './refusals.ts';
import { refuseHistory } from './refuse-history.ts';

/** How far to go back: by a number of migrations, or to a version. */
export type RollbackTarget =
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'version'; readonly version: SchemaVersion };

export type RollbackPlan = Plan & {
  /** What would be lost, in sentences; empty when going back loses nothing. */
  readonly losses: readonly string[];
};

/** Chooses the migrations to revert, newest first. Pure. */
export function chooseReverts(facts: Facts, target: RollbackTarget): readonly Migration[] {
  const newestFirst = facts.resolution.applied.toSorted((a, b) => b.number - a.number);
  if (target.kind === 'steps') return newestFirst.slice(0, target.steps);
  return newestFirst.filter((migration) => compareVersions(migration.version, target.version) > 0);
}

/**
 * Migrations that failed, are not critical, and belong to what is left: their rows go, so that
 * their versions no longer count as reached. Nothing of them is in the database. Pure.
 */
export function chooseForgotten(facts: Facts, target: RollbackTarget): readonly Migration[] {
  if (target.kind === 'steps') return [];
  return facts.resolution.failed
    .filter((migration) => compareVersions(migration.version, target.version) > 0)
    .toSorted((a, b) => b.number - a.number);
}

/** Plans a rollback from facts alone, without the structural run and the losses. Pure. */
export function makeRollbackPlan(
  facts: Facts,
  target: RollbackTarget,
  settings: Omit<PlanSettings, 'forward'>,
): Plan {
  const from = facts.resolution.actualVersion;
  const migrations = chooseReverts(facts, target);
  const adopt = chooseForgotten(facts, target);
  const reverted = new Set([...migrations, ...adopt].map(({ number }) => number));
  const isLeft = ({ number }: { readonly number: number }) => !reverted.has(number);
  const { applied, failed } = facts.history;
  const left = { applied: applied.filter(isLeft), failed: failed.filter(isLeft) };
  const to = resolve(facts.folder, left).actualVersion;
  const work: Work = { adopt, migrations, direction: 'down' };
  const cycle: Cycle = {
    mode: 'rollback',
    ...work,
    from,
    to,
    masterdata: null,
    digest: digestWork(work),
  };
  const refusals = [
    ...refuseTarget(facts, target),
    ...refuseIrreversible(migrations),
    ...refuseHistory(facts),
  ];
  const cycles = reverted.size === 0 ? [] : [cycle];
  if (refusals.length === 0) {
    refusals.push(
      ...refuseRights(facts, { ...settings, forward: false }),
      ...refuseStatements(facts, cycles),
      ...refuseStructure(facts, cycles),
    );
  }
  const mode = refusals.length > 0 ? 'refused' : cycles.length === 0 ? 'nothing to do' : 'rollback';
  const needs = mode === 'rollback' && facts.structural === null ? 'structural-run' : null;
  return { mode, from, to, cycles, warnings: [...facts.history.problems], refusals, needs };
}

function refuseTarget(facts: Facts, target: RollbackTarget): Refusal[] {
  const from = facts.resolution.actualVersion;
  const applied = facts.resolution.applied.length;
  if (facts.resolution.ahead.length > 0) {
    const message = `the database is at ${from}, which this image does not know: go back with its own image`;
    return [{ code: 'DATABASE_AHEAD', message }];
  }
  if (target.kind === 'steps') {
    if (target.steps <= applied) return [];
    return [
      {
        code: 'NO_TARGET',
        message: `there are ${applied} applied migrations, so ${target.steps} cannot be taken back`,
      },
    ];
  }
  const { version } = target;
  const behind = from !== null && compareVersions(version, from) <= 0;
  if (behind && facts.folder.versions.includes(version)) return [];
  const message = `version ${version} does not lie behind the database, which is at ${from ?? 'no version'}`;
  return [{ code: 'NO_TARGET', message }];
}

function refuseIrreversible(migrations: readonly Migration[]): Refusal[] {
  return migrations
    .filter((migration) => migration.down === null)
    .map(({ number, name, up }) => ({
      code: 'NOT_REVERSIBLE' as const,
      message: `migration ${number} ${name} has no down file`,
      where: up.path,
    }));
}

/** Completes the plan: tries the down files on an empty copy and computes what would be lost. */
export async function planRollback(
  context: RunContext,
  db: Db,
  target: RollbackTarget,
  options: { readonly acceptDataLoss: boolean },
): Promise<{ readonly facts: Facts; readonly plan: RollbackPlan }> {
  const { config } = context;
  let facts = await readFacts(db, config, context.folder);
  let plan = makeRollbackPlan(facts, target, config);
  if (plan.needs !== null) {
    facts = { ...facts, structural: await tryCycles(context, db, facts, plan.cycles) };
    plan = makeRollbackPlan(facts, target, config);
  }
  const migrations = plan.cycles.flatMap((cycle) => cycle.migrations);
  const counted = plan.refusals.length > 0 ? [] : await countLosses(db, migrations);
  const changed = counted.length === 0 ? new Set() : await tryRoundTrip(context, facts, migrations);
  // What comes back by going forward again is not lost; what a DELETE took is known only by its table.
  const lost = counted.filter(({ table }) =>
    table === null ? changed.size > 0 : changed.has(table),
  );
  const losses = describeLosses(lost.length === 0 && changed.size > 0 ? counted : lost);
  if (losses.length === 0 || options.acceptDataLoss) return { facts, plan: { ...plan, losses } };
  const refusal: Refusal = { code: 'DATA_LOSS', message: losses.join('\n') };
  return { facts, plan: { ...plan, mode: 'refused', refusals: [refusal], losses } };
}

/** Carries a planned rollback out. Needs the lock. */
export async function rollback(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  plan: RollbackPlan,
): Promise<void> {
  const { report, config } = context;
  const [cycle] = plan.cycles;
  report.database.before = plan.from;
  if (cycle !== undefined) await runCycle(context, hold, facts, cycle, report.run_id);
  report.database.after = plan.to;
  report.database.state = 'as_required';
  report.database.statement = `${config.database.name} is at ${plan.to ?? 'no version'}`;
}
