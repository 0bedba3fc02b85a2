/** What existed before the migrations that a rollback takes back, from the runs that applied them. */
import type { Db } from '../database/connect.ts';
import { readRun } from '../history/read-runs.ts';
import { readTraces } from '../history/traces.ts';
import { correctDown } from '../migrations/correct-down.ts';
import {
  conditionalParts,
  type ExistedBefore,
  type ExistingPart,
  type Spared,
  spareAll,
  spareExisting,
} from '../migrations/existing.ts';
import { showNumber } from '../migrations/install-number.ts';
import type { Migration } from '../migrations/migration.ts';
import type { StoredPlan } from './cycle.ts';
import type { Refusal } from './plan.ts';

/** As it stands in `deploy_run`: a map does not survive JSON. */
export type StoredExisted = readonly (readonly [number, readonly ExistingPart[]])[];

/** What existed before, and the numbers of migrations that ask for it and of which nobody noted it. */
export type Existed = { readonly existed: ExistedBefore; readonly unknown: ReadonlySet<number> };

/**
 * Reads what existed before each of `migrations`, as far as their up files ask (`IF NOT EXISTS`, `OR REPLACE`)
 * and the last run that applied them here has noted it: also when a set was restored since. Nothing is
 * known of what was adopted, or came with a set of another server. Reads only.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a table of this program was changed.
 */
export async function readExisted(
  db: Db,
  schema: string,
  migrations: readonly Migration[],
): Promise<Existed> {
  const asking = migrations.filter((migration) => conditionalParts(migration).length > 0);
  const existed = new Map<number, readonly ExistingPart[]>();
  const unknown = new Set<number>();
  if (asking.length === 0) return { existed, unknown };
  const { lastUp } = await readTraces(db, schema);
  const byRun = Map.groupBy(asking, ({ number }) => lastUp.get(number) ?? null);
  for (const [runId, mine] of byRun) {
    const run = runId === null ? null : await readRun(db, schema, runId);
    const plan = run?.plan as Partial<StoredPlan> | null | undefined;
    const known = new Map(plan?.existed ?? []);
    for (const { number } of mine) {
      const hasNoted = plan?.existed !== undefined && plan.migrations?.includes(number);
      // An empty database had nothing, so what schema.sql made is new.
      if (!hasNoted && run?.mode !== 'install') unknown.add(number);
      const parts = known.get(number) ?? [];
      if (parts.length > 0)
        existed.set(
          number,
          parts.map((part) => noteChange(part, number, plan)),
        );
    }
  }
  return { existed, unknown };
}

/** What goes although it may have been there before its migration, and nobody can tell. Pure. */
export function warnUnknown(
  migrations: readonly Migration[],
  { unknown }: Pick<Existed, 'unknown'>,
): string[] {
  return migrations
    .filter(({ number }) => unknown.has(number))
    .flatMap((migration) => {
      const goes = spareExisting(migration, conditionalParts(migration)).kept;
      const number = showNumber(migration.number);
      const names = goes.join(', ');
      return goes.length === 0
        ? []
        : [
            `nothing is known of what was there before ${number}, which this database did not get by a run here: ${names} goes, also if it was`,
          ];
    });
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
      next: correctDown(number, 'file'),
    })),
  );
}
