/** What going back does to each migration, in the words of the plan. Pure. */
import type { Migration } from '../migrations/migration.ts';
import type { Loss } from './loss.ts';

/** `unknown`: the plan is refused for another reason before anything was counted. */
export type Verdict = {
  readonly migration: number;
  readonly kind: 'without loss' | 'loses' | 'not reversible' | 'unknown';
  /** What is lost, counted, e.g. `table city: 20 rows`. */
  readonly losses: readonly string[];
};

/** Judges each migration; `losses` null means that nothing could be tried. */
export function judgeReverts(
  migrations: readonly Migration[],
  losses: readonly Loss[] | null,
): Verdict[] {
  return migrations.map(({ number, down }) => {
    if (down === null) return { migration: number, kind: 'not reversible', losses: [] };
    if (losses === null) return { migration: number, kind: 'unknown', losses: [] };
    const mine = losses.filter((loss) => loss.migration.number === number);
    const kind = mine.length > 0 ? 'loses' : 'without loss';
    return { migration: number, kind, losses: mine.map(({ what }) => what) };
  });
}

/** The verdict as one line of a plan. */
export function describeVerdict({ kind, losses }: Verdict): string {
  switch (kind) {
    case 'loses':
      return `loses ${losses.join('; ')}`;
    case 'without loss':
      return 'without loss: down and up again on a copy leaves every value as it is';
    case 'not reversible':
      return 'not reversible: it has no down file';
    case 'unknown':
      return 'not tried, because the plan is refused';
  }
}

/** How the backend that belongs to the version comes up in the place of the one that does not. */
export function nextAfter({ release }: { readonly release: string | null }): string[] {
  const stop = 'docker compose stop backend';
  if (release === null) return [stop];
  return [stop, `set RELEASE=${release} in .env, then: docker compose up -d`];
}
