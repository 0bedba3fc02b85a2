/** The plan of most starts. Pure, and light: it needs nothing of what plans of work are made with. */
import { pathTo } from '../history/versions.ts';
import type { SchemaVersion } from '../migrations/migration.ts';
import type { Plan } from './plan.ts';
import { refuseDirection } from './refuse-direction.ts';
import { refuseHistory } from './refuse-history.ts';
import type { StateFacts } from './state-facts.ts';

/**
 * The plan when the migrations leave nothing to do, as `makePlan` would have it; null when there is
 * something to do, to refuse, or to look at more closely. Master data is the caller's matter.
 */
export function planNothing(facts: StateFacts): Plan | null {
  const { history, resolution, unfinished, requiredVersion, folder } = facts;
  const from = resolution.actualVersion;
  if (history.applied.length === 0 || unfinished !== null || from === null) return null;
  const refusals = [
    ...refuseHistory({ ...facts, traces: null }),
    ...refuseDirection(facts, { forward: false }, from),
  ];
  const isThere = pathTo(folder.versions, from, requiredVersion).length === 0;
  // What a history has lost, only traces tell: they are looked at where something is pending.
  if (refusals.length > 0 || !isThere || resolution.pending.length > 0) return null;
  return nothing(facts, from);
}

/** The plan that does nothing, with what is to be said all the same. */
export function nothing(facts: StateFacts, from: SchemaVersion | null): Plan {
  const { requiredVersion: to, resolution } = facts;
  const warnings = [...failedBefore(facts), ...withoutChecksum(resolution)];
  return { mode: 'nothing to do', from, to, cycles: [], warnings, refusals: [], needs: null };
}

function failedBefore({ resolution, history }: StateFacts): string[] {
  return resolution.failed.map(({ number, name }) => {
    const error = history.failed.find((row) => row.number === number)?.error;
    const why = error ? `: ${error.split('\n', 1)[0]}` : '';
    return `migration ${number} ${name} failed earlier and is not critical; deploy resolve --retry ${number} tries again${why}`;
  });
}

/** Migrations of which nobody can tell whether their files changed. */
export function withoutChecksum({ unknownChecksum }: StateFacts['resolution']): string[] {
  if (unknownChecksum.length === 0) return [];
  const numbers = unknownChecksum.map(({ number }) => number);
  const shown = numbers.slice(0, 10).join(', ') + (numbers.length > 10 ? ', …' : '');
  return [
    `no checksum is recorded of migration ${shown}: nobody can tell whether the file changed; deploy resolve --accept-checksum N records that of the file`,
  ];
}
