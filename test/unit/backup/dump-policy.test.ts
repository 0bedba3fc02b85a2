import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judge } from '../../../src/backup/dump-policy.ts';

const judged = (sql: string) => judge({ sql, line: 1, quoting: {} }, 'app');

describe('of a dump', () => {
  const run = [
    "INSERT INTO `t` VALUES (1,'other.x; GRANT')",
    'INSERT  IGNORE INTO `t` (`a`, `values (`) VALUES (1)',
    'REPLACE INTO t VALUES (1)',
    'INSERT INTO `app`.`t` VALUES (1)',
    '/*!40101 SET NAMES utf8mb4 */',
    '/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */',
    'CREATE TABLE t (a INT, `grant` INT)',
    'DROP TABLE IF EXISTS t',
    '/*!40000 ALTER TABLE `t` DISABLE KEYS */',
    '/*!50001 CREATE VIEW `v` AS SELECT 1 AS `a` */',
    '/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`%`*/ /*!50003 TRIGGER `x` BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1 */',
    'CREATE DEFINER=`user`@`%` PROCEDURE p() BEGIN UPDATE other.t SET a = 1; END',
    'CREATE SEQUENCE `s` start with 1',
    'SELECT SETVAL(`s`, 5, 0)',
    'COMMIT',
    'START TRANSACTION',
  ];
  for (const sql of run) test(`is run: ${sql}`, () => assert.equal(judged(sql).do, 'run'));

  const nothing = [
    'LOCK TABLES `t` WRITE',
    'UNLOCK TABLES',
    '/*!80000 SET NAMES x */',
    'SET @@SESSION.SQL_LOG_BIN= 0',
  ];
  for (const sql of nothing)
    test(`is not needed: ${sql}`, () => assert.equal(judged(sql).do, 'nothing'));

  const leftOut = [
    ["GRANT ALL ON *.* TO 'x'@'%'", 'GRANT'],
    ["/*!50000 CREATE USER 'x' */", 'CREATE USER'],
    ['SET GLOBAL read_only = 1', 'SET GLOBAL'],
    ["SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'x'", 'SET GLOBAL'],
    ["SET PASSWORD FOR root@localhost = 'x'", 'SET PASSWORD'],
    ['FLUSH PRIVILEGES', 'FLUSH'],
    ['DROP USER x', 'DROP USER'],
  ] as const;
  for (const [sql, what] of leftOut)
    test(`is left out and said: ${sql}`, () =>
      assert.deepEqual(judged(sql), { do: 'leave out', what }));

  const refused = [
    'DELETE FROM t',
    'UPDATE t SET a = 1',
    'CALL p()',
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE t",
    "SELECT LOAD_FILE('/etc/passwd')",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    'SELECT SETVAL(s, 1), SLEEP(1)',
    'INSERT INTO t SELECT * FROM mysql.user',
    "INSERT INTO t SET a = 'VALUES ('",
    'INSERT INTO mysql.user VALUES (1)',
    'CREATE TABLE other.t (a INT)',
    'DROP TABLE other.t',
    'CREATE TABLE t AS SELECT * FROM other.t',
    '/*!50001 CREATE VIEW `v` AS SELECT * FROM `other`.`t` */',
    'CREATE TRIGGER x BEFORE INSERT ON other.t FOR EACH ROW SET NEW.a = 1',
    "INSTALL SONAME 'x'",
    'SET STATEMENT max_statement_time=1 FOR DELETE FROM t',
    'PREPARE s FROM @x',
    'BEGIN NOT ATOMIC DELETE FROM t; END',
  ];
  for (const sql of refused)
    test(`is refused: ${sql}`, () => assert.equal(judged(sql).do, 'refuse'));

  test('the name of its database does not count, its character set does', () => {
    assert.deepEqual(judged('USE `x y`'), { do: 'name', database: 'x y' });
    assert.deepEqual(
      judged(
        'CREATE DATABASE /*!32312 IF NOT EXISTS*/ `old` /*!40100 DEFAULT CHARACTER SET utf8mb4 */',
      ),
      {
        ...{ do: 'name', database: 'old' },
      },
    );
    assert.deepEqual(judged('DROP DATABASE IF EXISTS old'), { do: 'name', database: 'old' });
    assert.deepEqual(judged('ALTER DATABASE `old` CHARACTER SET latin1 COLLATE latin1_bin'), {
      ...{ do: 'run', sql: 'ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_bin' },
    });
  });
});
