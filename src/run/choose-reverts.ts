/** Which migrations a rollback takes back, and what is against it: from facts alone. Pure. */
import { compareVersions } from '../history/versions.ts';
import { digestWork, type Work } from '../migrations/actions.ts';
import { type ExistedBefore, spareAll } from '../migrations/existing.ts';
import type { Migration, SchemaVersion } from '../migrations/migration.ts';
import { resolve } from '../migrations/resolve.ts';
import { refuseConflicts } from './existed.ts';
import type { Facts } from './facts.ts';
import type { Cycle, Plan, PlanSettings, Refusal } from './plan.ts';
import { refuseRights, refuseStatements, refuseStructure } from './refusals.ts';
import { refuseHistory } from './refuse-history.ts';

/** How far to go back: by a number of migrations, or to a version. */
export type RollbackTarget =
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'version'; readonly version: SchemaVersion };

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
