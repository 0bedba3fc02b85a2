/** What `up` does under the lock: recover, plan again, walk the versions. */
import { halfWayReason } from '../backup/reason.ts';
import type { RowFormat } from '../backup/write-rows.ts';
import type { Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { readRun } from '../history/read-runs.ts';
import { type RunRow, recordBackupRun } from '../history/runs.ts';
import { readSchema } from '../schema/read.ts';
import { backUp } from './back-up.ts';
import { openConnection, type RunContext } from './context.ts';
import { runCycle, type StoredPlan } from './cycle.ts';
import { type Facts, readFacts } from './facts.ts';
import { withLock } from './locked.ts';
import { type LookedAt, lookAndPlan, structureDigest } from './look.ts';
import type { Cycle } from './plan.ts';
import { readUpFacts, settingsOf } from './plan-up.ts';
import { pruneAfterRun } from './prune.ts';
import { recoverUnfinished } from './recover.ts';
import { throwIfRefused } from './refuse.ts';
import { type Report, step } from './report.ts';
import { checkSelection, type UpOptions } from './selection.ts';
import { CUT_OFF, SettledError } from './settled.ts';

/** Takes the lock and brings the database to where the plan goes. @throws SettledError after changes. */
export async function upLocked(
  context: RunContext,
  db: Db,
  options: UpOptions,
  looked: LookedAt,
): Promise<void> {
  const before = await serverTime(db);
  await withLock(context, (hold, { waited }) =>
    underLock(context, hold, options, { looked, waitedSince: waited ? before : null }),
  );
}

/**
 * Takes the lock, a backup and its proof, notes it in `deploy_run`, and changes nothing else. `keep`:
 * what becomes of old sets; who asks for one more set by hand wants to have more of them.
 */
export async function backUpLocked(
  context: RunContext,
  facts: Facts,
  { keep, format }: { readonly keep: 'all' | 'by retention'; readonly format?: RowFormat },
): Promise<void> {
  const { report, config } = context;
  report.mode = 'backup';
  await withLock(context, async (hold) => {
    // Somebody else may have changed the database while this one waited for the lock.
    const now = { ...(await readFacts(hold.db, config, context.folder)), adoption: facts.adoption };
    report.database.before = now.resolution.actualVersion;
    if (now.unfinished !== null) {
      report.warnings.push(
        `run ${now.unfinished.runId} is not ended: this set is of a half-way database`,
      );
    }
    const mode = now.unfinished === null ? 'backup' : halfWayReason('backup');
    const set = await step(report, 'backup', () =>
      backUp(context, hold, now, { mode, ...(format === undefined ? {} : { format }) }),
    );
    await recordBackupRun(hold, {
      ...{ runId: report.run_id, from: report.database.before, backupSet: set.name },
      report: JSON.stringify(report),
    });
    if (keep === 'by retention') await pruneAfterRun(context, hold);
  });
  report.database.statement = `${config.database.name} is at ${report.database.before ?? 'no version'}, not changed`;
}

async function underLock(
  context: RunContext,
  hold: Hold,
  options: UpOptions,
  earlier: { readonly looked: LookedAt; readonly waitedSince: string | null },
): Promise<void> {
  const { config, report, log } = context;
  let facts = await readUpFacts(context, hold.db, options);
  const ended = await recoverUnfinished(context, hold, facts);
  if (ended !== 'none') {
    facts = await readUpFacts(context, hold.db, options);
    report.database.after = facts.resolution.actualVersion;
  }
  const { facts: known, plan } = await replan(context, hold, facts, options, earlier.looked);
  if (report.mode === 'recover' || report.mode === 'nothing to do')
    report.mode = ended === 'none' ? plan.mode : 'recover';
  checkSelection(options, plan, known, 'held');
  throwIfRefused(plan);
  const [first] = plan.cycles;
  if (first !== undefined && ended === 'none')
    await exitAsTheOther(hold, facts.lastRun, first, earlier.waitedSince);
  report.warnings.push(...plan.warnings);

  for (const [index, cycle] of plan.cycles.entries()) {
    const runId = plan.cycles.length === 1 ? report.run_id : `${report.run_id}.${index + 1}`;
    log.info(
      { from: cycle.from, to: cycle.to },
      `${cycle.from ?? 'empty'} → ${cycle.to}: ${cycle.migrations.length} migrations`,
    );
    const current: Facts =
      index === 0
        ? known
        : { ...(await readUpFacts(context, hold.db, options)), structural: known.structural };
    // This run has recorded where it is now, and no older release works with that.
    if (index > 0) report.former_release = null;
    await runCycle(context, hold, current, cycle, runId);
    report.database.after = cycle.to;
  }
  // Still under the lock: without it another process could be restoring from a set that goes.
  if (plan.cycles.length > 0) await pruneAfterRun(context, hold);
  report.database.after = plan.cycles.at(-1)?.to ?? plan.from;
  report.database.state = 'as_required';
  report.database.statement = `${config.database.name} is at ${report.database.after ?? 'no version'}, as required`;
}

/** Plans again under the lock; what was tried before holds if structure and plan are the same. */
async function replan(
  context: RunContext,
  _hold: Hold,
  facts: Facts,
  options: UpOptions,
  earlier: LookedAt,
): Promise<LookedAt> {
  const database = context.config.database.name;
  const reader = await openConnection(context);
  try {
    const structure = structureDigest(await readSchema(reader, database));
    const same = earlier.structure === structure;
    const known = same
      ? { ...facts, adoption: earlier.facts.adoption, structural: earlier.facts.structural }
      : facts;
    const looked = await lookAndPlan(context, reader, known, settingsOf(context, options));
    const digests = ({ plan }: LookedAt) => plan.cycles.map(({ digest }) => digest).join();
    if (!same || digests(looked) === digests(earlier)) return looked;
    return await lookAndPlan(context, reader, facts, settingsOf(context, options));
  } finally {
    await reader.close();
  }
}

async function serverTime(db: Db): Promise<string> {
  const row = await db.one<{ now: string }>('SELECT UTC_TIMESTAMP(3) AS now');
  return `${row!.now.replace(' ', 'T')}Z`;
}

/** P3: who waited for a run of the same plan that failed fails as it did, instead of repeating it. */
async function exitAsTheOther(
  { db, database }: Hold,
  lastRun: RunRow | null,
  cycle: Cycle,
  waitedSince: string | null,
): Promise<void> {
  if (waitedSince === null || lastRun === null || lastRun.planDigest !== cycle.digest) return;
  if (lastRun.outcome === 'done' || lastRun.finishedAt === null || lastRun.finishedAt < waitedSince)
    return;
  const other = await readRun(db, database, lastRun.runId);
  const stored = other?.plan as Partial<StoredPlan> | null | undefined;
  if ((stored?.masterdata ?? null) !== cycle.masterdata) return;
  const { error } = JSON.parse(other?.report ?? '{}') as Partial<Report>;
  if (!error) return;
  const code = error.code as ErrorCode;
  // It was cut off before it changed anything: there is nothing to repeat, the work is still to be done.
  if (CUT_OFF.includes(code)) return;
  throw new SettledError(
    new DeployError(
      code,
      `another run of the same plan failed while this one waited: ${error.message}`,
      {
        where: `run ${lastRun.runId}`,
      },
    ),
    {
      exitCode: lastRun.exitCode ?? 20,
      state: 'as_before',
      statement: `${database} is at ${lastRun.from ?? 'no version'}, not touched by this run`,
    },
  );
}
