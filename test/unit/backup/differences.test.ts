import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Contents } from '../../../src/backup/contents.ts';
import { compareContents, describeDifferences } from '../../../src/backup/differences.ts';

const table = {
  name: 't',
  rows: 2,
  hash: 'h',
  structure: 's',
  autoIncrement: '3',
  engine: 'InnoDB',
};
const contents: Contents = {
  tables: [table],
  sequences: [{ name: 'q', state: { next_not_cached_value: '1' } }],
  objects: [{ key: 'view:v', fingerprint: 'f' }],
};

const cases: readonly (readonly [what: string, actual: Contents, kind: string, message: string])[] =
  [
    ['a missing table', { ...contents, tables: [] }, 'structure', 'table t: missing'],
    [
      'an extra table',
      { ...contents, tables: [table, { ...table, name: 'x' }] },
      'structure',
      'table x: not expected',
    ],
    [
      'another structure',
      { ...contents, tables: [{ ...table, structure: 'z' }] },
      'structure',
      'table t: other structure',
    ],
    [
      'another number of rows',
      { ...contents, tables: [{ ...table, rows: 1, hash: 'z' }] },
      'rows',
      'table t: 2 rows expected, 1 found',
    ],
    [
      'another value',
      { ...contents, tables: [{ ...table, hash: 'z' }] },
      'rows',
      'table t: other values in its rows',
    ],
    [
      'another counter',
      { ...contents, tables: [{ ...table, autoIncrement: '4' }] },
      'rows',
      'table t: AUTO_INCREMENT 3 expected, 4 found',
    ],
    [
      'another view',
      { ...contents, objects: [{ key: 'view:v', fingerprint: 'z' }] },
      'structure',
      'view v: other definition',
    ],
    ['a missing view', { ...contents, objects: [] }, 'structure', 'view v: missing'],
    [
      'an extra event',
      { ...contents, objects: [...contents.objects, { key: 'event:e', fingerprint: 'f' }] },
      'structure',
      'event e: not expected',
    ],
    [
      'another sequence state',
      { ...contents, sequences: [{ name: 'q', state: { next_not_cached_value: '2' } }] },
      'rows',
      'sequence q: other next value',
    ],
  ];

test('equal contents have no difference', () => {
  assert.deepEqual(compareContents(contents, structuredClone(contents)), []);
});

for (const [what, actual, kind, message] of cases) {
  test(`${what} is a difference in ${kind} and named`, () => {
    const found = compareContents(contents, actual);
    assert.deepEqual(
      found.map((difference) => [difference.kind, difference.message]),
      [[kind, message]],
    );
  });
}

test('objects that are left out of the comparison are no difference', () => {
  assert.deepEqual(
    compareContents(contents, { ...contents, objects: [] }, (key) => key === 'view:v'),
    [],
  );
});

test('of many differences the first ten are told', () => {
  const many = Array.from({ length: 12 }, (_, n) => ({
    key: '',
    kind: 'rows' as const,
    message: `m${n}`,
  }));
  assert.match(describeDifferences(many), /^m0; .*; m9; and 2 more$/);
});
