/**
 * Which backup sets stay and which may go. Pure: it reads no clock and no file, so that every rule
 * can be tried with any clock. Whoever is in doubt keeps: a set too many costs space, a set too few
 * costs the data.
 */
import { compareVersions, parseVersion, type SchemaVersion } from '../history/versions.ts';
import type { ListedSet } from './list.ts';
import type { Manifest } from './manifest.ts';
import { isOfVersion } from './reason.ts';

/** BACKUP_RETENTION_DAYS and BACKUP_KEEP_LAST. */
export type RetentionPolicy = { readonly retentionDays: number; readonly keepLast: number };

export type RetentionFacts = {
  readonly database: string;
  /** As `listSets` gives them, newest first; sets of other databases stay. */
  readonly sets: readonly ListedSet[];
  /** Versions that the migration files know: a rollback may go back from each of them. */
  readonly versions: readonly SchemaVersion[];
  /** By the clock of this machine. */
  readonly now: Date;
  /** What the database says; null when it was not asked, as for a list. */
  readonly server: ServerWitness | null;
};

/** The second clock, and how the last run ended. */
export type ServerWitness = {
  readonly now: Date;
  /** When each run began, by the clock of the server. */
  readonly runs: ReadonlyMap<string, Date>;
  /** Why nothing is pruned at all, e.g. `run x failed`; null when the last run succeeded. */
  readonly failure: string | null;
  /** Set of a run that is not ended, or null. */
  readonly neededSet: string | null;
};

/** A set with the reasons why it stays; without any it may go. */
export type Decision = { readonly set: ListedSet; readonly keptBecause: readonly string[] };

const DAY_MS = 86_400_000;

/** Two clocks that differ by more cannot both be right, and then neither says how old a set is. */
const CLOCKS_AGREE_MS = DAY_MS;

/**
 * Decides about every set, in the order given. A set goes only when it is proven, whole, of this
 * database, not among the newest `keepLast`, not the last one before a version that a rollback may
 * go back from, and older than `retentionDays` by this machine's clock *and*, where the server
 * knows its run, by the server's. "Newest" is by the number that a set was given when it was made,
 * which no clock can change. Imported dumps and sets
 * of a half-way database count neither as the newest nor as the last before a version; one that is
 * newer than a set among the newest stays with it.
 */
export function decideRetention(facts: RetentionFacts, policy: RetentionPolicy): Decision[] {
  const { database, sets, server } = facts;
  const counted = sets.filter(({ manifest }) => manifest?.database === database);
  // An imported dump or a half-way state is not what a version was: it takes no set's place.
  const taken = counted.filter(({ manifest }) => manifest !== null && isOfVersion(manifest));
  const newest = findNewest(counted, taken, policy.keepLast);
  const rollback = findRollbackSets(taken, facts.versions);
  return sets.map((set) => {
    const { manifest } = set;
    const reasons: string[] = [];
    const say = (applies: boolean, reason: string) => applies && reasons.push(reason);
    if (manifest === null)
      return { set, keptBecause: ['cannot be used, which is no reason to go'] };
    if (manifest.database !== database) {
      return { set, keptBecause: [`of another database: ${manifest.database}`] };
    }
    say(counted.length === 1, 'the only one');
    say(newest.has(set), newest.size === 1 ? 'the newest' : `one of the newest ${newest.size}`);
    for (const version of rollback.get(set) ?? []) reasons.push(`the last one before ${version}`);
    say(server?.neededSet === set.name, 'a run that is not ended needs it');
    say(!isOld(manifest, facts, policy), `younger than ${policy.retentionDays} days`);
    if (server !== null) {
      say(server.failure !== null, `nothing goes after a failure: ${server.failure}`);
      const offMs = Math.abs(server.now.getTime() - facts.now.getTime());
      say(offMs > CLOCKS_AGREE_MS, 'the clocks of this machine and of the server disagree');
    }
    return { set, keptBecause: reasons };
  });
}

/** The sets that may go, oldest first: whatever stops the work, the newer ones are still there. */
export function prunable(decisions: readonly Decision[]): ListedSet[] {
  return decisions
    .filter(({ keptBecause }) => keptBecause.length === 0)
    .map(({ set }) => set)
    .reverse();
}

/** All down to the `keepLast`th set of `taken`: imported ones between them stay beside them. */
function findNewest(
  sets: readonly ListedSet[],
  taken: readonly ListedSet[],
  keepLast: number,
): Set<ListedSet> {
  const last = taken[keepLast - 1];
  return new Set(last === undefined ? sets : sets.slice(0, sets.indexOf(last) + 1));
}

/** For each version the newest set of a lower one: what the data was before that version came. */
function findRollbackSets(
  sets: readonly ListedSet[],
  versions: readonly SchemaVersion[],
): Map<ListedSet, SchemaVersion[]> {
  const found = new Map<ListedSet, SchemaVersion[]>();
  for (const version of versions) {
    const last = sets.find(({ manifest }) => isBefore(manifest?.schemaVersion ?? null, version));
    if (last !== undefined) found.set(last, [...(found.get(last) ?? []), version]);
  }
  return found;
}

function isBefore(version: SchemaVersion | null, other: SchemaVersion): boolean {
  if (version === null) return true;
  return parseVersion(version) !== null && compareVersions(version, other) < 0;
}

function isOld(
  { createdAt, runId }: Manifest,
  { now, server }: RetentionFacts,
  { retentionDays }: RetentionPolicy,
): boolean {
  const isPast = (from: Date, to: Date) => to.getTime() - from.getTime() >= retentionDays * DAY_MS;
  if (!isPast(new Date(createdAt), now)) return false;
  // The server may have moved its rows to another machine: a run that it does not know says nothing.
  const begun = runId === null ? undefined : server?.runs.get(runId);
  return server === null || begun === undefined || isPast(begun, server.now);
}
