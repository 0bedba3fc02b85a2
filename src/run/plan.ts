/**
 * Decides what a run is going to do. Pure: facts in, plan out; `plan`, `status` and `up` share
 * it, so that the preview cannot lie. A plan with refusals does not start (promise P4).
 */
import type { Config } from '../config/config.ts';
import { serverText } from '../database/server-errors.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { describeCauses } from '../errors/chain.ts';
import { compareVersions, pathTo } from '../history/versions.ts';
import { digestWork, type Work } from '../migrations/actions.ts';
import type { ExistedBefore } from '../migrations/existing.ts';
import { installMigration } from '../migrations/install.ts';
import type { Migration, SchemaVersion } from '../migrations/migration.ts';
import type { Facts } from './facts.ts';
import { nothing, withoutChecksum } from './plan-nothing.ts';
import {
  refuseInstall,
  refuseLongStep,
  refuseRights,
  refuseStatements,
  refuseStructure,
  unknownSchema,
} from './refusals.ts';
import { refuseDirection } from './refuse-direction.ts';
import { fenceWarnings } from './refuse-fence.ts';
import { refuseHistory, refuseRemoved } from './refuse-history.ts';

export type Mode =
  | 'install'
  | 'adopt'
  | 'update'
  | 'recover'
  | 'rollback'
  | 'restore'
  | 'backup'
  | 'resolve'
  | 'nothing to do'
  | 'refused';

/** One reason why the plan may not start. */
export type Refusal = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where?: string;
  readonly next?: readonly string[];
  /** The failure that was seen, e.g. of the structural run. */
  readonly cause?: unknown;
};

/** One version walked: its own backup, change, validation and record. */
export type Cycle = Work & {
  readonly mode: 'install' | 'adopt' | 'update' | 'rollback';
  readonly from: SchemaVersion | null;
  readonly to: SchemaVersion | null;
  /** Digest of the master data that is synced after the migrations; null for none. */
  readonly masterdata: string | null;
  /** Going back: what existed before the migrations, so that their down files leave it alone. */
  readonly existed?: ExistedBefore;
  /** Two processes whose cycles have the same digest would do the same. */
  readonly digest: string;
};

export type Plan = {
  readonly mode: Mode;
  readonly from: SchemaVersion | null;
  readonly to: SchemaVersion | null;
  readonly cycles: readonly Cycle[];
  readonly warnings: readonly string[];
  readonly refusals: readonly Refusal[];
  /** What must be looked at before this plan is complete; null when it is. */
  readonly needs: 'adoption' | 'structural-run' | null;
};

export type PlanSettings = Pick<
  Config,
  'updatePath' | 'fence' | 'fenceUsers' | 'masterdata' | 'admin'
> & {
  /** Go forward although somebody went back from the required version. */
  readonly forward: boolean;
};

/** Plans `up`. */
export function makePlan(facts: Facts, settings: PlanSettings): Plan {
  const { history, resolution } = facts;
  const fresh = history.applied.length === 0 && history.failed.length === 0;
  const empty = fresh && facts.relations.length === 0;
  const adopting = fresh && !empty;
  const to = facts.requiredVersion;
  const from = adopting ? (facts.adoption?.version ?? null) : resolution.actualVersion;

  if (facts.unfinished !== null) {
    return { ...nothing(facts, from), mode: 'recover', to: facts.unfinished.to };
  }
  // A history that lost its rows must not be taken for a schema that never had one.
  const removed = refuseRemoved(facts);
  if (adopting && facts.adoption === null && removed.length === 0) {
    return { ...nothing(facts, from), mode: 'adopt', needs: 'adoption' };
  }
  const found = [
    ...refuseHistory(facts),
    ...(adopting && from === null && removed.length === 0 ? [unknownSchema(facts)] : []),
    ...refuseDirection(facts, settings, from),
  ];
  if (found.length > 0) return { ...nothing(facts, from), mode: 'refused', refusals: found };

  const path = pathTo(facts.folder.versions, from, to);
  const pending = [...resolution.pending, ...resolution.failed]
    .filter(({ version }) => compareVersions(version, to) <= 0)
    .filter((migration) => !isAdopted(migration, adopting, from))
    .sort((a, b) => a.number - b.number);
  const walk = makeCycles(facts, { empty, adopting, from, to, path, pending });
  const cycles = withMasterdata(walk, facts, settings);
  if (cycles.length === 0) return nothing(facts, from);
  const refusals = [
    ...refuseLongStep(settings, { empty, from, path }),
    ...refuseRights(facts, settings),
    ...refuseStatements(cycles),
    ...refuseStructure(facts, cycles),
    ...refuseInstall(facts, settings, cycles),
  ];
  return {
    mode: refusals.length > 0 ? 'refused' : cycles[0]!.mode,
    from,
    to,
    cycles,
    warnings: [...warningsOf(facts, settings), ...expectedToFail(facts)],
    refusals,
    needs: refusals.length === 0 && facts.structural === null ? 'structural-run' : null,
  };
}

function isAdopted(migration: Migration, adopting: boolean, from: SchemaVersion | null): boolean {
  return adopting && from !== null && compareVersions(migration.version, from) <= 0;
}

function makeCycles(
  facts: Facts,
  plan: {
    readonly empty: boolean;
    readonly adopting: boolean;
    readonly from: SchemaVersion | null;
    readonly to: SchemaVersion;
    readonly path: readonly SchemaVersion[];
    readonly pending: readonly Migration[];
  },
): Cycle[] {
  const { from, to, path, pending } = plan;
  const adopt = plan.adopting
    ? facts.folder.migrations.filter((migration) => isAdopted(migration, true, from))
    : [];
  const cycle = (mode: Cycle['mode'], work: Work, ends: Pick<Cycle, 'from' | 'to'>): Cycle => ({
    ...{ mode, ...work, ...ends, masterdata: null, digest: digestWork(work) },
  });
  if (plan.empty) {
    // `schema.sql` makes the highest version in one go; any other is made by its migrations.
    const schema = to === facts.folder.versions.at(-1) ? installMigration(facts.folder) : null;
    const work: Work =
      schema === null
        ? { adopt, migrations: pending, direction: 'up' }
        : { adopt: pending, migrations: [schema], direction: 'up' };
    return [cycle('install', work, { from: null, to })];
  }
  if (path.length === 0) {
    return adopt.length === 0
      ? []
      : [cycle('adopt', { adopt, migrations: [], direction: 'up' }, { from, to })];
  }
  return path.map((version, index) => {
    const first = index === 0;
    const begin = first ? from : path[index - 1]!;
    // What failed earlier and was not critical is tried again with the first other work.
    const mine = pending.filter((migration) =>
      first ? compareVersions(migration.version, version) <= 0 : migration.version === version,
    );
    const work: Work = { adopt: first ? adopt : [], migrations: mine, direction: 'up' };
    return cycle(first && plan.adopting ? 'adopt' : 'update', work, { from: begin, to: version });
  });
}

/**
 * The master data belongs to the required version: it is synced at the end of the walk, when it
 * differs from what was synced last (MASTERDATA=always: in every run).
 */
function withMasterdata(
  cycles: readonly Cycle[],
  facts: Facts,
  settings: Pick<PlanSettings, 'masterdata'>,
): readonly Cycle[] {
  const digest = facts.masterdata?.set.digest;
  if (digest === undefined) return cycles;
  // Other work brings the sync with it: a migration may have touched these rows.
  const idle = cycles.length === 0 && settings.masterdata === 'changed';
  const known = idle && digest === facts.lastMasterdata?.digest;
  if (known) return cycles;
  const to = facts.requiredVersion;
  const work: Work = { adopt: [], migrations: [], direction: 'up' };
  const last = cycles.at(-1) ?? { mode: 'update', ...work, from: to, to, digest: digestWork(work) };
  return [...cycles.slice(0, -1), { ...last, masterdata: digest }];
}

/** What failed on the empty copy, was taken back there, and is not critical. */
function expectedToFail({ structural }: Facts): string[] {
  return (structural?.expectedFailures ?? []).map(({ migration, where, cause }) => {
    const why = describeCauses(new Error('', { cause }), serverText);
    return `migration ${migration.number} ${migration.name} is expected to fail and is not critical: ${why} (${where})`;
  });
}

function warningsOf(facts: Facts, settings: PlanSettings): string[] {
  const warnings = [
    ...facts.history.problems,
    ...withoutChecksum(facts.resolution),
    ...fenceWarnings(facts, settings),
  ];
  for (const difference of facts.adoption?.version ? facts.adoption.differences : []) {
    warnings.push(`not in ${facts.adoption!.version}: ${difference.message}`);
  }
  return warnings;
}
