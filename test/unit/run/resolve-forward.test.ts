import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Action, makeActions } from '../../../src/migrations/actions.ts';
import { findTruth } from '../../../src/run/accept.ts';
import { continueEdited } from '../../../src/run/resolve-forward.ts';
import { migrationOf } from '../../support/facts.ts';

const change = (key: string, before: string | null, after: string | null) => ({
  ...{ key: `table:${key}` as const, before, after },
});

/** Two migrations: 1 makes a and then fills it, 2 makes b. Statement numbers count from 1. */
function actionsOf(second: string, third = 'CREATE TABLE b (id INT);'): readonly Action[] {
  const migrations = [
    migrationOf(1, '0.1.0', `CREATE TABLE a (id INT);\n${second}`),
    migrationOf(2, '0.1.0', third),
  ];
  const expected = new Map([
    ['1/1', [change('a', null, 'a1')]],
    ['1/2', second.startsWith('ALTER') ? [change('a', 'a1', 'a2')] : []],
    ['2/1', [change('b', null, 'b1')]],
  ]);
  return makeActions({ adopt: [], migrations, direction: 'up' }, expected);
}

const live = (tables: Record<string, string>) =>
  new Map(Object.entries(tables).map(([name, hash]) => [`table:${name}` as const, hash]));
const known = (tables: Record<string, string>, answer: 'run' | 'done' | null = null) => ({
  ...{ live: live(tables), answer },
});
const intent = (seq: number, counters: Record<string, string> | null = null) => ({
  ...{ seq, state: 'intent' as const, counters },
});
const done = (seq: number) => ({ seq, state: 'done' as const, counters: null });

describe('going on with a corrected file', () => {
  const old = actionsOf('ALTER TABLE a ADD b INT;');
  const corrected = actionsOf('ALTER TABLE a ADD c INT;');

  test('replaces the statement that failed, when the structure says that it took no effect', () => {
    assert.deepEqual(continueEdited(old, corrected, intent(1), known({ a: 'a1' })), {
      ...{ fromSeq: 1, done: [], counters: null, forget: 1 },
    });
  });

  test('goes on behind what is done, and from the beginning when nothing was begun', () => {
    const later = actionsOf('ALTER TABLE a ADD b INT;', 'CREATE TABLE b (id BIGINT);');

    const behind = continueEdited(old, later, done(2), known({ a: 'a2' }));
    assert.ok(typeof behind !== 'string');
    assert.deepEqual([behind.fromSeq, behind.forget], [3, null]);
    const begun = continueEdited(old, corrected, null, known({}));
    assert.ok(typeof begun !== 'string');
    assert.equal(begun.fromSeq, 0);
  });

  test('is refused when what took effect has another text', () => {
    for (const last of [done(1), done(2), intent(3)]) {
      assert.match(
        String(continueEdited(old, corrected, last, known({ a: 'a2' }))),
        /statement 2 of migration 1 took effect, and the file has another text/,
      );
    }
    assert.match(
      String(continueEdited(old, corrected, intent(1), known({ a: 'a2' }))),
      /took effect/,
      'the structure says that it did',
    );
  });

  test('asks when the structure cannot tell, and follows the answer', () => {
    const odd = known({ a: 'something else' });

    assert.match(String(continueEdited(old, corrected, intent(1), odd)), /--in-doubt/);
    const run = continueEdited(old, corrected, intent(1), { ...odd, answer: 'run' });
    assert.ok(typeof run !== 'string');
    assert.equal(run.forget, 1);
    assert.match(
      String(continueEdited(old, corrected, intent(1), { ...odd, answer: 'done' })),
      /took effect/,
    );
  });

  test('keeps the counters of a transaction that never ended', () => {
    const filled = actionsOf('INSERT INTO a VALUES (1);');
    const other = actionsOf('INSERT INTO a VALUES (2);');

    assert.deepEqual(continueEdited(filled, other, intent(1, { a: '7' }), known({})), {
      ...{ fromSeq: 1, done: [], counters: { a: '7' }, forget: 1 },
    });
  });
});

describe('taking the database as it is', () => {
  const actions = actionsOf('ALTER TABLE a ADD b INT;');
  const truth = (seqs: number[], tables: Record<string, string>) =>
    findTruth(actions, new Set(seqs), live(tables));

  test('believes the journal where the structure fits it', () => {
    assert.deepEqual(truth([], {}), { complete: 0, matches: true });
    assert.deepEqual(truth([0, 1, 2], { a: 'a2' }), { complete: 1, matches: true });
    assert.deepEqual(truth([0, 1, 2, 3, 4], { a: 'a2', b: 'b1' }), { complete: 2, matches: true });
  });

  test('believes the structure where a person finished a migration, or took one away', () => {
    assert.deepEqual(truth([0], { a: 'a2' }), { complete: 1, matches: true });
    assert.deepEqual(truth([0, 1, 2], { a: 'a2', b: 'b1' }), { complete: 2, matches: true });
    assert.deepEqual(truth([0, 1, 2], {}), { complete: 0, matches: true });
  });

  test('keeps to the journal where the structure fits nothing, and says so', () => {
    assert.deepEqual(truth([0], { a: 'a1' }), { complete: 0, matches: false });
    assert.deepEqual(truth([0, 1, 2], { a: 'odd' }), { complete: 1, matches: false });
  });

  test('looks at twice as many objects for twice as many migrations, and no more', () => {
    const looksFor = (count: number): number => {
      let looks = 0;
      const numbers = Array.from({ length: count }, (_, index) => index + 1);
      const many = makeActions(
        {
          ...{ adopt: [], direction: 'up' },
          migrations: numbers.map((one) =>
            migrationOf(one, '0.1.0', `CREATE TABLE t${one} (i INT);`),
          ),
        },
        new Map(numbers.map((one) => [`${one}/1`, [change(`t${one}`, null, 'made')]])),
      );
      const all = live(Object.fromEntries(numbers.map((one) => [`t${one}`, 'made'])));
      const counting = Object.assign(new Map(all), {
        get: (key: `table:${string}`) => {
          looks++;
          return all.get(key);
        },
      });
      assert.equal(findTruth(many, new Set(), counting).complete, count);
      return looks;
    };

    assert.equal(looksFor(200), 2 * looksFor(100));
  });

  test('takes what is only recorded together with what made it', () => {
    const [one, two] = [migrationOf(1, '0.1.0', 'DO 0;'), migrationOf(2, '0.1.0', 'DO 0;')];
    const schema = { ...migrationOf(-1, '0.1.0', 'CREATE TABLE a (id INT);') };
    const install = makeActions(
      { adopt: [one, two], migrations: [schema], direction: 'up' },
      new Map([['-1/1', [change('a', null, 'a1')]]]),
    );

    assert.deepEqual(findTruth(install, new Set([0]), live({ a: 'a1' })), {
      ...{ complete: 2, matches: true },
    });
    assert.deepEqual(findTruth(install, new Set(), live({})), { complete: 0, matches: true });
  });
});
