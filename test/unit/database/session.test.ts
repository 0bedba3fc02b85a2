import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffSession } from '../../../src/database/session.ts';

test('diffSession shows what changed by name, and leaves out what moves by itself', () => {
  const before = new Map([
    ['sql_mode', 'A'],
    ['time_zone', '+00:00'],
    ['timestamp', '1'],
    ['gone', 'x'],
  ]);
  const after = new Map([
    ['sql_mode', 'B'],
    ['time_zone', '+00:00'],
    ['timestamp', '2'],
    ['new', 'y'],
  ]);

  assert.deepEqual(diffSession(before, after), [
    { name: 'gone', before: 'x', after: null },
    { name: 'new', before: null, after: 'y' },
    { name: 'sql_mode', before: 'A', after: 'B' },
  ]);
});
