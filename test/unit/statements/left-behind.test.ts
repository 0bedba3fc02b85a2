import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStatements } from '../../../src/migrations/read-statements.ts';
import { leftBehind } from '../../../src/statements/left-behind.ts';

const nothing = { tables: [], sequences: [], userVariables: [], variables: [], prepared: [] };

const cases: readonly [sql: string, left: Partial<ReturnType<typeof leftBehind>>][] = [
  ["CREATE TABLE t (a INT); INSERT INTO t VALUES (1), ('@a'); SELECT @@sql_mode;", {}],
  ['CREATE DEFINER=root@localhost VIEW v AS SELECT 1;', {}],
  ['SET STATEMENT max_statement_time=1 FOR SELECT 1;', {}],
  ['CREATE TEMPORARY TABLE IF NOT EXISTS `a``b` (x INT);', { tables: ['a`b'] }],
  ['CREATE OR REPLACE TEMPORARY TABLE t SELECT 1 AS x; DROP TEMPORARY TABLE t;', { tables: ['t'] }],
  ['CREATE TEMPORARY TABLE a (x INT); ALTER TABLE a RENAME TO b;', { tables: ['a', 'b'] }],
  ['CREATE TEMPORARY TABLE a (x INT); RENAME TABLE a TO c;', { tables: ['a', 'c'] }],
  ['CREATE TEMPORARY SEQUENCE s;', { sequences: ['s'] }],
  [
    "SET @a = 1, @`b c` := 2; SELECT 3 INTO @'d'; SELECT @e.f := 4;",
    { userVariables: ['a', 'b c', 'd', 'e.f'] },
  ],
  [
    'SET sql_mode = DEFAULT, @@session.sql_if_exists = 1, LOCAL unique_checks = 0;',
    { variables: ['sql_mode', 'sql_if_exists', 'unique_checks'] },
  ],
  ["PREPARE s FROM 'SELECT 1'; DEALLOCATE PREPARE s;", { prepared: ['s'] }],
];

for (const [sql, left] of cases) {
  test(`what is left in the session by ${sql}`, () =>
    assert.deepEqual(leftBehind(readStatements(sql, 'f.sql')), { ...nothing, ...left }));
}
