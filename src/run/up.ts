/** `deploy up`: brings the database to the required version, or leaves it exactly as it was. */
import type { Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import { assertUsable } from '../database/server.ts';
import { waitForServer } from '../database/wait.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { RunRow } from '../history/runs.ts';
import { readSchema } from '../schema/read.ts';
import { backUp } from './back-up.ts';
import { openConnection, type RunContext } from './context.ts';
import { runCycle } from './cycle.ts';
import { type Facts, readFacts } from './facts.ts';
import { withLock } from './locked.ts';
import { type LookedAt, lookAndPlan, structureDigest } from './look.ts';
import type { Plan, PlanSettings, Refusal } from './plan.ts';
import { recoverUnfinished } from './recover.ts';
import { type Report, step } from './report.ts';
import { SettledError } from './settled.ts';

export type UpOptions = {
  /** Go forward although somebody went back from the required version. */
  readonly forward: boolean;
  /** What the command line selected; a step that changes data always brings its backup. */
  readonly select: ReadonlySet<'backup' | 'migrate' | 'masterdata' | 'validate'>;
};

/** Waits for the server and makes the plan, without a lock and without changing anything. */
export async function planUp(
  context: RunContext,
  options: Pick<UpOptions, 'forward'>,
): Promise<{ readonly db: Db; readonly looked: LookedAt }> {
  const { config, report, log, stop } = context;
  const db = await step(report, 'wait', () =>
    waitForServer(config.database, {
      ...{ waitMs: config.dbWaitMs, log, signal: stop, database: config.database.name },
    }),
  );
  const facts = await step(report, 'inspect', () => readFacts(db, config, context.folder));
  assertUsable(facts.server);
  report.database.size_before_bytes = facts.server.sizeBytes;
  report.database.size_after_bytes = facts.server.sizeBytes;
  const looked = await step(report, 'plan', () => lookAndPlan(context, db, facts, settingsOf(context, options)));
  report.database.before = looked.plan.from;
  report.database.after = looked.plan.from;
  return { db, looked };
}

function settingsOf({ config }: RunContext, { forward }: Pick<UpOptions, 'forward'>): PlanSettings {
  return { updatePath: config.updatePath, fence: config.fence, fenceUsers: config.fenceUsers, forward };
}

/**
 * Carries `up` out. With nothing to do it has read, taken no lock and changed nothing.
 *
 * @throws DeployError before any change, SettledError after.
 */
export async function up(context: RunContext, options: UpOptions): Promise<void> {
  const { config, report, log } = context;
  const { db, looked } = await planUp(context, options);
  try {
    const { plan } = looked;
    report.mode = plan.mode;
    const backupOnly = !options.select.has('migrate') && options.select.has('backup');
    const idle = plan.mode === 'nothing to do' || !options.select.has('migrate');
    if (!idle) throwIfRefused(plan);
    if (idle && config.backup !== 'always' && !backupOnly) {
      report.warnings.push(...plan.warnings);
      report.database.state = 'as_required';
      report.database.statement = `${config.database.name} is at ${plan.from ?? 'no version'}, as required`;
      return;
    }
    const before = await serverTime(db);
    await withLock(context, async (hold, { waited }) => {
      if (idle) return backUpOnly(context, hold, looked.facts);
      await underLock(context, hold, options, { looked, waitedSince: waited ? before : null });
    });
  } finally {
    await db.close();
  }
}

/** A backup and its proof, when nothing else is to be done. */
async function backUpOnly(context: RunContext, hold: Hold, facts: Facts): Promise<void> {
  const { report, config } = context;
  report.mode = 'backup';
  await step(report, 'backup', () => backUp(context, hold, facts, { mode: 'backup' }));
  report.database.statement = `${config.database.name} is at ${report.database.before ?? 'no version'}, not changed`;
}

/** Throws the refusals of a plan as one failure: the first gives the code, all give the text. */
export function throwIfRefused(plan: Pick<Plan, 'refusals'>): void {
  const [first, ...more] = plan.refusals;
  if (first === undefined) return;
  throw refusalError(first, more);
}

function refusalError(first: Refusal, more: readonly Refusal[]): DeployError {
  const all = [first, ...more];
  const next = [...new Set(all.flatMap((refusal) => refusal.next ?? []))];
  const lines = all.flatMap(({ message, where }) => (where === undefined ? message : `${message} (${where})`).split('\n'));
  const message = lines.length === 1 ? first.message : `the plan is refused: ${first.message.split('\n')[0]}`;
  return new DeployError(first.code, message, {
    ...(first.where === undefined ? {} : { where: first.where }),
    ...(next.length === 0 ? {} : { next }),
    ...(first.cause === undefined ? {} : { cause: first.cause }),
    facts: { ...(lines.length > 1 ? { problems: lines } : {}), refusals: all.map(({ code }) => code) },
  });
}

async function underLock(
  context: RunContext,
  hold: Hold,
  options: UpOptions,
  earlier: { readonly looked: LookedAt; readonly waitedSince: string | null },
): Promise<void> {
  const { config, report, log } = context;
  let facts = await readFacts(hold.db, config, context.folder);
  const ended = await recoverUnfinished(context, hold, facts);
  if (ended !== 'none') facts = await readFacts(hold.db, config, context.folder);
  const { facts: known, plan } = await replan(context, hold, facts, options, earlier.looked);
  if (report.mode === 'recover' || report.mode === 'nothing to do') report.mode = ended === 'none' ? plan.mode : 'recover';
  throwIfRefused(plan);
  const [first] = plan.cycles;
  if (first !== undefined) exitAsTheOther(config.database.name, facts.lastRun, first.digest, earlier.waitedSince);
  report.warnings.push(...plan.warnings);

  for (const [index, cycle] of plan.cycles.entries()) {
    const runId = plan.cycles.length === 1 ? report.run_id : `${report.run_id}.${index + 1}`;
    log.info({ from: cycle.from, to: cycle.to }, `${cycle.from ?? 'empty'} → ${cycle.to}: ${cycle.migrations.length} migrations`);
    const current: Facts = index === 0 ? known : { ...(await readFacts(hold.db, config, context.folder)), structural: known.structural };
    await runCycle(context, hold, current, cycle, runId);
    report.database.after = cycle.to;
  }
  report.database.after = plan.cycles.at(-1)?.to ?? plan.from;
  report.database.state = 'as_required';
  report.database.statement = `${config.database.name} is at ${report.database.after ?? 'no version'}, as required`;
}

/** Plans again under the lock; what was tried before holds if structure and plan are the same. */
async function replan(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  options: UpOptions,
  earlier: LookedAt,
): Promise<LookedAt> {
  const database = context.config.database.name;
  const reader = await openConnection(context);
  try {
    const structure = structureDigest(await readSchema(reader, database));
    const same = earlier.structure === structure;
    const known = same ? { ...facts, adoption: earlier.facts.adoption, structural: earlier.facts.structural } : facts;
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
function exitAsTheOther(
  database: string,
  lastRun: RunRow | null,
  digest: string,
  waitedSince: string | null,
): void {
  if (waitedSince === null || lastRun === null || lastRun.planDigest !== digest) return;
  if (lastRun.outcome === 'done' || lastRun.finishedAt === null || lastRun.finishedAt < waitedSince) return;
  const { error } = JSON.parse(lastRun.report ?? '{}') as Partial<Report>;
  if (!error) return;
  const code = error.code as ErrorCode;
  throw new SettledError(
    new DeployError(code, `another run of the same plan failed while this one waited: ${error.message}`, {
      where: `run ${lastRun.runId}`,
    }),
    {
      exitCode: lastRun.exitCode ?? 20,
      state: 'as_before',
      statement: `${database} is at ${lastRun.from ?? 'no version'}, not touched by this run`,
    },
  );
}
