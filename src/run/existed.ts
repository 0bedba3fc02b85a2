/** What existed before the migrations that a rollback takes back, from the runs that applied them. */
import type { Db } from '../database/connect.ts';
import { readRun } from '../history/read-runs.ts';
import { readTraces } from '../history/traces.ts';
import {
  conditionalParts,
  type ExistedBefore,
  type ExistingPart,
  type Spared,
  spareAll,
} from '../migrations/existing.ts';
import type { Migration } from '../migrations/migration.ts';
import type { StoredPlan } from './cycle.ts';
import type { Refusal } from './plan.ts';

/** As it stands in `deploy_run`: a map does not survive JSON. */
export type StoredExisted = readonly (readonly [number, readonly ExistingPart[]])[];

/**
 * Reads what existed before each of `migrations`, as far as their up files ask (`IF NOT EXISTS`, `OR REPLACE`)
 * and the run that applied them has noted it; nothing is known of what was adopted or restored.
 * Reads only.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a table of this program was changed.
 */
export async function readExisted(
  db: Db,
  schema: string,
  migrations: readonly Migration[],
): Promise<ExistedBefore> {
  const asking = migrations.filter((migration) => conditionalParts(migration).length > 0);
  const existed = new Map<number, readonly ExistingPart[]>();
  if (asking.length === 0) return existed;
  const { applied } = await readTraces(db, schema);
  const byRun = Map.groupBy(asking, ({ number }) => applied.get(number) ?? null);
  for (const [runId, mine] of byRun) {
    const run = runId === null ? null : await readRun(db, schema, runId);
    const plan = run?.plan as Partial<StoredPlan> | null | undefined;
    const known = new Map(plan?.existed ?? []);
    for (const { number } of mine) {
      const parts = known.get(number) ?? [];
      if (parts.length > 0)
        existed.set(
          number,
          parts.map((part) => noteChange(part, number, plan)),
        );
    }
  }
  return existed;
}

/** An object that was made anew as it had been is not changed. */
function noteChange(
  part: ExistingPart,
  migration: number,
  plan: Partial<StoredPlan> | null | undefined,
): ExistingPart {
  if (part.table !== null) return part;
  const key = `${part.kind}:${part.name}`.toLowerCase();
  const changes = (plan?.actions ?? [])
    .filter((action) => action.migration === migration)
    .flatMap((action) => action.changes.filter((one) => one.key.toLowerCase() === key));
  const changed = changes.length > 0 && changes[0]?.before !== changes.at(-1)?.after;
  return changed ? { ...part, changed } : part;
}

/**
 * The migrations of an unfinished run without what it leaves out; null when an edited down file
 * would drop something else together with what existed before. Pure.
 */
export function spareStored(
  migrations: readonly Migration[],
  stored: Pick<StoredPlan, 'direction' | 'existed'>,
): readonly Migration[] | null {
  if (stored.direction === 'up') return migrations;
  const spared = spareAll(migrations, new Map(stored.existed ?? []));
  if (spared.some(({ conflicts }) => conflicts.length > 0)) return null;
  return spared.map(({ migration }) => migration);
}

/** What going back leaves alone, by the number of the migration whose down file would drop it. Pure. */
export function keptBy(
  migrations: readonly Migration[],
  existed: ExistedBefore,
): ReadonlyMap<number, readonly string[]> {
  const spared = spareAll(migrations, existed);
  return new Map(spared.map(({ migration, kept }) => [migration.number, kept]));
}

/** Down files that would drop what existed before together with something else. Pure. */
export function refuseConflicts(spared: readonly Spared[]): Refusal[] {
  return spared.flatMap(({ migration: { number, name }, conflicts }) =>
    conflicts.map(({ message, where }) => ({
      code: 'NOT_REVERSIBLE' as const,
      message: `migration ${number} ${name}: ${message}`,
      where,
      next: ['correct the down file, which no checksum covers, and rebuild the image'],
    })),
  );
}
