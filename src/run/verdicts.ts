/** What going back does to each migration, in the words of the plan. Pure. */
import { compareVersions, type SchemaVersion } from '../history/versions.ts';
import { showNumber } from '../migrations/install-number.ts';
import type { Migration } from '../migrations/migration.ts';
import type { Judged } from './judge.ts';

/** `unknown`: the plan is refused for another reason before anything was counted. */
export type Verdict = {
  readonly migration: number;
  readonly kind: 'without loss' | 'loses' | 'not reversible' | 'unknown';
  /** Down and up again were tried on a copy with all rows. */
  readonly tried: boolean;
  /** What is lost, counted, e.g. `table city: 20 rows`. */
  readonly losses: readonly string[];
  /** What its down file would drop and is kept, because it existed before: `column t.c`. */
  readonly kept: readonly string[];
};

/** Judges each migration; `judged` null means that nothing could be tried. */
export function judgeReverts(
  migrations: readonly Migration[],
  judged: Judged | null,
  keptBy: ReadonlyMap<number, readonly string[]>,
): Verdict[] {
  return migrations.map(({ number, down }) => {
    const kept = keptBy.get(number) ?? [];
    const about = { migration: number, kept, tried: judged?.tried.has(number) ?? false };
    if (down === null) return { ...about, kind: 'not reversible', losses: [] };
    if (judged === null) return { ...about, kind: 'unknown', losses: [] };
    const mine = judged.losses.filter((loss) => loss.migration.number === number);
    const kind = mine.length > 0 ? 'loses' : 'without loss';
    return { ...about, kind, losses: mine.map(({ what }) => what) };
  });
}

/** What the migration's going back leaves alone, a line each. */
export function describeKept({ migration, kept }: Verdict): string[] {
  const number = showNumber(migration);
  return kept.map((what) => `kept: ${what} existed before ${number}`);
}

/** The verdict as one line of a plan. */
export function describeVerdict({ kind, losses, tried }: Verdict): string {
  switch (kind) {
    case 'loses':
      return `loses ${losses.join('; ')}`;
    case 'without loss':
      return tried
        ? 'without loss: down and up again on a copy leaves every value as it is'
        : 'without loss: it overwrites no rows, and what it removes holds none';
    case 'not reversible':
      return 'not reversible: it has no down file';
    case 'unknown':
      return 'not tried, because the plan is refused';
  }
}

/** A part of a version that stays applied, and in how many steps it is taken back. */
export type LeftPart = { readonly version: SchemaVersion; readonly steps: number };

/** What stays applied of a version above the one that `to` calls reached; null for nothing. Pure. */
export function leftPart(
  applied: readonly { readonly version: SchemaVersion }[],
  to: SchemaVersion | null,
): LeftPart | null {
  const beyond = applied
    .map(({ version }) => version)
    .filter((version) => to === null || compareVersions(version, to) > 0);
  const version = beyond.toSorted(compareVersions).at(-1);
  return version === undefined ? null : { version, steps: beyond.length };
}

/**
 * How the backend that belongs to the version comes up in the place of the one that does not. Where an
 * image of that release is missing, compose would build it from the sources of now, and call it by its tag.
 * Between two versions there is none: its own deploy would find the database ahead.
 */
export function nextAfter(plan: {
  readonly release: string | null;
  readonly part: LeftPart | null;
}): string[] {
  const { release, part } = plan;
  const stop = 'docker compose stop backend';
  if (part !== null) {
    const back = `deploy rollback --steps ${part.steps}`;
    return [
      stop,
      `a part of ${part.version} stays applied, which no release fits: ${back} takes it back, deploy up --forward completes it`,
    ];
  }
  if (release === null) return [stop];
  return [stop, `set RELEASE=${release} in .env, then: docker compose up -d --no-build`];
}
