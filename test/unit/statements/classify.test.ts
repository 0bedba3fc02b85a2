import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classify, hashStatement } from '../../../src/statements/classify.ts';
import type { Classification } from '../../../src/statements/statement.ts';

const usual = {
  forbidden: null,
  repeatable: false,
  invisible: false,
  destroysData: false,
  sessionDependent: false,
  tables: null,
  drops: [],
};

type Expected = Partial<Classification> & Pick<Classification, 'class' | 'verb'>;

function holds(sql: string, expected: Expected): void {
  test(sql, () => assert.deepEqual(classify(sql), { ...usual, ...expected }));
}

const table = (name: string) => ({ table: name, column: null });
const column = (name: string, of = 't') => ({ table: of, column: name });

describe('classify: CREATE', () => {
  const create = { class: 'ddl', verb: 'CREATE TABLE', tables: ['t'] } as const;
  holds('CREATE TABLE t (a INT)', create);
  holds('create table `t` (a int) engine=InnoDB', create);
  holds('CREATE TABLE t (a INT) ENGINE Aria', create);
  holds('CREATE TABLE IF NOT EXISTS t (a INT)', { ...create, repeatable: true });
  holds('CREATE TABLE t LIKE other', create);
  holds('CREATE TABLE t SELECT a, b FROM x JOIN y USING (a)', create);
  holds(
    'CREATE TABLE t (a INT REFERENCES other (id), FOREIGN KEY (a) REFERENCES x (b) ON DELETE CASCADE)',
    create,
  );
  holds('CREATE TABLE `a``b` (a INT)', { ...create, tables: ['a`b'] });
  holds('CREATE OR REPLACE TABLE t (a INT)', {
    ...{ class: 'ddl-not-atomic', verb: 'CREATE OR REPLACE TABLE', tables: ['t'] },
    ...{ destroysData: true, drops: [table('t')] },
  });
  holds('CREATE TEMPORARY TABLE t (a INT)', {
    ...{ class: 'session', verb: 'CREATE TEMPORARY TABLE', tables: [], sessionDependent: true },
  });
  holds('CREATE SEQUENCE s START WITH 5', { class: 'ddl', verb: 'CREATE SEQUENCE', tables: ['s'] });
  holds('CREATE OR REPLACE SEQUENCE s', {
    ...{ class: 'ddl-not-atomic', verb: 'CREATE OR REPLACE SEQUENCE', tables: ['s'] },
    ...{ destroysData: true, drops: [table('s')] },
  });
  holds('CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a)', {
    class: 'ddl',
    verb: 'CREATE INDEX',
    repeatable: true,
    tables: ['t'],
  });
  holds('CREATE OR REPLACE INDEX i USING BTREE ON t (a)', {
    class: 'ddl',
    verb: 'CREATE OR REPLACE INDEX',
    repeatable: true,
    tables: ['t'],
  });
  holds('CREATE VIEW v AS SELECT a.b FROM t a', {
    class: 'ddl',
    verb: 'CREATE VIEW',
    tables: ['v'],
  });
  holds(
    'CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`root`@`localhost` SQL SECURITY INVOKER VIEW v AS SELECT 1',
    {
      ...{ class: 'ddl', verb: 'CREATE OR REPLACE VIEW', repeatable: true, tables: ['v'] },
    },
  );
  holds('CREATE PROCEDURE p() BEGIN SET @a = ROW_COUNT(); COMMIT; END', {
    class: 'ddl',
    verb: 'CREATE PROCEDURE',
  });
  holds("CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN GET_LOCK('a', 1)", {
    class: 'ddl',
    verb: 'CREATE OR REPLACE FUNCTION',
    repeatable: true,
  });
  holds('CREATE DEFINER=CURRENT_USER() TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1', {
    class: 'ddl',
    verb: 'CREATE TRIGGER',
    tables: ['t'],
  });
  holds(
    '/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER tr AFTER UPDATE ON t FOR EACH ROW SET @x = 1 */',
    { class: 'ddl', verb: 'CREATE TRIGGER', tables: ['t'] },
  );
  holds('CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t', {
    class: 'ddl',
    verb: 'CREATE EVENT',
  });
});

describe('classify: ALTER', () => {
  const alter = { class: 'ddl', verb: 'ALTER TABLE', tables: ['t'] } as const;
  const loses = { ...alter, destroysData: true } as const;
  holds('ALTER TABLE t ADD COLUMN a INT NOT NULL DEFAULT 0', alter);
  holds('ALTER TABLE t ADD COLUMN (a INT, b INT), ADD KEY k (a)', alter);
  holds('ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT', { ...alter, repeatable: true });
  holds('ALTER TABLE IF EXISTS t WAIT 5 ADD a INT', alter);
  holds('ALTER ONLINE TABLE t NOWAIT ADD a INT', alter);
  holds('ALTER TABLE t ADD INDEX IF NOT EXISTS k (a)', { ...alter, repeatable: true });
  holds('ALTER TABLE t ADD UNIQUE KEY k (a)', alter);
  holds('ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES x (id)', alter);
  holds('ALTER TABLE t DROP COLUMN a', { ...loses, drops: [column('a')] });
  holds('ALTER TABLE t DROP a, DROP `b c`', { ...loses, drops: [column('a'), column('b c')] });
  holds('ALTER TABLE t DROP COLUMN IF EXISTS a', {
    ...loses,
    repeatable: true,
    drops: [column('a')],
  });
  holds('ALTER TABLE t DROP COLUMN IF EXISTS a, ADD COLUMN IF NOT EXISTS a INT', {
    ...loses,
    drops: [column('a')],
  });
  holds('ALTER TABLE t DROP INDEX k', alter);
  holds('ALTER TABLE t DROP INDEX k, ADD INDEX k (a, b)', { ...alter, repeatable: true });
  holds('ALTER TABLE t DROP KEY k, ADD UNIQUE KEY j (a)', alter);
  holds('ALTER TABLE t DROP PRIMARY KEY', alter);
  holds('ALTER TABLE t DROP FOREIGN KEY fk', alter);
  holds('ALTER TABLE t DROP CONSTRAINT IF EXISTS c', { ...alter, repeatable: true });
  holds('ALTER TABLE t DROP PARTITION p0, p1', loses);
  holds('ALTER TABLE t DROP SYSTEM VERSIONING', loses);
  holds('ALTER TABLE t TRUNCATE PARTITION p0', { ...loses, repeatable: true });
  holds('ALTER TABLE t MODIFY a VARCHAR(10) AFTER b', {
    ...loses,
    repeatable: true,
    drops: [column('a')],
  });
  holds('ALTER TABLE t MODIFY COLUMN IF EXISTS a INT', {
    ...loses,
    repeatable: true,
    drops: [column('a')],
  });
  holds('ALTER TABLE t CHANGE COLUMN a b INT', { ...loses, drops: [column('a')] });
  holds('ALTER TABLE t CHANGE a A BIGINT', { ...loses, repeatable: true, drops: [column('a')] });
  holds('ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4', {
    ...loses,
    repeatable: true,
    drops: [table('t')],
  });
  holds('ALTER TABLE t ENGINE=InnoDB', { ...alter, repeatable: true });
  holds('ALTER TABLE t ROW_FORMAT=DYNAMIC ENGINE=MyISAM', { ...alter, repeatable: true });
  holds('ALTER TABLE t ENGINE=BLACKHOLE', { ...loses, repeatable: true });
  holds('ALTER TABLE t ROW_FORMAT=DYNAMIC ENGINE=BLACKHOLE', { ...loses, repeatable: true });
  holds("ALTER TABLE t COMMENT 'x' ENGINE BLACKHOLE", { ...loses, repeatable: true });
  holds("ALTER TABLE t COMMENT 'ENGINE=BLACKHOLE'", { ...alter, repeatable: true });
  holds('ALTER TABLE t FORCE, ALGORITHM=COPY', { ...alter, repeatable: true });
  holds("ALTER TABLE t ALTER COLUMN a SET DEFAULT 'x', COMMENT='y'", {
    ...alter,
    repeatable: true,
  });
  holds('ALTER TABLE t STATS_PERSISTENT=1', { ...alter, repeatable: true });
  holds('ALTER TABLE t RENAME TO u', { ...alter, tables: ['t', 'u'] });
  holds('ALTER TABLE t RENAME u', { ...alter, tables: ['t', 'u'] });
  holds('ALTER TABLE t RENAME COLUMN a TO b', alter);
  holds('ALTER TABLE t EXCHANGE PARTITION p0 WITH TABLE u', {
    ...alter,
    invisible: true,
    tables: ['t', 'u'],
  });
  holds('ALTER TABLE t CONVERT PARTITION p0 TO TABLE u', { ...alter, tables: ['t', 'u'] });
  holds('ALTER TABLE t REMOVE PARTITIONING', alter);
  holds('ALTER IGNORE TABLE t ADD UNIQUE (a)', loses);
  holds('ALTER VIEW v AS SELECT 1', {
    class: 'ddl',
    verb: 'ALTER VIEW',
    repeatable: true,
    tables: ['v'],
  });
  holds('ALTER SEQUENCE s RESTART 1000', {
    class: 'ddl',
    verb: 'ALTER SEQUENCE',
    repeatable: true,
    tables: ['s'],
  });
  holds('ALTER EVENT e RENAME TO f', { class: 'ddl', verb: 'ALTER EVENT' });
  holds('ALTER EVENT e DISABLE', { class: 'ddl', verb: 'ALTER EVENT', repeatable: true });
});

describe('classify: DROP, RENAME, TRUNCATE and maintenance', () => {
  holds('DROP TABLE t', {
    class: 'ddl',
    verb: 'DROP TABLE',
    destroysData: true,
    tables: ['t'],
    drops: [table('t')],
  });
  holds('DROP TABLE IF EXISTS t CASCADE', {
    class: 'ddl',
    verb: 'DROP TABLE',
    destroysData: true,
    repeatable: true,
    tables: ['t'],
    drops: [table('t')],
  });
  holds('DROP TABLES a, `b`', {
    class: 'ddl-not-atomic',
    verb: 'DROP TABLE',
    destroysData: true,
    tables: ['a', 'b'],
    drops: [table('a'), table('b')],
  });
  holds('DROP TEMPORARY TABLE IF EXISTS t', {
    class: 'session',
    verb: 'DROP TEMPORARY TABLE',
    sessionDependent: true,
    tables: [],
  });
  holds('DROP VIEW v', { class: 'ddl', verb: 'DROP VIEW', tables: ['v'] });
  holds('DROP VIEW IF EXISTS v, w', {
    class: 'ddl-not-atomic',
    verb: 'DROP VIEW',
    repeatable: true,
    tables: ['v', 'w'],
  });
  holds('DROP SEQUENCE s', {
    class: 'ddl',
    verb: 'DROP SEQUENCE',
    destroysData: true,
    tables: ['s'],
    drops: [table('s')],
  });
  holds('DROP INDEX i ON t', { class: 'ddl', verb: 'DROP INDEX', tables: ['t'] });
  holds('DROP TRIGGER IF EXISTS tr', { class: 'ddl', verb: 'DROP TRIGGER', repeatable: true });
  holds('DROP PROCEDURE p', { class: 'ddl', verb: 'DROP PROCEDURE' });
  holds('RENAME TABLE a TO b', { class: 'ddl', verb: 'RENAME TABLE', tables: ['a', 'b'] });
  holds('RENAME TABLE IF EXISTS a WAIT 5 TO b, c TO d', {
    class: 'ddl',
    verb: 'RENAME TABLE',
    tables: ['a', 'b', 'c', 'd'],
  });
  holds('RENAME TABLE a TO tmp, b TO a, tmp TO b', {
    class: 'ddl',
    verb: 'RENAME TABLE',
    invisible: true,
    tables: ['a', 'tmp', 'b'],
  });
  // With lower_case_table_names=1 these are two tables that exchange their names.
  holds('RENAME TABLE A TO tmp, b TO a, tmp TO B', {
    class: 'ddl',
    verb: 'RENAME TABLE',
    invisible: true,
    tables: ['A', 'tmp', 'b', 'a', 'B'],
  });
  holds('RENAME TABLE a TO c, b TO a', {
    class: 'ddl',
    verb: 'RENAME TABLE',
    tables: ['a', 'c', 'b'],
  });
  holds('RENAME TABLE a TO b, b TO a', { class: 'ddl', verb: 'RENAME TABLE', tables: ['a', 'b'] });
  holds('TRUNCATE t', {
    class: 'ddl',
    verb: 'TRUNCATE TABLE',
    repeatable: true,
    destroysData: true,
    tables: ['t'],
    drops: [table('t')],
  });
  holds('TRUNCATE TABLE t', {
    class: 'ddl',
    verb: 'TRUNCATE TABLE',
    repeatable: true,
    destroysData: true,
    tables: ['t'],
    drops: [table('t')],
  });
  holds('OPTIMIZE LOCAL TABLE a, b', {
    class: 'ddl',
    verb: 'OPTIMIZE TABLE',
    repeatable: true,
    tables: ['a', 'b'],
  });
  holds('ANALYZE TABLE t PERSISTENT FOR ALL', {
    class: 'ddl',
    verb: 'ANALYZE TABLE',
    repeatable: true,
    tables: ['t'],
  });
  holds('CHECK TABLE t', { class: 'ddl', verb: 'CHECK TABLE', repeatable: true, tables: ['t'] });
});

describe('classify: data', () => {
  holds('INSERT INTO t (a) VALUES (1)', { class: 'dml', verb: 'INSERT', tables: ['t'] });
  holds('INSERT IGNORE t SELECT * FROM u', { class: 'dml', verb: 'INSERT', tables: ['t'] });
  holds('INSERT INTO t SET a = 1 ON DUPLICATE KEY UPDATE t.a = 2', {
    class: 'dml',
    verb: 'INSERT',
    destroysData: true,
    tables: ['t'],
  });
  holds('REPLACE INTO t VALUES (1)', {
    class: 'dml',
    verb: 'REPLACE',
    destroysData: true,
    tables: ['t'],
  });
  holds("UPDATE LOW_PRIORITY t SET a = REPLACE(a, 'x', 'y') WHERE b IN (SELECT b FROM u)", {
    class: 'dml',
    verb: 'UPDATE',
    destroysData: true,
    tables: ['t'],
  });
  holds('UPDATE t JOIN u ON t.a = u.a SET t.b = u.b', {
    class: 'dml',
    verb: 'UPDATE',
    destroysData: true,
  });
  holds('UPDATE t x, u SET x.b = u.b', { class: 'dml', verb: 'UPDATE', destroysData: true });
  holds('DELETE FROM t WHERE a = 1', {
    class: 'dml',
    verb: 'DELETE',
    destroysData: true,
    tables: ['t'],
  });
  holds('DELETE QUICK FROM `t`', {
    class: 'dml',
    verb: 'DELETE',
    destroysData: true,
    tables: ['t'],
  });
  holds('DELETE a FROM t a JOIN u ON a.x = u.x', {
    class: 'dml',
    verb: 'DELETE',
    destroysData: true,
  });
  holds('DELETE FROM a USING t a JOIN u', { class: 'dml', verb: 'DELETE', destroysData: true });
  holds('DELETE FROM a.* USING t a', { class: 'dml', verb: 'DELETE', destroysData: true });
  const read = { class: 'dml', verb: 'SELECT', repeatable: true, tables: [] } as const;
  holds('SELECT 1', read);
  holds('(SELECT a.b FROM t a) UNION (SELECT 2) ORDER BY 1', read);
  holds('WITH RECURSIVE x AS (SELECT 1), y (b) AS (SELECT 2) SELECT * FROM x, y', read);
  holds('WITH x AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM x)', {
    class: 'dml',
    verb: 'DELETE',
    destroysData: true,
    tables: ['t'],
  });
  holds('SELECT * FROM information_schema.columns c WHERE c.table_schema = DATABASE()', read);
  holds(
    'SELECT EXTRACT(YEAR FROM t.day), TRIM(BOTH FROM t.a), t.* FROM t, u WHERE t.a = u.b',
    read,
  );
  holds(
    "SELECT COUNT(*) FROM (t JOIN u ON t.a = u.a), JSON_TABLE(t.j, '$' COLUMNS (x INT PATH '$')) j",
    read,
  );
  holds('SELECT 1.5 FROM t', read);
  holds("SELECT 'deploy_lock', 'a.b.c'", read);
  holds('SELECT COUNT(*) INTO @n FROM t', { ...read, sessionDependent: true });
  holds('SELECT @@sql_mode', read);
  holds('INSERT INTO t VALUES (LAST_INSERT_ID())', {
    class: 'dml',
    verb: 'INSERT',
    sessionDependent: true,
    tables: ['t'],
  });
  for (const name of ['identity', 'SESSION.last_insert_id', '`local`.`IDENTITY`']) {
    holds(`INSERT INTO t VALUES (@@${name})`, {
      ...{ class: 'dml', verb: 'INSERT', sessionDependent: true, tables: ['t'] },
    });
  }
  holds('INSERT INTO t (insert_id) SELECT identity FROM u', {
    ...{ class: 'dml', verb: 'INSERT', tables: ['t'] },
  });
  holds('INSERT INTO t VALUES (NEXTVAL(s))', { class: 'opaque', verb: 'INSERT', tables: ['t'] });
  holds('SELECT NEXT VALUE FOR s', { class: 'opaque', verb: 'SELECT', tables: [] });
  holds('SELECT SETVAL(s, 5)', { class: 'opaque', verb: 'SELECT', tables: [] });
  holds('CREATE TABLE t AS SELECT NEXTVAL(s) AS a FROM u', {
    ...{ class: 'opaque', verb: 'CREATE TABLE', tables: ['t'] },
  });
  holds('CREATE VIEW v AS SELECT NEXTVAL(s) AS a', {
    ...{ class: 'ddl', verb: 'CREATE VIEW', tables: ['v'] },
  });
  holds('CREATE TABLE t (a INT DEFAULT NEXTVAL(s))', {
    class: 'ddl',
    verb: 'CREATE TABLE',
    tables: ['t'],
  });
  holds('SHOW TABLES', { ...read, verb: 'SHOW' });
  holds('EXPLAIN UPDATE t SET a = 1', { ...read, verb: 'EXPLAIN' });
  holds('ANALYZE FORMAT=JSON UPDATE t SET a = 1', {
    class: 'dml',
    verb: 'UPDATE',
    destroysData: true,
    tables: ['t'],
  });
  holds("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'", { ...read, verb: 'SIGNAL' });
  holds('SET STATEMENT max_statement_time=10 FOR UPDATE t SET a = 1', {
    class: 'dml',
    verb: 'UPDATE',
    destroysData: true,
    tables: ['t'],
  });
});

describe('classify: session and what cannot be told', () => {
  const set = { class: 'session', verb: 'SET', repeatable: true, tables: [] } as const;
  holds('SET foreign_key_checks = 0', set);
  holds("SET SESSION sql_mode = 'STRICT_TRANS_TABLES', @@unique_checks = 0", set);
  holds('SET NAMES utf8mb4 COLLATE utf8mb4_bin', set);
  holds('SET character_set_client = @saved_cs_client', { ...set, sessionDependent: true });
  holds('/*!40101 SET @saved_cs_client = @@character_set_client */', {
    ...set,
    sessionDependent: true,
  });
  holds('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', set);
  holds('SET insert_id = 7000', { ...set, sessionDependent: true });
  holds('SET @@session.last_insert_id = 7', { ...set, sessionDependent: true });
  holds('SET rand_seed1 = 1, rand_seed2 = 2', { ...set, sessionDependent: true });
  holds('SET @a = 1, @b := (SELECT COUNT(*) FROM t)', { ...set, sessionDependent: true });
  holds('SET @a = NEXTVAL(s)', {
    ...set,
    class: 'opaque',
    repeatable: false,
    sessionDependent: true,
  });
  holds("PREPARE s FROM 'SELECT 1'", {
    class: 'session',
    verb: 'PREPARE',
    sessionDependent: true,
    tables: [],
  });
  holds('DEALLOCATE PREPARE s', {
    class: 'session',
    verb: 'DEALLOCATE',
    sessionDependent: true,
    tables: [],
  });
  holds('DROP PREPARE s', {
    class: 'session',
    verb: 'DROP PREPARE',
    sessionDependent: true,
    tables: [],
  });
  holds('/*!50700 SET x = 1 */', {
    class: 'session',
    verb: 'COMMENT',
    repeatable: true,
    tables: [],
  });
  holds('/*M!999999 SELECT 1 */', {
    class: 'session',
    verb: 'COMMENT',
    repeatable: true,
    tables: [],
  });
  holds('/*M!50700 SELECT 1 */', { class: 'dml', verb: 'SELECT', repeatable: true, tables: [] });
  holds('/*!80000 DROP TABLE x */ SELECT 1', {
    class: 'dml',
    verb: 'SELECT',
    repeatable: true,
    tables: [],
  });
  holds('EXECUTE s', { class: 'opaque', verb: 'EXECUTE' });
  holds('CALL p(1)', { class: 'opaque', verb: 'CALL' });
  holds('DO SLEEP(1)', { class: 'opaque', verb: 'DO' });
  holds('BEGIN NOT ATOMIC SELECT 1; END', { class: 'opaque', verb: 'BEGIN' });
  holds('BEGIN NOT ATOMIC START TRANSACTION; DELETE FROM t; COMMIT; END', {
    ...{ class: 'opaque', verb: 'BEGIN' },
  });
  holds(
    'BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR 1050 BEGIN END; CREATE TABLE t (a INT); END',
    {
      ...{ class: 'opaque', verb: 'BEGIN' },
    },
  );
  holds('CREATE PROCEDURE p() BEGIN SET GLOBAL max_connections = 5; FLUSH TABLES; END', {
    ...{ class: 'ddl', verb: 'CREATE PROCEDURE' },
  });
  holds("EXECUTE IMMEDIATE CONCAT('USE ', 'other')", { class: 'opaque', verb: 'EXECUTE' });
  holds('UPDATE t JOIN u ON t.a = u.a SET event = u.event', {
    ...{ class: 'dml', verb: 'UPDATE', destroysData: true },
  });
  holds('IF 1 THEN SELECT 1; END IF', { class: 'opaque', verb: 'IF' });
  holds('FROBNICATE t', { class: 'opaque', verb: 'FROBNICATE' });
  holds('WITH x', { class: 'opaque', verb: 'WITH' });
  holds('SET STATEMENT max_statement_time=10', { class: 'opaque', verb: 'SET' });
  holds('ANALYZE x', { class: 'opaque', verb: 'ANALYZE' });
  holds('DROP THING x', { class: 'opaque', verb: 'DROP THING' });
  holds('CREATE THING x', { class: 'opaque', verb: 'CREATE THING' });
  holds('ALTER THING x', { class: 'opaque', verb: 'ALTER THING' });
});

describe('classify: text that is cut off is never taken as harmless', () => {
  for (const sql of [
    'CREATE',
    'ALTER TABLE',
    'DROP TABLE',
    'RENAME TABLE a',
    'INSERT',
    'UPDATE',
    'DELETE',
    'TRUNCATE',
    'ALTER TABLE t DROP',
    'ALTER TABLE t MODIFY',
    'ALTER TABLE t CHANGE',
    'ALTER TABLE t EXCHANGE',
    'CREATE INDEX i',
    'CREATE OR REPLACE TABLE',
    'CREATE VIEW',
    'SET',
    'SET =',
  ]) {
    test(sql, () => {
      const { repeatable, destroysData, tables } = classify(sql);
      assert.notDeepEqual(tables, [], 'it is said to change nothing');
      assert.ok(!repeatable || destroysData, 'it is said to do no harm when it is run again');
    });
  }
});

describe('classify: forbids', () => {
  const cases: readonly [sql: string, verb: string, reason: RegExp][] = [
    ['USE other', 'USE', /changes the database/],
    ['BEGIN NOT ATOMIC SET GLOBAL max_connections = 5; END', 'BEGIN', /whole server/],
    [
      'BEGIN NOT ATOMIC DECLARE n INT; IF n > 1 THEN SELECT 1; ELSE KILL 5; END IF; END',
      'BEGIN',
      /whole server/,
    ],
    [
      'BEGIN NOT ATOMIC IF 1 THEN BEGIN SET autocommit = 0; END; END IF; END',
      'BEGIN',
      /transactions/,
    ],
    ['IF 1 THEN GRANT ALL ON x.* TO u; END IF', 'IF', /accounts/],
    ["FOR i IN 1..2 DO EXECUTE IMMEDIATE 'FLUSH TABLES'; END FOR", 'FOR', /whole server/],
    ["EXECUTE IMMEDIATE 'USE other'", 'EXECUTE', /changes the database/],
    ["EXECUTE IMMEDIATE 'SELECT \\'a\\', GET_LOCK(\\'b\\', 1)'", 'EXECUTE', /GET_LOCK/],
    ["PREPARE s FROM 'LOCK TABLES t WRITE'", 'PREPARE', /locks/],
    ["PREPARE s FROM 'DELETE FROM deploy_journal'", 'PREPARE', /belong to this program/],
    ['LOCK TABLES t WRITE', 'LOCK', /locks/],
    ['UNLOCK TABLES', 'UNLOCK', /locks/],
    ['START TRANSACTION', 'START TRANSACTION', /transactions/],
    ['START SLAVE', 'START SLAVE', /replication/],
    ['BEGIN', 'BEGIN', /transactions/],
    ['COMMIT', 'COMMIT', /transactions/],
    ['ROLLBACK TO SAVEPOINT a', 'ROLLBACK', /transactions/],
    ['SAVEPOINT a', 'SAVEPOINT', /transactions/],
    ['RELEASE SAVEPOINT a', 'RELEASE', /transactions/],
    ["XA START 'a'", 'XA', /transactions/],
    ['SET GLOBAL max_connections = 5', 'SET', /whole server/],
    ['SET @@global.sql_mode = ""', 'SET', /whole server/],
    ['SET PERSIST max_connections = 5', 'SET', /whole server/],
    ['SET autocommit = 0', 'SET', /transactions/],
    ['SET @@autocommit = 0', 'SET', /transactions/],
    ['SET foreign_key_checks = 0, SESSION autocommit := 0', 'SET', /transactions/],
    ['SET STATEMENT sql_log_bin=0 FOR INSERT INTO t VALUES (1)', 'INSERT', /replication/],
    ['SET sql_log_bin = 0', 'SET', /replication/],
    ['SET wait_timeout = 1', 'SET', /connection/],
    ['SET lock_wait_timeout = 31536000', 'SET', /waits for tables/],
    ['SET @@session.innodb_lock_wait_timeout = 1', 'SET', /waits for tables/],
    ['SET STATEMENT lock_wait_timeout=100 FOR DROP TABLE t', 'DROP TABLE', /waits for tables/],
    ['SET SESSION TRANSACTION READ ONLY', 'SET SESSION TRANSACTION', /journal/],
    ['SET LOCAL TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY', 'SET TRANSACTION', /journal/],
    ['SET tx_read_only = 1', 'SET', /journal/],
    ["SET sql_mode = 'ORACLE'", 'SET', /ORACLE/],
    ['SET NAMES latin1', 'SET NAMES', /utf8mb4/],
    ['SET NAMES DEFAULT', 'SET NAMES', /utf8mb4/],
    ['SET NAMES binary', 'SET NAMES', /utf8mb4/],
    ['SET CHARACTER SET DEFAULT', 'SET CHARACTER', /utf8mb4/],
    ['SET character_set_client = DEFAULT', 'SET', /utf8mb4/],
    ['SET character_set_connection = binary', 'SET', /utf8mb4/],
    ['SET CHARACTER SET latin1', 'SET CHARACTER', /utf8mb4/],
    ['SET character_set_client = latin1', 'SET', /utf8mb4/],
    ["SET PASSWORD = PASSWORD('a')", 'SET PASSWORD', /accounts/],
    ["SET PASSWORD FOR 'u'@'h' = PASSWORD('a')", 'SET PASSWORD', /accounts/],
    ['SET ROLE r', 'SET ROLE', /accounts/],
    ['SET DEFAULT ROLE r', 'SET ROLE', /accounts/],
    ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'SET TRANSACTION', /SET SESSION TRANSACTION/],
    ['SET GLOBAL TRANSACTION READ ONLY', 'SET GLOBAL TRANSACTION', /whole server/],
    ['GRANT ALL ON x.* TO u', 'GRANT', /accounts/],
    ['REVOKE ALL ON x.* FROM u', 'REVOKE', /accounts/],
    ["CREATE USER u IDENTIFIED BY 'x'", 'CREATE USER', /accounts/],
    ['CREATE OR REPLACE ROLE r', 'CREATE OR REPLACE ROLE', /accounts/],
    ['ALTER USER u ACCOUNT LOCK', 'ALTER USER', /accounts/],
    ['DROP USER u', 'DROP USER', /accounts/],
    ['RENAME USER a TO b', 'RENAME USER', /accounts/],
    ['CREATE DATABASE x', 'CREATE DATABASE', /whole server/],
    ['ALTER DATABASE x CHARACTER SET utf8mb4', 'ALTER DATABASE', /whole server/],
    ['DROP SCHEMA x', 'DROP SCHEMA', /whole server/],
    [
      "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')",
      'CREATE SERVER',
      /whole server/,
    ],
    ['CREATE PACKAGE p AS END', 'CREATE PACKAGE', /ORACLE/],
    ["CREATE FUNCTION f RETURNS STRING SONAME 'x.so'", 'CREATE FUNCTION', /library/],
    ['INSTALL SONAME "ha_x"', 'INSTALL', /library/],
    ['UNINSTALL PLUGIN x', 'UNINSTALL', /library/],
    ['KILL 5', 'KILL', /whole server/],
    ['SHUTDOWN', 'SHUTDOWN', /whole server/],
    ['FLUSH TABLES', 'FLUSH', /whole server/],
    ['RESET MASTER', 'RESET', /whole server/],
    ['PURGE BINARY LOGS TO "x"', 'PURGE', /whole server/],
    ['CHANGE MASTER TO MASTER_HOST="x"', 'CHANGE', /replication/],
    ['STOP SLAVE', 'STOP', /replication/],
    ["BINLOG 'x'", 'BINLOG', /replication/],
    ['BACKUP STAGE START', 'BACKUP', /locks/],
    ["LOAD DATA LOCAL INFILE 'x' INTO TABLE t", 'LOAD', /files/],
    ['HANDLER t OPEN', 'HANDLER', /past every transaction/],
    ["SELECT * FROM t INTO OUTFILE '/tmp/x'", 'SELECT', /file on the server/],
    ["SELECT a INTO DUMPFILE '/tmp/x' FROM t", 'SELECT', /file on the server/],
    ["SELECT GET_LOCK('a', 1)", 'SELECT', /GET_LOCK/],
    ['DO RELEASE_ALL_LOCKS()', 'DO', /GET_LOCK/],
    ['SELECT ROW_COUNT()', 'SELECT', /journal/],
    ['INSERT INTO t VALUES (@@warning_count)', 'INSERT', /journal/],
    ['SET @n = @@session.error_count', 'SET', /journal/],
    ['GET DIAGNOSTICS @n = ROW_COUNT', 'GET', /journal/],
    ['INSERT INTO t SELECT FOUND_ROWS ()', 'INSERT', /journal/],
    ["CREATE TABLE t (a INT) DATA DIRECTORY='/x'", 'CREATE TABLE', /DATA DIRECTORY/],
    [
      "CREATE TABLE t (a INT) PARTITION BY HASH (a) (PARTITION p INDEX DIRECTORY = '/x')",
      'CREATE TABLE',
      /DIRECTORY/,
    ],
    ['ALTER TABLE t DISCARD TABLESPACE', 'ALTER TABLE', /files/],
    ['ALTER TABLE t IMPORT TABLESPACE', 'ALTER TABLE', /files/],
    ['/*!110400 DROP TABLE t */', 'DROP TABLE', /version/],
    ['SELECT /*M!101100 1 + */ 1', 'SELECT', /version/],
    ['DELETE FROM deploy_lock', 'DELETE', /belong to this program/],
    ['ALTER TABLE `deploy_journal` ADD a INT', 'ALTER TABLE', /belong to this program/],
    [
      'CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW DELETE FROM deploy_run',
      'CREATE TRIGGER',
      /belong to this program/,
    ],
  ];
  for (const [sql, verb, reason] of cases) {
    test(sql, () => {
      const found = classify(sql);
      assert.equal(found.verb, verb);
      assert.match(found.forbidden ?? 'allowed', reason);
    });
  }
});

describe('classify: forbids to name another schema', () => {
  const cases = [
    'CREATE TABLE other.t (a INT)',
    'CREATE TABLE IF NOT EXISTS `other`.`t` (a INT)',
    'CREATE TABLE t LIKE other.t',
    'CREATE TABLE t (LIKE other.t)',
    'CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES other.t (a))',
    'CREATE TABLE t AS SELECT * FROM other.t',
    'CREATE VIEW v AS SELECT * FROM a, other.t',
    'CREATE VIEW other.v AS SELECT 1',
    'CREATE INDEX i ON other.t (a)',
    'CREATE TRIGGER tr BEFORE INSERT ON other.t FOR EACH ROW SET NEW.a = 1',
    'CREATE PROCEDURE other.p() BEGIN END',
    'ALTER TABLE other.t ADD a INT',
    'ALTER TABLE t RENAME TO other.t',
    'ALTER TABLE t EXCHANGE PARTITION p WITH TABLE other.t',
    'ALTER TABLE t RENAME = other.t',
    'ALTER TABLE t RENAME AS other.t',
    'RENAME TABLE t TO other.t',
    'RENAME TABLE a TO b, c TO other.d',
    'DROP TABLE IF EXISTS a, other.t',
    'DROP INDEX i ON other.t',
    'TRUNCATE other.t',
    'TRUNCATE TABLE other.t',
    'INSERT INTO other.t VALUES (1)',
    'INSERT other.t VALUES (1)',
    'REPLACE LOW_PRIORITY INTO other . t VALUES (1)',
    'UPDATE other.t SET a = 1',
    'UPDATE t, other.u SET t.a = 1',
    'DELETE FROM other.t',
    'SELECT * FROM t JOIN other.u ON t.a = u.a',
    'SELECT * FROM t WHERE a IN (SELECT a FROM other.u)',
    'SELECT * FROM (t, other.u)',
    'SELECT other.t.a FROM t',
    'INSERT INTO t SELECT * FROM mysql.user',
    'CALL other.p()',
  ];
  for (const sql of cases) {
    test(sql, () => assert.match(classify(sql).forbidden ?? 'allowed', /another schema/));
  }

  const allowed = [
    'SELECT t.a FROM t JOIN u ON t.a = u.a, v WHERE t.b = v.b ORDER BY t.a',
    'INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE t.a = t.a + 1',
    'CREATE TABLE t (a TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, b DECIMAL(3,1) DEFAULT 1.5)',
    'UPDATE t SET t.a = (SELECT MAX(u.a) FROM u WHERE u.b = t.b), t.c = 1.5',
    'ALTER TABLE t ADD CONSTRAINT c CHECK (t.a > 1.5), ADD b INT',
    'CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = (SELECT u.a FROM x.u)',
    'SELECT @@session.sql_mode, @@global.sql_mode FROM t',
    'SELECT a FROM t WHERE a LIKE t.b GROUP BY t.a, t.b HAVING COUNT(t.a) > 1 LIMIT 1',
    'SELECT a FROM t FOR UPDATE',
    'CREATE TABLE t SELECT a FROM x JOIN y ON x.a LIKE y.b',
    "CREATE TABLE t (a INT, CHECK (a > 1 OR b LIKE 'x'))",
  ];
  for (const sql of allowed)
    test(`but not: ${sql}`, () => assert.equal(classify(sql).forbidden, null));
});

test('a name in double quotes is a name under ANSI_QUOTES only', () => {
  assert.deepEqual(classify('DROP TABLE "t"', { ansiQuotes: true }).tables, ['t']);
  assert.equal(classify('DROP TABLE "t"').tables, null);
});

test('a statement is named by the SHA-256 of its text', () => {
  assert.equal(
    hashStatement('SELECT 1'),
    'e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5',
  );
});
