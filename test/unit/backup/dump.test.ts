import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpArguments } from '../../../src/backup/dump.ts';
import { errorLines, hasBegun } from '../../../src/backup/dump-messages.ts';

test('only a line that is printed after the snapshot is open means that it is', () => {
  assert.ok(hasBegun('-- Setting savepoint...'));
  assert.ok(hasBegun('-- Retrieving table structure for table t...'));
  assert.ok(!hasBegun('-- Starting transaction...'));
  assert.ok(!hasBegun('-- Connecting to localhost...'));
});

test('an error among the messages is found, progress and warnings are none', () => {
  assert.deepEqual(errorLines(['-- Retrieving rows...', 'WARNING: x', 'Warning: y', '']), []);
  const denied =
    "mariadb-dump: Got error: 1045: \"Access denied for user 'a b'@'h'\" when trying to connect";
  assert.deepEqual(errorLines([denied]), [
    "error 1045 Access denied for user '…'@'h' when trying to connect",
  ]);
  assert.equal(errorLines(['something new']).length, 1);
});

test('names of tables are arguments of their own behind --, and the password is none', () => {
  const address = { host: 'db', port: 3306, socketPath: null, user: 'app', password: 'secret' };
  const list = dumpArguments({
    address,
    database: 'd',
    tables: ['--where=1', 'a b'],
    where: null,
  });

  assert.deepEqual(list.slice(-4), ['--', 'd', '--where=1', 'a b']);
  assert.equal(list[0], '--no-defaults');
  assert.ok(!list.join(' ').includes('secret'));
  assert.ok(list.includes('--host=db') && !list.includes('--dump-history'));
});
