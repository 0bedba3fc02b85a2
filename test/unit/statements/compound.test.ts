import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findBody, findOpenBlock } from '../../../src/statements/compound.ts';
import { readLexemes } from '../../../src/statements/lexemes.ts';

const openBlock = (sql: string) => findOpenBlock(readLexemes(sql).lexemes)?.keyword ?? null;

describe('findOpenBlock', () => {
  const whole: readonly string[] = [
    'CREATE PROCEDURE p() BEGIN END',
    'CREATE PROCEDURE p(a INT, b DECIMAL(10,2)) main: BEGIN SELECT 1; END main',
    'CREATE OR REPLACE DEFINER=`root`@`localhost` PROCEDURE p() SQL SECURITY INVOKER BEGIN SELECT 1; END',
    'CREATE PROCEDURE p() IF a = 1 THEN SELECT 1; ELSEIF a = 2 THEN SELECT 2; ELSE SELECT 3; END IF',
    'CREATE PROCEDURE p() BEGIN IF a THEN BEGIN SELECT 1; END; END IF; END',
    'CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE; END',
    'CREATE PROCEDURE p() BEGIN SELECT CASE a WHEN 1 THEN IF(b, 1, 2) ELSE IF(c, 3, 4) END, 1; SELECT 2; END',
    'CREATE PROCEDURE p() BEGIN SELECT (CASE WHEN (CASE 1 WHEN 1 THEN 1 END) THEN 2 END); END',
    'CREATE PROCEDURE p() BEGIN l: LOOP LEAVE l; END LOOP l; REPEAT SET a = 1; UNTIL a END REPEAT; WHILE a DO SET a = REPEAT(b, 3); END WHILE; FOR i IN 1..3 DO SELECT i; END FOR; END',
    'CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION, NOT FOUND BEGIN ROLLBACK; END; DECLARE CONTINUE HANDLER FOR 1062 SET a = 1; SELECT 1; END',
    'CREATE PROCEDURE p() BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND IF a THEN SET b = 1; END IF; SELECT 1; END',
    'CREATE PROCEDURE p() BEGIN DECLARE c CURSOR FOR SELECT begin, end FROM t; OPEN c; END',
    'CREATE PROCEDURE p() BEGIN SELECT begin FROM t WHERE end = 1 AND t.end = 2; UPDATE t SET begin = 1, end = 2; END',
    'CREATE PROCEDURE p() BEGIN SELECT CASE t.end WHEN t.case THEN 1 END; END',
    'CREATE PROCEDURE p() BEGIN SELECT CASE 1 WHEN t.case THEN 2 END; END',
    'CREATE PROCEDURE p() BEGIN SELECT CASE WHEN (end = 1) THEN IF(a, 1, 2) END; END',
    'CREATE PROCEDURE p() BEGIN INSERT INTO t (begin, end) VALUES (1, 2); END',
    "CREATE PROCEDURE p() COMMENT 'BEGIN' SELECT 'BEGIN IF LOOP'",
    'CREATE PROCEDURE p() SELECT `begin` FROM `if`',
    'CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN CASE a WHEN 1 THEN 2 END',
    "CREATE FUNCTION f() RETURNS SET('a','b') BEGIN RETURN 'a'; END",
    'CREATE FUNCTION f() RETURNS CHAR(20) CHARSET utf8mb4 BEGIN RETURN IF(a, 1, 2); END',
    'CREATE TRIGGER t BEFORE UPDATE ON x FOR EACH ROW FOLLOWS other BEGIN SET NEW.a = 1; END',
    'CREATE TRIGGER t BEFORE UPDATE ON x FOR EACH ROW SET NEW.a = IF(OLD.a, 1, 2)',
    'CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; END',
    'ALTER EVENT e ENABLE',
    "ALTER PROCEDURE p COMMENT 'x'",
    'BEGIN NOT ATOMIC SELECT 1; END',
    'l: BEGIN NOT ATOMIC SELECT 1; END l',
    'IF EXISTS (SELECT 1) THEN SELECT 1; END IF',
    'BEGIN',
    'BEGIN WORK',
    "XA BEGIN 'x'",
    'CREATE TABLE event (begin INT, end INT)',
    "CREATE TABLE t (a INT) COMMENT = 'procedure'",
    'CREATE INDEX trigger_name ON t (a)',
    'SELECT 1',
    '',
  ];
  for (const sql of whole) test(`takes as whole: ${sql}`, () => assert.equal(openBlock(sql), null));

  const cut: readonly [sql: string, keyword: string][] = [
    ['CREATE PROCEDURE p() BEGIN SELECT 1', 'BEGIN'],
    ['CREATE PROCEDURE p() l: BEGIN SELECT 1', 'BEGIN'],
    ['CREATE PROCEDURE p(a INT) IF a THEN SELECT 1', 'IF'],
    ['CREATE PROCEDURE p() BEGIN IF a THEN SELECT 1; END IF', 'BEGIN'],
    ['CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN SELECT 1', 'CASE'],
    ['CREATE PROCEDURE p() BEGIN SELECT CASE a WHEN 1 THEN 1 END', 'BEGIN'],
    ['CREATE PROCEDURE p() BEGIN UPDATE t SET end = 1', 'BEGIN'],
    ['CREATE PROCEDURE p() BEGIN WHILE a DO SELECT 1', 'WHILE'],
    ['CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK', 'BEGIN'],
    ['CREATE FUNCTION f() RETURNS INT BEGIN RETURN 1', 'BEGIN'],
    ['CREATE TRIGGER t AFTER INSERT ON x FOR EACH ROW PRECEDES o BEGIN SET @a = 1', 'BEGIN'],
    ['CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t', 'BEGIN'],
    [
      '/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`%`*/ /*!50003 TRIGGER t AFTER INSERT ON x FOR EACH ROW BEGIN SET @a = 1',
      'BEGIN',
    ],
    ['BEGIN NOT ATOMIC SELECT 1', 'BEGIN'],
    ['WHILE 1 DO SELECT 1', 'WHILE'],
  ];
  for (const [sql, keyword] of cut) {
    test(`finds the open ${keyword}: ${sql}`, () => assert.equal(openBlock(sql), keyword));
  }
});

describe('findBody', () => {
  test('gives where the body of a stored program begins', () => {
    const { lexemes } = readLexemes("CREATE PROCEDURE p() COMMENT 'a' SELECT 1");

    assert.equal(lexemes[findBody(lexemes)]?.keyword, 'SELECT');
  });
});
