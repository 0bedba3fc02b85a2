import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describePart, madeIfMissing, removedBy } from '../../../src/statements/parts.ts';

const of = (sql: string) => ({ sql, quoting: {} });
const made = (sql: string) => madeIfMissing(of(sql)).map(describePart);
const removed = (sql: string) => {
  const removal = removedBy(of(sql));
  return removal === null ? null : [removal.parts.map(describePart), removal.alone];
};

describe('what a statement makes only if it is missing', () => {
  for (const [sql, parts] of [
    ['CREATE TABLE IF NOT EXISTS `a b` (id INT)', ['table a b']],
    ['CREATE TABLE a (id INT)', []],
    ['CREATE TEMPORARY TABLE IF NOT EXISTS a (id INT)', []],
    ['CREATE OR REPLACE TABLE a (id INT)', ['table a']],
    ['CREATE OR REPLACE TEMPORARY TABLE a (id INT)', []],
    ['CREATE OR REPLACE ALGORITHM=MERGE DEFINER=x@y VIEW v AS SELECT 1', ['view v']],
    ['CREATE OR REPLACE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = 1', ['trigger t']],
    ["INSERT INTO a SELECT REPLACE(b, 'x', 'y') FROM c", []],
    ["CREATE TABLE a (id INT COMMENT 'IF NOT EXISTS')", []],
    ['CREATE UNIQUE INDEX IF NOT EXISTS i ON a (b)', ['index a.i']],
    ['CREATE SEQUENCE IF NOT EXISTS s', ['sequence s']],
    ['CREATE DEFINER=x@y PROCEDURE IF NOT EXISTS p() SELECT 1', ['procedure p']],
    ['ALTER TABLE a ADD COLUMN IF NOT EXISTS b INT, ADD c INT', ['column a.b']],
    ['ALTER TABLE IF EXISTS a NOWAIT ADD IF NOT EXISTS b INT', ['column a.b']],
    ['ALTER TABLE a ADD IF NOT EXISTS (b INT, c DECIMAL(5,2))', ['column a.b', 'column a.c']],
    ['ALTER TABLE a ADD UNIQUE KEY IF NOT EXISTS u (b)', ['index a.u']],
    ['ALTER TABLE a ADD CONSTRAINT IF NOT EXISTS c CHECK (b > 1)', ['constraint a.c']],
    [
      'ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY IF NOT EXISTS (b) REFERENCES d (e)',
      ['foreign key a.f'],
    ],
  ] as const)
    test(sql, () => assert.deepEqual(made(sql), parts));
});

describe('what a statement drops by name', () => {
  for (const [sql, expected] of [
    ['DROP TABLE IF EXISTS a, b', [['table a', 'table b'], true]],
    ['DROP INDEX i ON a', [['index a.i'], true]],
    ['DROP VIEW v', [['view v'], true]],
    ['CREATE OR REPLACE TABLE a (id INT)', [['table a'], false]],
    ['ALTER TABLE a DROP b', [['column a.b'], true]],
    ['ALTER TABLE a DROP COLUMN IF EXISTS b, DROP KEY i', [['column a.b', 'index a.i'], true]],
    ['ALTER TABLE a DROP FOREIGN KEY f', [['foreign key a.f'], true]],
    ['ALTER TABLE a DROP CONSTRAINT IF EXISTS c', [['constraint a.c'], true]],
    ['ALTER TABLE a DROP b, ADD c INT', [['column a.b'], false]],
    ['ALTER TABLE a DROP PRIMARY KEY', null],
    ['ALTER TABLE a DROP PARTITION p', null],
    ['DROP TEMPORARY TABLE a', null],
    ["UPDATE a SET b = 'drop'", null],
  ] as const)
    test(sql, () => assert.deepEqual(removed(sql), expected));
});
