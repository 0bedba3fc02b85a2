/** The AUTO_INCREMENT counters that an unfinished run goes on with; `migrations/counters.ts` says why. */
import { findSet } from '../backup/list.ts';
import type { RunRow } from '../history/runs.ts';
import { type Counters, traceWrites, writesTo } from '../migrations/counters.ts';
import { migrationsByNumber } from '../migrations/install.ts';
import type { RunContext } from './context.ts';
import type { StoredPlan } from './cycle.ts';
import type { Facts } from './facts.ts';

/**
 * The counters that an undisturbed run would find before the action at `fromSeq`, as far as they
 * are known: those of the backup set for tables that nothing wrote to (1 for tables that it does
 * not have), and what the journal noted of that action. Reads only.
 *
 * @throws DeployError `BACKUP_SET_INVALID` when the set of the run is not there.
 */
export async function countersBefore(
  context: RunContext,
  facts: Facts,
  run: RunRow,
  resume: { readonly fromSeq: number; readonly counters: Counters | null },
): Promise<Counters> {
  const { actions, masterdata } = run.plan as StoredPlan;
  const migrations = migrationsByNumber(facts.folder);
  const writes = traceWrites(migrations);
  for (const action of actions.slice(0, resume.fromSeq)) writes.add(action);
  const next = actions[resume.fromSeq];
  const tables = writes.untouched(next === undefined ? [] : (writesTo(next, migrations) ?? []));
  for (const action of actions.slice(resume.fromSeq)) writes.add(action);
  // The sync comes after all actions, and what was rolled back of it moved counters, too.
  const isUnsynced = masterdata !== null && run.masterdataDigest === null;
  const known = isUnsynced ? await context.masterdata.get() : null;
  const synced = writes.untouched(known?.set.entities.entities.map(({ table }) => table) ?? []);
  const { manifest } = await findSet(context.config.backupDir, run.backupSet!);
  const inSet = new Map(manifest.tables.map((table) => [table.name, table.autoIncrement]));
  const untouched = [...tables, ...synced].map((table) => [table, inSet.get(table) ?? '1']);
  return { ...Object.fromEntries(untouched), ...resume.counters };
}
