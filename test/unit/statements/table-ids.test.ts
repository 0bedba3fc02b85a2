import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { notRolledBack } from '../../../src/statements/non-transactional.ts';
import { compareIds } from '../../../src/statements/table-ids.ts';

describe('compareIds', () => {
  const before = { 't#P#p0': '7', 't#P#p1': '8', q: '9' };

  test('knows tables whose ids are where they were, and ids that have changed places', () => {
    assert.equal(compareIds(before, { ...before }), 'before');
    assert.equal(compareIds(before, { ...before, 't#P#p0': '9', q: '7' }), 'moved');
  });

  test('decides nothing when a table is gone, has been made again, or could not be read', () => {
    const { q: _gone, ...rest } = before;
    assert.equal(compareIds(before, rest), 'unknown');
    assert.equal(compareIds(before, { ...rest, other: '9' }), 'unknown');
    assert.equal(compareIds(before, { ...before, q: '10' }), 'unknown');
    assert.equal(compareIds(before, null), 'unknown');
    assert.equal(compareIds(null, before), 'unknown');
  });
});

describe('notRolledBack', () => {
  const target = (sql: string, verb: string, table: string) =>
    /^on (\S+),/.exec(notRolledBack(sql, { class: 'dml', verb }, ['other', table]) ?? '')?.[1];

  test('finds the table that cannot roll back, in any case and in quotes', () => {
    assert.equal(target('INSERT INTO LOG VALUES (1)', 'INSERT', 'log'), 'log');
    assert.equal(target('DELETE FROM `old-log`', 'DELETE', 'Old-Log'), 'Old-Log');
    assert.equal(target('INSERT INTO catalog VALUES (1)', 'INSERT', 'log'), undefined);
  });

  test('allows to read it', () => {
    assert.equal(target('SELECT * FROM log', 'SELECT', 'log'), undefined);
  });
});
