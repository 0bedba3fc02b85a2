/** `up` where there may be something to do: plans, and carries the plan out. */
import type { Db } from '../database/connect.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import { endIdle } from './idle.ts';
import { planUp } from './plan-up.ts';
import { throwIfRefused } from './refuse.ts';
import { checkSelection, type UpOptions } from './selection.ts';
import type { StateFacts } from './state-facts.ts';

/**
 * Plans on the connection and does what the plan says; `state` is what was read before. With nothing
 * to do it has read, taken no lock and changed nothing.
 *
 * @throws DeployError before any change, SettledError after.
 */
export async function upPlanned(
  context: RunContext,
  db: Db,
  options: UpOptions,
  state: StateFacts,
): Promise<void> {
  const { config, report } = context;
  const looked = await planUp(context, db, options, state);
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
  if (idle && config.backup !== 'always' && !backupOnly) return endIdle(context, plan);
  // Loaded only now: what finds nothing to do stays light (promise P6).
  const { backUpLocked, upLocked } = await import('./up-locked.ts');
  const keep = backupOnly ? 'all' : 'by retention';
  if (idle) await backUpLocked(context, looked.facts, { keep, ...backupFormat(options) });
  else await upLocked(context, db, options, isStale ? { ...looked, structure: '' } : looked);
}

/** Loaded only where a plan is refused: a start with nothing to do stays light. */
async function isOutdated(db: Db, facts: Facts): Promise<boolean> {
  const { othersAtWork } = await import('./others.ts');
  return othersAtWork(db, facts.server.database.name, facts);
}

function backupFormat({ format }: UpOptions): Pick<UpOptions, 'format'> {
  return format === undefined ? {} : { format };
}
