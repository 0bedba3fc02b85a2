import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compareSetNames,
  isSetName,
  makeSetName,
  makeUnfinishedName,
  unfinishedPid,
} from '../../../src/backup/names.ts';

const at = new Date('2026-01-16T10:30:05.999Z');

test('a set is named by its time in UTC, the second of the same second by a number', () => {
  assert.equal(makeSetName(at, 1), 'backup_20260116_103005');
  assert.equal(makeSetName(at, 2), 'backup_20260116_103005_2');
});

test('only our own names are sets or unfinished sets', () => {
  for (const name of ['backup_20260116_103005', 'backup_20260116_103005_12']) {
    assert.ok(isSetName(name), name);
    assert.equal(unfinishedPid(makeUnfinishedName(name, 42)), 42);
    assert.ok(!isSetName(makeUnfinishedName(name, 42)));
  }
  for (const name of [
    'backup_2026',
    'backup_20260116_103005.old',
    'xbackup_20260116_103005',
    '.unfinished-x-1',
  ]) {
    assert.ok(!isSetName(name), name);
    assert.equal(unfinishedPid(name), null);
  }
});

test('sets are ordered by time, then by number', () => {
  const names = [
    'backup_20260116_103005_10',
    'backup_20260116_103006',
    'backup_20260116_103005_2',
    'backup_20260116_103005',
  ];
  assert.deepEqual(names.sort(compareSetNames), [
    'backup_20260116_103005',
    'backup_20260116_103005_2',
    'backup_20260116_103005_10',
    'backup_20260116_103006',
  ]);
});
