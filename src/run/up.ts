/** `deploy up`: brings the database to the required version, or leaves it exactly as it was. */
import type { RowFormat } from '../backup/write-rows.ts';
import type { Db } from '../database/connect.ts';
import { assertUsable } from '../database/server.ts';
import { waitForServer } from '../database/wait.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { formerRelease } from '../history/release.ts';
import { checkScripts } from '../migrations/script.ts';
import type { RunContext } from './context.ts';
import { type Facts, readFacts } from './facts.ts';
import type { LookedAt } from './look.ts';
import { makePlan, type Plan, type PlanSettings } from './plan.ts';
import { throwIfRefused } from './refuse.ts';
import { step } from './report.ts';

export type UpOptions = {
  /** Go forward although somebody went back from the required version. */
  readonly forward: boolean;
  /** What the command line selected; a step that changes data always brings its backup. */
  /** `install`: only into an empty database. Left out: whatever the database needs. */
  readonly only?: 'install';
  /** Of a backup that is all that was asked for; SQL if left out. */
  readonly format?: RowFormat;
  readonly select: ReadonlySet<'backup' | 'migrate' | 'masterdata' | 'validate'>;
};

/** Without a selection `up` does all of these. */
export const everything: UpOptions['select'] = new Set([
  'backup',
  'migrate',
  'masterdata',
  'validate',
]);

/** Waits for the server and makes the plan, without a lock and without changing anything. */
export async function planUp(
  context: RunContext,
  options: Pick<UpOptions, 'forward' | 'select'>,
): Promise<{ readonly db: Db; readonly looked: LookedAt }> {
  const { config, report, log, stop } = context;
  const db = await step(report, 'wait', () =>
    waitForServer(config.database, {
      ...{ waitMs: config.dbWaitMs, log, signal: stop, database: config.database.name },
    }),
  );
  try {
    const facts = await step(report, 'inspect', () => readUpFacts(context, db, options));
    await failPoint('plan.inspected');
    assertUsable(facts.server);
    report.database.size_before_bytes = facts.server.sizeBytes;
    report.database.size_after_bytes = facts.server.sizeBytes;
    const looked = await step(report, 'plan', async () =>
      refuseIfNoWayBack(context, db, await look(context, db, facts, options)),
    );
    report.database.before = looked.plan.from;
    report.database.after = looked.plan.from;
    report.former_release = formerRelease(facts.history, looked.plan.from, config.backendVersion);
    return { db, looked };
  } catch (error) {
    // An open connection would keep the process alive.
    await db.close();
    throw error;
  }
}

/** The facts that `up` plans from: those of the database, and the master data of this image. */
export async function readUpFacts(
  context: RunContext,
  db: Db,
  { select }: Pick<UpOptions, 'select'>,
): Promise<Facts> {
  const facts = await readFacts(db, context.config, context.folder);
  if (!select.has('masterdata')) return facts;
  const { masterdata: source, config } = context;
  // The very files of the last sync: then what they say need not be read.
  const idle = isSettled(facts) && config.masterdata === 'changed';
  if (idle && facts.lastMasterdata !== null) {
    const digest = await source.filesDigest();
    if (digest !== null && digest === facts.lastMasterdata.files) return facts;
  }
  return { ...facts, masterdata: await source.get() };
}

/** Plans from the facts alone where that is enough; else something must be tried on a scratch server. */
async function look(
  context: RunContext,
  db: Db,
  facts: Facts,
  options: Pick<UpOptions, 'forward'>,
): Promise<LookedAt> {
  const settings = settingsOf(context, options);
  if (!isSettled(facts)) {
    // It starts while files and structure are read. Whoever needs it is told why it could not.
    void context.scratch.get(facts.server.variables).catch(() => undefined);
    // With work to do every file must be sound; without, nobody asks for the statements.
    await checkScripts(facts.folder.migrations);
  }
  const plan = makePlan(facts, settings);
  if (plan.needs === null) return { facts, plan, structure: '' };
  await checkScripts(facts.folder.migrations);
  const { lookAndPlan } = await import('./look.ts');
  return lookAndPlan(context, db, facts, settings);
}

/** A run that could not be put back is refused here; one that was cut off has its set already. */
async function refuseIfNoWayBack(context: RunContext, db: Db, looked: LookedAt): Promise<LookedAt> {
  const { facts, plan } = looked;
  if (plan.cycles.length === 0 || facts.unfinished !== null) return looked;
  const { refuseUnrestorable } = await import('./restorable.ts');
  const found = await refuseUnrestorable(context, db, facts);
  if (found.length === 0) return looked;
  return { ...looked, plan: { ...plan, mode: 'refused', refusals: [...plan.refusals, ...found] } };
}

/** Nothing is pending and nothing was cut off: at most the master data is left to look at. */
function isSettled({ resolution, unfinished }: Facts): boolean {
  const { pending, applied, actualVersion } = resolution;
  return (
    unfinished === null && pending.length === 0 && applied.length > 0 && actualVersion !== null
  );
}

/** The settings that plans depend on. */
export function settingsOf(
  { config }: RunContext,
  { forward }: Pick<UpOptions, 'forward'>,
): PlanSettings {
  const { updatePath, fence, fenceUsers, masterdata, admin } = config;
  return { updatePath, fence, fenceUsers, masterdata, admin, forward };
}

/**
 * Carries `up` out. With nothing to do it has read, taken no lock and changed nothing.
 *
 * @throws DeployError before any change, SettledError after.
 */
export async function up(context: RunContext, options: UpOptions): Promise<void> {
  const { config, report } = context;
  const { db, looked } = await planUp(context, options);
  try {
    const { plan } = looked;
    // Then only a look under the lock tells whether there is anything to refuse.
    const isStale = plan.refusals.length > 0 && (await isOutdated(db, looked.facts));
    report.mode = isStale ? 'nothing to do' : plan.mode;
    const { select } = options;
    const changes = select.has('migrate') || select.has('masterdata');
    const backupOnly = !changes && select.has('backup');
    const idle = plan.mode === 'nothing to do' || !changes;
    if (!isStale) checkSelection(options, plan, looked.facts, 'before');
    if (!idle && !isStale) throwIfRefused(plan);
    if (idle && config.backup !== 'always' && !backupOnly) {
      report.warnings.push(...plan.warnings);
      const required = plan.mode === 'nothing to do';
      report.database.state = required ? 'as_required' : 'as_before';
      report.database.statement = `${config.database.name} is at ${plan.from ?? 'no version'}, ${required ? 'as required' : 'not changed'}`;
      return;
    }
    // Loaded only now: a start that finds nothing to do stays light (promise P6).
    const { backUpLocked, upLocked } = await import('./up-locked.ts');
    const keep = backupOnly ? 'all' : 'by retention';
    if (idle) await backUpLocked(context, looked.facts, { keep, ...backupFormat(options) });
    else await upLocked(context, db, options, isStale ? { ...looked, structure: '' } : looked);
  } finally {
    await db.close();
  }
}

/** Loaded only where a plan is refused: a start with nothing to do stays light. */
async function isOutdated(db: Db, facts: Facts): Promise<boolean> {
  const { othersAtWork } = await import('./others.ts');
  return othersAtWork(db, facts.server.database.name, facts);
}

function backupFormat({ format }: UpOptions): Pick<UpOptions, 'format'> {
  return format === undefined ? {} : { format };
}

/**
 * What was asked for must fit what the database needs: looked at before the lock and under it.
 *
 * @throws DeployError `NOT_EMPTY`, `NO_TARGET`
 */
export function checkSelection(
  options: UpOptions,
  plan: Plan,
  facts: Facts,
  lock: 'before' | 'held',
): void {
  if (!options.select.has('migrate')) throwIfBehind(plan);
  // Who waited while another process installed has got what was asked for.
  const done = lock === 'held' && plan.mode === 'nothing to do';
  if (options.only === 'install' && !done) throwIfNotEmpty(plan, facts);
}

/** An unfinished run may be an installation that was cut off: it is gone on with. */
function throwIfNotEmpty({ from }: Plan, { relations, unfinished, server }: Facts): void {
  if (relations.length === 0 || unfinished !== null) return;
  const { name } = server.database;
  const message = `${name} has ${relations.length} tables and is at ${from ?? 'no version'}: it is not installed again`;
  throw new DeployError('NOT_EMPTY', message);
}

/** Master data alone needs the version that it was made for. */
function throwIfBehind({ cycles, from, to }: Plan): void {
  const wanted = cycles.some(({ masterdata }) => masterdata !== null);
  const behind = cycles.some(({ migrations, adopt }) => migrations.length + adopt.length > 0);
  if (!wanted || !behind) return;
  throw new DeployError(
    'NO_TARGET',
    `the master data is for ${to}, and the database is at ${from ?? 'no version'}`,
    {
      next: ['deploy up migrates first, and brings the master data then'],
    },
  );
}
