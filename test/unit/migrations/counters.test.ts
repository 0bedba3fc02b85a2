import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changesKey, makeActions } from '../../../src/migrations/actions.ts';
import { traceWrites } from '../../../src/migrations/counters.ts';
import { migrationOf } from '../../support/facts.ts';

/** What the last statement would have to note, after the others. */
function unknownAfter(...statements: readonly string[]): readonly string[] | null {
  const migration = migrationOf(1, '0.1.0', `${statements.join(';\n')};\n`);
  const migrations = new Map([[1, migration]]);
  const work = { adopt: [], migrations: [migration], direction: 'up' } as const;
  const actions = makeActions(work, new Map());
  const writes = traceWrites(migrations);
  for (const action of actions.slice(0, statements.length - 1)) writes.add(action);
  return writes.unknownTo(actions[statements.length - 1]!);
}

const insert = 'INSERT INTO a (b) VALUES (1)';

describe('counters that only the live database knows', () => {
  test('none: the table is as in the backup set, or the run has just made it', () => {
    assert.deepEqual(unknownAfter(insert), []);
    const create = 'CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, b INT)';
    assert.deepEqual(unknownAfter(create, insert), []);
    assert.deepEqual(
      unknownAfter('ALTER TABLE a ADD c INT', 'CREATE INDEX i ON a (b)', insert),
      [],
    );
  });

  for (const before of [
    insert,
    'CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, b INT) AUTO_INCREMENT=1000',
    'CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, b INT) AUTO_INCREMENT 1000',
    'CREATE TABLE a LIKE z',
    'CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY) SELECT b FROM z',
    'CREATE TABLE IF NOT EXISTS a (id INT AUTO_INCREMENT PRIMARY KEY, b INT)',
    'CREATE OR REPLACE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, b INT)',
    'ALTER TABLE a AUTO_INCREMENT=1000',
    'TRUNCATE TABLE a',
    'DROP TABLE a',
    'RENAME TABLE z TO a',
    'ALTER TABLE z RENAME TO a',
  ]) {
    test(`that of the table, after ${before}`, () => {
      assert.deepEqual(unknownAfter(before, insert), ['a']);
    });
  }

  test('those that a trigger or a view leads to', () => {
    const migration = migrationOf(1, '0.1.0', `${insert};\n${insert};\n`);
    const migrations = new Map([[1, migration]]);
    const work = { adopt: [], migrations: [migration], direction: 'up' } as const;
    const actions = makeActions(work, new Map(), new Map([[changesKey(1, 1), ['a', 'audit']]]));
    const writes = traceWrites(migrations);
    assert.deepEqual(writes.unknownTo(actions[0]!), []);
    writes.add(actions[0]!);
    assert.deepEqual(writes.untouched(['a', 'audit', 'b']), ['b']);
  });

  test('any table, after a statement that nobody can look into', () => {
    assert.deepEqual(unknownAfter('CALL p()', insert), ['a']);
  });
});
