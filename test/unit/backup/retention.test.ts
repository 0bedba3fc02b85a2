import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ListedSet } from '../../../src/backup/list.ts';
import { halfWayReason, importReason, isOfVersion } from '../../../src/backup/reason.ts';
import {
  decideRetention,
  prunable,
  type RetentionFacts,
  type ServerWitness,
} from '../../../src/backup/retention.ts';
import { compareVersions } from '../../../src/history/versions.ts';
import { daysBefore, makeListed } from '../../support/backup/sets.ts';
import { makeRandom } from '../../support/kill.ts';

const now = new Date('2026-03-01T12:00:00Z');
const policy = { retentionDays: 30, keepLast: 3 };

/** One set per age, the first age being the newest set. */
function setsOf(ages: readonly number[], version: (nth: number) => string | null = () => '0.1.0') {
  return ages.map((age, nth) =>
    makeListed({
      ...{ createdAt: daysBefore(now, age).toISOString(), sequence: ages.length - nth },
      ...{ name: `set of ${age} days`, schemaVersion: version(nth), runId: `run ${age}` },
    }),
  );
}

function factsOf(sets: readonly ListedSet[], change: Partial<RetentionFacts> = {}): RetentionFacts {
  return { database: 'app', sets, versions: [], now, server: null, ...change };
}

function serverOf(change: Partial<ServerWitness> = {}): ServerWitness {
  return { now, runs: new Map(), failure: null, neededSet: null, ...change };
}

function goingOf(facts: RetentionFacts, rules = policy): string[] {
  return prunable(decideRetention(facts, rules)).map(({ name }) => name);
}

describe('retention', () => {
  test('lets sets go that are older than 30 days, oldest first, and keeps the newest three', () => {
    const sets = setsOf([0, 40, 50, 60, 70]);
    assert.deepEqual(goingOf(factsOf(sets)), ['set of 70 days', 'set of 60 days']);
  });

  test('keeps everything younger, however many there are', () => {
    assert.deepEqual(goingOf(factsOf(setsOf([0, 1, 2, 3, 4, 29]))), []);
  });

  test('keeps the only set at any age, and says so', () => {
    const [decision] = decideRetention(factsOf(setsOf([400])), { retentionDays: 0, keepLast: 1 });
    assert.deepEqual(decision?.keptBecause, ['the only one', 'the newest']);
  });

  test('keeps the last set before each version that a rollback may go back from', () => {
    // Newest first: three of 0.3.0, then one of 0.2.0, two of 0.1.0, one of a database without history.
    const versions = ['0.3.0', '0.3.0', '0.3.0', '0.2.0', '0.1.0', '0.1.0', null];
    const sets = setsOf([0, 1, 2, 100, 200, 210, 300], (nth) => versions[nth]!);
    const facts = factsOf(sets, { versions: ['0.1.0', '0.2.0', '0.3.0'] });

    assert.deepEqual(goingOf(facts), ['set of 210 days']);
    const reasons = decideRetention(facts, policy).map(({ keptBecause }) => keptBecause.at(-1));
    assert.equal(reasons[3], 'the last one before 0.3.0');
    assert.equal(reasons[6], 'the last one before 0.1.0');
  });

  test('a set after a rollback takes the place of the one before it', () => {
    const versions = ['0.2.0', '0.1.0', '0.2.0', '0.1.0'];
    const sets = setsOf([0, 100, 200, 300], (nth) => versions[nth]!);
    const facts = factsOf(sets, { versions: ['0.2.0'] });
    assert.deepEqual(goingOf(facts, { retentionDays: 30, keepLast: 1 }), [
      'set of 300 days',
      'set of 200 days',
    ]);
  });

  test('imported dumps and half-way states take no place among the newest, and are no last set before a version', () => {
    // Newest first: two imports of an old dump and a half-way state, then what the runs took.
    const versions = ['0.1.0', '0.1.0', '0.1.0', '0.2.0', '0.2.0', '0.1.0', '0.1.0'];
    const sets = setsOf([40, 41, 42, 100, 101, 200, 300], (nth) => versions[nth]!);
    const listed = sets.map((set, nth) => {
      if (nth > 2) return set;
      const reason = nth === 1 ? halfWayReason('backup') : importReason('/tmp/old.sql.gz');
      return { ...set, manifest: { ...set.manifest!, reason } };
    });
    const facts = factsOf(listed, { versions: ['0.2.0'] });
    assert.deepEqual(goingOf(facts, { retentionDays: 30, keepLast: 1 }), [
      'set of 300 days',
      'set of 101 days',
    ]);
  });

  test('an imported dump goes like any other set when enough sets of runs are newer', () => {
    const [newest, next, oldest] = setsOf([50, 60, 70]);
    const old = { ...next!, manifest: { ...next!.manifest!, reason: importReason('old.sql') } };
    const rules = { retentionDays: 30, keepLast: 1 };
    assert.deepEqual(goingOf(factsOf([newest!, old, oldest!]), rules), [
      'set of 70 days',
      'set of 60 days',
    ]);
  });

  test('versions are compared as numbers: 0.9.0 is before 0.10.0', () => {
    const sets = setsOf([0, 100, 200], (nth) => ['0.10.0', '0.9.0', '0.8.0'][nth]!);
    const facts = factsOf(sets, { versions: ['0.10.0'] });
    assert.deepEqual(goingOf(facts, { retentionDays: 1, keepLast: 1 }), ['set of 200 days']);
  });

  test('a jumped clock of this machine lets nothing go: the clock of the server disagrees', () => {
    const sets = setsOf([0, 1, 2, 3, 4]);
    const nextYear = daysBefore(now, -365);
    const facts = factsOf(sets, { now: nextYear, server: serverOf() });
    assert.deepEqual(goingOf(facts), []);
    assert.deepEqual(goingOf(factsOf(sets, { now: nextYear })), ['set of 4 days', 'set of 3 days']);
  });

  test('a set that was made while the clock was wrong is as old as the server says', () => {
    const sets = setsOf([0, 1, 2, 3000, 4000]);
    const runs = new Map([['run 3000', daysBefore(now, 3)]]);
    const facts = factsOf(sets, { server: serverOf({ runs }) });
    assert.deepEqual(goingOf(facts), ['set of 4000 days']);
  });

  test('the newest are told by their number, not by the clock', () => {
    // The clock was set back by a year: the newest set has the oldest date.
    const sets = setsOf([365, 0, 1, 2, 40]);
    assert.deepEqual(goingOf(factsOf(sets), { retentionDays: 30, keepLast: 1 }), [
      'set of 40 days',
    ]);
  });

  test('after a failed run nothing goes', () => {
    const facts = factsOf(setsOf([0, 40, 50, 60]), {
      server: serverOf({ failure: 'run x ended as put back' }),
    });
    assert.deepEqual(goingOf(facts), []);
    assert.match(
      decideRetention(facts, policy).at(-1)!.keptBecause.join(),
      /nothing goes after a failure: run x ended as put back/,
    );
  });

  test('a set that an unfinished run needs stays', () => {
    const facts = factsOf(setsOf([0, 1, 2, 50, 60]), {
      server: serverOf({ neededSet: 'set of 60 days' }),
    });
    assert.deepEqual(goingOf(facts), ['set of 50 days']);
  });

  test('damaged sets and those of other databases neither count nor go', () => {
    const damaged = { ...makeListed(), name: 'damaged', manifest: null, problem: 'cut off' };
    const [, , foreign] = setsOf([0, 90, 91]).map((set) => ({
      ...set,
      manifest: { ...set.manifest!, database: 'other' },
    }));
    const sets = [...setsOf([0, 90, 91]), foreign!, damaged];
    assert.deepEqual(goingOf(factsOf(sets), { retentionDays: 1, keepLast: 2 }), ['set of 91 days']);
    assert.deepEqual(goingOf(factsOf(sets), policy), []);
  });
});

test('what must stay stays, whatever the sets, the clocks and the settings', () => {
  for (let seed = 1; seed <= 500; seed++) checkSeed(seed);
});

/** Throws with the seed in the message when a rule is broken. */
function checkSeed(seed: number): void {
  const versions = ['0.1.0', '0.2.0', '0.9.0', '0.10.0'];
  const random = makeRandom(seed);
  const int = (limit: number) => Math.floor(random() * limit);
  const ages = Array.from({ length: int(12) }, () => int(400) - 40);
  const sets = setsOf(ages, () => (random() < 0.1 ? null : versions[int(4)]!)).map((set) =>
    random() < 0.1 ? { ...set, manifest: null, problem: 'damaged' } : set,
  );
  for (const { manifest } of sets) {
    if (manifest !== null && random() < 0.2) Object.assign(manifest, { reason: importReason('x') });
  }
  const rules = { retentionDays: int(60), keepLast: 1 + int(5) };
  const neededSet = random() < 0.3 ? (sets[int(sets.length)]?.name ?? null) : null;
  const failure = random() < 0.2 ? 'run x ended as failed' : null;
  const serverNow = daysBefore(now, random() < 0.2 ? int(800) - 400 : 0);
  const runs = new Map(
    ages.filter(() => random() < 0.5).map((age) => [`run ${age}`, daysBefore(now, int(400))]),
  );
  const facts = factsOf(sets, {
    versions,
    server: { now: serverNow, runs, failure, neededSet },
  });

  const decisions = decideRetention(facts, rules);
  const going = prunable(decisions);
  const staying = decisions.filter(({ keptBecause }) => keptBecause.length > 0);
  const good = sets.filter(({ manifest }) => manifest !== null);

  assert.equal(going.length + staying.length, sets.length);
  for (const set of good.slice(0, rules.keepLast)) assert.ok(!going.includes(set));
  assert.ok(good.length === 0 || good.some((set) => !going.includes(set)));
  assert.ok(going.every(({ manifest }) => manifest !== null));
  if (failure !== null) assert.deepEqual(going, []);
  assert.ok(!going.some(({ name }) => name === neededSet));
  for (const set of going) {
    const age = now.getTime() - Date.parse(set.manifest!.createdAt);
    assert.ok(age >= rules.retentionDays * 86_400_000, `${set.name} is too young`);
  }
  // Without the sets that go, the newest set of a run before each version is the same one.
  const isBefore = (version: string) => (set: ListedSet) => {
    const own = set.manifest?.schemaVersion ?? null;
    if (set.manifest === null || !isOfVersion(set.manifest)) return false;
    return own === null || compareVersions(own, version) < 0;
  };
  const left = sets.filter((set) => !going.includes(set));
  for (const version of versions) {
    assert.equal(left.find(isBefore(version)), sets.find(isBefore(version)));
  }
  // Deciding again about what is left lets nothing more go.
  assert.deepEqual(goingOf({ ...facts, sets: left }, rules), []);
}
