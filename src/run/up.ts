/** `deploy up`: brings the database to the required version, or leaves it exactly as it was. */
import type { RunContext } from './context.ts';
import { endIdle, noteVersion, planIdle } from './idle.ts';
import { openDatabase } from './open-database.ts';
import { step } from './report.ts';
import type { UpOptions } from './selection.ts';
import { readStateFacts } from './state-facts.ts';

/**
 * Carries `up` out. With nothing to do it has read, taken no lock and changed nothing.
 *
 * @throws DeployError before any change, SettledError after.
 */
export async function up(context: RunContext, options: UpOptions): Promise<void> {
  const { config, folder, report } = context;
  const db = await openDatabase(context);
  try {
    const state = await step(report, 'look', () => readStateFacts(db, config, folder));
    const plan = mayBeIdle(context, options) ? planIdle(context, state) : null;
    if (plan !== null) {
      noteVersion(report, state, plan, config.backendVersion);
      return endIdle(context, plan);
    }
    // Loaded only now: a start that finds nothing to do stays light (promise P6).
    const { upPlanned } = await import('./up-planned.ts');
    await upPlanned(context, db, options, state);
  } finally {
    await db.close();
  }
}

/** Whether nothing was asked for besides what the database needs. */
function mayBeIdle({ config }: RunContext, { only, select }: UpOptions): boolean {
  const asked = only !== undefined || !select.has('migrate') || !select.has('masterdata');
  return !asked && config.backup !== 'always';
}
