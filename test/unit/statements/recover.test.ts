import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  canResume,
  decideInDoubt,
  type InDoubt,
  matchStructure,
  type Verdict,
} from '../../../src/statements/recover.ts';

/** An ALTER TABLE … ADD COLUMN that was cut off; each row of the tables below changes some of it. */
const alter: InDoubt = {
  class: 'ddl',
  repeatable: false,
  invisible: false,
  ids: 'unknown',
  rerunnable: false,
  changesStructure: true,
  live: 'before',
};

describe('decideInDoubt', () => {
  const rows: readonly (readonly [name: string, statement: Partial<InDoubt>, verdict: Verdict])[] =
    [
      ['a statement that left no trace yet is run', { live: 'before' }, 'run'],
      ['a statement whose structure is there took effect', { live: 'expected' }, 'done'],
      ['a structure that is neither is put back', { live: 'neither' }, 'put-back'],
      [
        'DROP of several tables that is half done is put back',
        { class: 'ddl-not-atomic', live: 'neither' },
        'put-back',
      ],
      [
        'DROP of several tables that has not begun is run',
        { class: 'ddl-not-atomic', live: 'before' },
        'run',
      ],
      [
        'DROP of several tables that is complete took effect',
        { class: 'ddl-not-atomic', live: 'expected' },
        'done',
      ],
      [
        'TRUNCATE, which the structure does not show, is run again',
        { repeatable: true, changesStructure: false },
        'run',
      ],
      [
        'an ALTER that changes nothing and may run twice is run again',
        { repeatable: true, changesStructure: false },
        'run',
      ],
      [
        'an ALTER that changes nothing is put back when it may not run twice',
        { changesStructure: false },
        'put-back',
      ],
      [
        'EXCHANGE PARTITION of equal tables is put back when their ids are not known',
        { invisible: true, changesStructure: false },
        'put-back',
      ],
      [
        'EXCHANGE PARTITION is run when no id has moved',
        { invisible: true, changesStructure: false, ids: 'before' },
        'run',
      ],
      [
        'EXCHANGE PARTITION took effect when the ids have changed places',
        { invisible: true, changesStructure: false, ids: 'moved' },
        'done',
      ],
      [
        'a change by someone else where nothing should change is put back',
        { changesStructure: false, live: 'neither' },
        'put-back',
      ],
      [
        'CREATE OR REPLACE of a table by an equal one is put back',
        { class: 'ddl-not-atomic', changesStructure: false },
        'put-back',
      ],
      ['a CALL cannot be told and is put back', { class: 'opaque' }, 'put-back'],
      [
        'a CALL in a file that is rerunnable is run again',
        { class: 'opaque', rerunnable: true, live: 'neither' },
        'run',
      ],
    ];
  for (const [name, statement, verdict] of rows) {
    test(name, () => assert.equal(decideInDoubt({ ...alter, ...statement }), verdict));
  }
});

describe('matchStructure', () => {
  const changes = [
    { key: 'table:a', before: null, after: '1' },
    { key: 'table:b', before: '2', after: '3' },
  ];

  test('recognises the structure before, after, and one that is neither', () => {
    assert.equal(matchStructure(changes, new Map([['table:b', '2']])), 'before');
    assert.equal(
      matchStructure(
        changes,
        new Map([
          ['table:a', '1'],
          ['table:b', '3'],
        ]),
      ),
      'expected',
    );
    assert.equal(
      matchStructure(
        changes,
        new Map([
          ['table:a', '1'],
          ['table:b', '2'],
        ]),
      ),
      'neither',
    );
  });

  test('takes a statement without structure changes for not begun', () => {
    assert.equal(matchStructure([], new Map([['table:z', '9']])), 'before');
  });
});

test('a file that uses user variables cannot be gone on with in its middle', () => {
  assert.equal(canResume([{ sessionDependent: false }, { sessionDependent: true }]), false);
  assert.equal(canResume([{ sessionDependent: false }]), true);
});
