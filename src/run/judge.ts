/** Judges what going back loses from what was tried on a copy. */
import { isDeepStrictEqual } from 'node:util';
import type { BackupSet } from '../backup/manifest.ts';
import type { Db } from '../database/connect.ts';
import type { Migration } from '../migrations/migration.ts';
import { openConnection, type RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import { describeLosses, findSuspects, type Loss } from './loss.ts';
import type { Refusal } from './plan.ts';
import { throwIfRefused } from './refuse.ts';
import { hashesOf, type Rehearsal, rehearse } from './rehearse.ts';

/** What is lost, and how that is known. */
export type Judged = {
  readonly losses: readonly Loss[];
  /** Numbers of the migrations of which a copy showed that they lose something, or nothing. */
  readonly tried: ReadonlySet<number>;
  readonly warnings: readonly string[];
  /** The value hashes of the tables that were tried; null when nothing could be lost from the beginning. */
  readonly hashes: ReadonlyMap<string, string> | null;
};

/**
 * What going back really loses: proven by the values of a copy, not by the text of the files.
 *
 * @throws DeployError `MIGRATION_UNSOUND` when a down file fails on the rows; those of a backup
 */
export async function findLosses(
  context: RunContext,
  db: Db,
  facts: Facts,
  migrations: readonly Migration[],
): Promise<Judged> {
  const suspects = await findSuspects(db, migrations);
  if (suspects.length === 0) return { losses: [], tried: new Set(), warnings: [], hashes: null };
  const rehearsal = await rehearse(context, facts, migrations);
  const { failure, hashes, changed, taken } = rehearsal;
  const warnings =
    failure === null
      ? []
      : [`going forward again would fail, as on a copy with all rows: ${failure}`];
  const all = changed?.size === 0 ? migrations : taken.map(({ migration }) => migration);
  const tried = new Set(changed === null ? [] : all.map(({ number }) => number));
  return { losses: judge(rehearsal), tried, warnings, hashes };
}

/** The losses as a refusal that only `--accept-data-loss` overrides. Pure. */
export function refuseLosses({ losses, warnings }: Judged): Refusal[] {
  const message = [...describeLosses(losses), ...warnings].join('\n');
  return losses.length === 0 ? [] : [{ code: 'DATA_LOSS', message }];
}

/**
 * Judges once more when the application is fenced out and the database backed up: what it has written
 * since the plan is in no plan. Free as long as `set` holds the rows that were tried. Changes nothing.
 *
 * @throws DeployError `DATA_LOSS` when by now something would be lost
 */
export async function assertNothingNewLost(
  context: RunContext,
  facts: Facts,
  migrations: readonly Migration[],
  tried: Judged['hashes'],
  set: BackupSet,
): Promise<void> {
  if (tried !== null && isDeepStrictEqual(tried, hashesOf(set.manifest))) return;
  const db = await openConnection(context);
  try {
    const judged = await findLosses(context, db, facts, migrations);
    throwIfRefused({ refusals: refuseLosses(judged) });
  } finally {
    await db.close();
  }
}

/**
 * Leaves out what comes back by going forward again, table by table. When a table is another one
 * that no loss names, rows hung on others: then nothing is left out, and the table is named. Pure.
 */
export function judge({ taken, changed, live }: Rehearsal): readonly Loss[] {
  if (changed === null) return taken;
  if (changed.size === 0) return [];
  const isLost = ({ tables }: Loss) =>
    tables === null ||
    tables.some((table) => changed.has(table.toLowerCase()) || !live.has(table.toLowerCase()));
  const lost = taken.filter(isLost);
  if (lost.some(({ tables }) => tables === null)) return lost;
  const named = new Set(lost.flatMap(({ tables }) => tables ?? []).map((one) => one.toLowerCase()));
  const others = [...changed].filter(([table]) => !named.has(table));
  if (others.length === 0) return lost;
  const reaching = taken.filter(({ reachesOthers }) => reachesOthers);
  const owners = new Set(
    (reaching.length > 0 ? reaching : taken).map(({ migration }) => migration),
  );
  const hanging = [...owners].flatMap((migration) =>
    others.map(([table, fewer]) => ({
      migration,
      tables: [table],
      what: describe(table, fewer),
    })),
  );
  return [...taken, ...hanging];
}

function describe(table: string, fewer: number): string {
  return fewer > 0
    ? `table ${table}: ${fewer} rows do not come back`
    : `table ${table}: not as it was after going forward again`;
}
