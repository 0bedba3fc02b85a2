/** Plans `up`, without a lock and without changing anything. */
import type { Db } from '../database/connect.ts';
import { assertUsable } from '../database/server.ts';
import { failPoint } from '../errors/fail-point.ts';
import { checkScripts } from '../migrations/script.ts';
import type { RunContext } from './context.ts';
import { type Facts, readFacts } from './facts.ts';
import { isMasterdataSynced, noteVersion } from './idle.ts';
import type { LookedAt } from './look.ts';
import { openDatabase } from './open-database.ts';
import { makePlan, type PlanSettings } from './plan.ts';
import { step } from './report.ts';
import type { UpOptions } from './selection.ts';
import type { StateFacts } from './state-facts.ts';

/** Waits for the server and makes the plan, without a lock and without changing anything. */
export async function openAndPlan(
  context: RunContext,
  options: Pick<UpOptions, 'forward' | 'select'>,
): Promise<{ readonly db: Db; readonly looked: LookedAt }> {
  const db = await openDatabase(context);
  try {
    return { db, looked: await planUp(context, db, options) };
  } catch (error) {
    // An open connection would keep the process alive.
    await db.close();
    throw error;
  }
}

/** Makes the plan, without a lock and without changing anything. `state`: what was read before. */
export async function planUp(
  context: RunContext,
  db: Db,
  options: Pick<UpOptions, 'forward' | 'select'>,
  state?: StateFacts,
): Promise<LookedAt> {
  const { config, report } = context;
  const facts = await step(report, 'inspect', () => readUpFacts(context, db, options, state));
  await failPoint('plan.inspected');
  assertUsable(facts.server);
  report.database.size_before_bytes = facts.server.sizeBytes;
  report.database.size_after_bytes = facts.server.sizeBytes;
  const looked = await step(report, 'plan', async () =>
    refuseIfNoWayBack(context, db, await look(context, db, facts, options)),
  );
  noteVersion(report, facts, looked.plan, config.backendVersion);
  return looked;
}

/** The facts that `up` plans from: those of the database, and the master data of this image. */
export async function readUpFacts(
  context: RunContext,
  db: Db,
  { select }: Pick<UpOptions, 'select'>,
  state?: StateFacts,
): Promise<Facts> {
  const facts = await readFacts(db, context.config, context.folder, state);
  if (!select.has('masterdata')) return facts;
  if (isSettled(facts) && isMasterdataSynced(context, facts)) return facts;
  return { ...facts, masterdata: await context.masterdata.get() };
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
