/** The start that finds nothing to do: light, as every restart of the stack makes one (promise P6). */
import { formerRelease } from '../history/release.ts';
import type { RunContext } from './context.ts';
import type { Plan } from './plan.ts';
import { planNothing } from './plan-nothing.ts';
import type { Report } from './report.ts';
import type { StateFacts } from './state-facts.ts';

/**
 * The plan when there is nothing to do, neither for the migrations nor for the master data; null
 * when that cannot be told from so little. Reads files, and nothing of the database.
 */
export function planIdle(context: RunContext, state: StateFacts): Plan | null {
  const plan = planNothing(state);
  if (plan === null) return null;
  return isMasterdataSynced(context, state) ? plan : null;
}

/** Whether there is none to sync, or it is the very files of the last sync, so that they need not be read. */
export function isMasterdataSynced(
  { config, masterdata }: RunContext,
  { lastMasterdata }: Pick<StateFacts, 'lastMasterdata'>,
): boolean {
  if (masterdata.isNone()) return true;
  if (config.masterdata !== 'changed' || lastMasterdata === null) return false;
  const digest = masterdata.filesDigest();
  return digest !== null && digest === lastMasterdata.files;
}

/** Notes in the report that the database stays as it is. */
export function endIdle({ config, report }: RunContext, plan: Plan): void {
  const required = plan.mode === 'nothing to do';
  const { name } = config.database;
  report.warnings.push(...plan.warnings);
  report.database.state = required ? 'as_required' : 'as_before';
  report.database.statement = `${name} is at ${plan.from ?? 'no version'}, ${required ? 'as required' : 'not changed'}`;
}

/** Notes in the report where the database is, and which release belongs to that. */
export function noteVersion(
  report: Report,
  { history }: Pick<StateFacts, 'history'>,
  { from }: Pick<Plan, 'from'>,
  backendVersion: string | null,
): void {
  report.database.before = from;
  report.database.after = from;
  report.former_release = formerRelease(history, from, backendVersion);
}
