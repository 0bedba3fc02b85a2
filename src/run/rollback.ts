/** `deploy rollback`: runs the down files of the newest migrations, with backup and proof before. */
import { listSets } from '../backup/list.ts';
import { isOfVersion } from '../backup/reason.ts';
import type { Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import { releaseOf } from '../history/release.ts';
import { compareVersions } from '../history/versions.ts';
import { digestWork, type Work } from '../migrations/actions.ts';
import { type ExistedBefore, spareAll } from '../migrations/existing.ts';
import type { Migration, SchemaVersion } from '../migrations/migration.ts';
import { resolve } from '../migrations/resolve.ts';
import type { RunContext } from './context.ts';
import { runCycle } from './cycle.ts';
import { keptBy, readExisted, refuseConflicts } from './existed.ts';
import { type Facts, readFacts } from './facts.ts';
import { assertNothingNewLost, findLosses, type Judged, refuseLosses } from './judge.ts';
import { tryCycles } from './look.ts';
import { describeLosses } from './loss.ts';
import type { Cycle, Plan, PlanSettings, Refusal } from './plan.ts';
import { refuseRights, refuseStatements, refuseStructure } from './refusals.ts';
import { refuseHistory } from './refuse-history.ts';
import { refuseUnrestorable } from './restorable.ts';
import {
  describeKept,
  judgeReverts,
  type LeftPart,
  leftPart,
  nextAfter,
  type Verdict,
} from './verdicts.ts';

/** How far to go back: by a number of migrations, or to a version. */
export type RollbackTarget =
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'version'; readonly version: SchemaVersion };

export type RollbackPlan = Plan & {
  /** What would be lost, in sentences; empty when going back loses nothing. */
  readonly losses: readonly string[];
  /** What becomes of each migration, newest first. */
  readonly verdicts: readonly Verdict[];
  /** RELEASE to set for the version that the database goes back to; null when none fits. */
  readonly release: string | null;
  /** What stays applied of a higher version than it then has; null for nothing. */
  readonly part: LeftPart | null;
  /** The value hashes of the tables on whose copy it was tried; null when it was not. */
  readonly tried: Judged['hashes'];
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
  existed: ExistedBefore,
): Plan {
  const from = facts.resolution.actualVersion;
  const chosen = spareAll(chooseReverts(facts, target), existed);
  const migrations = chosen.map(({ migration }) => migration);
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
    existed,
    digest: digestWork(work),
  };
  const refusals = [
    ...refuseTarget(facts, target),
    ...refuseIrreversible(migrations),
    ...refuseConflicts(chosen),
    ...refuseHistory(facts),
  ];
  const cycles = reverted.size === 0 ? [] : [cycle];
  if (refusals.length === 0) {
    refusals.push(
      ...refuseRights(facts, { ...settings, forward: false }),
      ...refuseStatements(cycles),
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
  const existed = await readExisted(db, config.database.name, chooseReverts(facts, target));
  let plan = makeRollbackPlan(facts, target, config, existed);
  if (plan.needs !== null) {
    facts = { ...facts, structural: await tryCycles(context, db, facts, plan.cycles) };
    plan = makeRollbackPlan(facts, target, config, existed);
  }
  const migrations = plan.cycles.flatMap((cycle) => cycle.migrations);
  const gone = new Set(migrations.map(({ number }) => number));
  const left = facts.resolution.applied.filter(({ number }) => !gone.has(number));
  const part = leftPart(left, plan.to);
  const release = part === null ? releaseOf(facts.history, plan.to) : null;
  const made = (more: Partial<RollbackPlan>, judged: Judged | null) => ({
    ...{ ...plan, losses: describeLosses(judged?.losses ?? []), release, part },
    tried: judged?.hashes ?? null,
    verdicts: judgeReverts(migrations, judged, keptBy(chooseReverts(facts, target), existed)),
    warnings: [...plan.warnings, ...(judged?.warnings ?? [])],
    ...more,
  });
  if (plan.refusals.length > 0) {
    const refusals = await nameSets(context, facts, migrations, plan.refusals);
    return { facts, plan: made({ refusals }, null) };
  }
  const isNew = plan.cycles.length > 0 && facts.unfinished === null;
  const noWayBack = isNew ? await refuseUnrestorable(context, db, facts) : [];
  if (noWayBack.length > 0)
    return { facts, plan: made({ mode: 'refused', refusals: noWayBack }, null) };
  const judged = await findLosses(context, db, facts, migrations);
  const { losses } = judged;
  if (losses.length === 0 || options.acceptDataLoss) return { facts, plan: made({}, judged) };
  return { facts, plan: made({ mode: 'refused', refusals: refuseLosses(judged) }, judged) };
}

/** Where there is no way back by files, a proven set of the state before may be one. */
async function nameSets(
  { config }: RunContext,
  facts: Facts,
  migrations: readonly Migration[],
  refusals: readonly Refusal[],
): Promise<readonly Refusal[]> {
  const lowest = migrations.findLast(({ down }) => down === null);
  if (lowest === undefined) return refusals;
  const before = facts.history.applied.findLast(({ number }) => number < lowest.number);
  const sets = await listSets(config.backupDir).catch(() => []);
  const set = sets.find(
    ({ manifest }) =>
      manifest?.database === config.database.name &&
      manifest.proof !== null &&
      isOfVersion(manifest) &&
      manifest.migrationNumber === (before?.number ?? null),
  );
  const next =
    set === undefined
      ? [`no proven set holds the state before migration ${lowest.number}: deploy backup list`]
      : [
          `deploy restore --backup ${set.name}`,
          `that set, taken ${set.manifest!.createdAt} and proven, is the state before migration ${lowest.number}; what was written since then goes`,
        ];
  return refusals.map((refusal) =>
    refusal.code === 'NOT_REVERSIBLE' && refusal.next === undefined
      ? { ...refusal, next }
      : refusal,
  );
}

/** Carries a planned rollback out. Needs the lock. */
export async function rollback(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  plan: RollbackPlan,
  options: { readonly acceptDataLoss: boolean },
): Promise<void> {
  const { report, config } = context;
  const [cycle] = plan.cycles;
  report.database.before = plan.from;
  if (cycle !== undefined) {
    const { migrations } = cycle;
    await runCycle(context, hold, facts, cycle, report.run_id, async (set) => {
      if (!options.acceptDataLoss)
        await assertNothingNewLost(context, facts, migrations, plan.tried, set);
    });
  }
  report.database.after = plan.to;
  report.database.state = 'as_required';
  report.database.statement = `${config.database.name} is at ${plan.to ?? 'no version'}`;
  report.warnings.push(...plan.warnings, ...plan.verdicts.flatMap(describeKept));
  report.next.push(...nextAfter(plan));
}
