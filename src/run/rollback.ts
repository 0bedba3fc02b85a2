/** `deploy rollback`: runs the down files of the newest migrations, with backup and proof before. */
import { listSets } from '../backup/list.ts';
import { isOfVersion } from '../backup/reason.ts';
import type { Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import { releaseOf } from '../history/release.ts';
import type { Migration } from '../migrations/migration.ts';
import { chooseReverts, makeRollbackPlan, type RollbackTarget } from './choose-reverts.ts';
import type { RunContext } from './context.ts';
import { runCycle } from './cycle.ts';
import { keptBy, readExisted, warnUnknown } from './existed.ts';
import { type Facts, readFacts } from './facts.ts';
import { assertNothingNewLost, findLosses, type Judged, refuseLosses } from './judge.ts';
import { tryCycles } from './look.ts';
import { describeLosses } from './loss.ts';
import type { Plan, Refusal } from './plan.ts';
import { refuseUnrestorable } from './restorable.ts';
import {
  describeKept,
  judgeReverts,
  type LeftPart,
  leftPart,
  nextAfter,
  type Verdict,
} from './verdicts.ts';

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

/** Completes the plan: tries the down files on an empty copy and computes what would be lost. */
export async function planRollback(
  context: RunContext,
  db: Db,
  target: RollbackTarget,
  options: { readonly acceptDataLoss: boolean },
): Promise<{ readonly facts: Facts; readonly plan: RollbackPlan }> {
  const { config } = context;
  let facts = await readFacts(db, config, context.folder);
  if (isHalfWay(facts)) return { facts, plan: recoverFirst(facts) };
  const before = await readExisted(db, config.database.name, chooseReverts(facts, target));
  const { existed } = before;
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
    warnings: [...plan.warnings, ...warnUnknown(migrations, before), ...(judged?.warnings ?? [])],
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

/**
 * Between two versions nobody can tell what going back would take: the run that did not end may be
 * finished or put back. One that has changed nothing is only closed.
 */
function isHalfWay({ unfinished }: Facts): boolean {
  return unfinished !== null && unfinished.state !== 'locked';
}

function recoverFirst({ resolution, unfinished, history }: Facts): RollbackPlan {
  return {
    ...{ mode: 'recover', from: resolution.actualVersion, to: unfinished!.to, cycles: [] },
    ...{ warnings: [...history.problems], refusals: [], needs: null },
    ...{ losses: [], verdicts: [], release: null, part: null, tried: null },
  };
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
