/**
 * One of everything that a database may hold and a backup must bring back: names, numbers, times,
 * text, definitions, code and views that other tools have lost. Beyond `torture.sql`, which has what
 * every supported server takes in the same way.
 */
import type { Db } from '../../../src/database/connect.ts';

const LONG = 'n'.repeat(64);

const NAMES = [
  'CREATE TABLE `select``from "a b".c-ü` (`order` INT, `KEY` INT, `#mysql50#x` INT, ` leading` INT)',
  'INSERT INTO `select``from "a b".c-ü` VALUES (1, 2, 3, 4)',
  'CREATE TABLE `CON` (id INT PRIMARY KEY)',
  'CREATE TABLE `con` (id INT PRIMARY KEY, other INT)',
  'INSERT INTO `con` VALUES (1, 1)',
  'CREATE TABLE ` leading` (id INT, CONSTRAINT `che``ck` CHECK (id > 0))',
  'INSERT INTO ` leading` VALUES (1)',
  'CREATE TABLE `x#mysql50#y` (id INT)',
  'INSERT INTO `x#mysql50#y` VALUES (1)',
  "CREATE TABLE `VIEW` (id INT) COMMENT 'VIEW'",
  'CREATE TABLE `mydumper/x*?` (id INT)',
  'INSERT INTO `mydumper/x*?` VALUES (1)',
  `CREATE TABLE \`${LONG}\` (\`${LONG}\` INT, KEY \`${LONG}\` (\`${LONG}\`))`,
  `INSERT INTO \`${LONG}\` VALUES (5)`,
  `CREATE TABLE \`quo'te\` (id INT COMMENT 'it''s "a" \\\\ b\\n', KEY k (id)) COMMENT 'ein; "x" \\'y\\' \`z\`'`,
];

const NUMBERS = [
  `CREATE TABLE numbers (id INT PRIMARY KEY, bu BIGINT UNSIGNED, b BIGINT, d DECIMAL(65,30), z INT(9) ZEROFILL,
    f FLOAT, fu FLOAT UNSIGNED, fp FLOAT(7,3), db DOUBLE, dp DOUBLE(10,2), b1 BIT(1), b7 BIT(7), b64 BIT(64),
    y YEAR, bo BOOL, KEY (f), KEY (db), UNIQUE KEY (bu, b))`,
  `INSERT INTO numbers VALUES (-5, 18446744073709551615, -9223372036854775808,
    '-99999999999999999999999999999999999.999999999999999999999999999999', 7, 3.4028234e38, 16777217, 1.2345, 1.7976931348623157e308,
    -0.01, 1, 127, 18446744073709551615, 2155, TRUE)`,
  `INSERT INTO numbers VALUES (0, 0, 9007199254740993, 1e-30, 0, 1e-38, 1.401298e-45, -0.001, 4.9e-324, 0, 0, 0, 0, 0, 0),
    (1, 1, 0, 0, 0, -1.1, 0.1, 9999.999, 1e-10, 12345678.91, NULL, NULL, NULL, 1901, NULL),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2.2250738585072014e-308, NULL, b'1', 5, 9223372036854775808, NULL, 7)`,
  'CREATE TABLE counters (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, t INT) AUTO_INCREMENT = 4294967290',
  "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
  'INSERT INTO counters VALUES (0, 1), (4294967291, 2)',
  'SET sql_mode = DEFAULT',
  'CREATE TABLE counter_not_first (g INT, n INT AUTO_INCREMENT, x INT, KEY (n, g), KEY (x))',
  'INSERT INTO counter_not_first (g, x) VALUES (1, 1), (1, 2)',
];

const TIMES = [
  "SET sql_mode = 'ALLOW_INVALID_DATES'",
  `CREATE TABLE times (id INT PRIMARY KEY, da DATE DEFAULT '0000-00-00', dt DATETIME(6), ts TIMESTAMP(6) NULL, t TIME(6), y YEAR,
    up TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)`,
  "SET time_zone = '+00:00'",
  `INSERT INTO times VALUES (1, '0000-00-00', '0000-00-00', '1970-01-01 00:00:01', '-838:59:59.999999', 0, '2001-02-03 04:05:06'),
    (2, '2024-00-15', '2024-02-31 01:02:03.000004', '2038-01-19 03:14:07.999999', '838:59:59.999999', 1901, '2001-02-03 04:05:06'),
    (3, '2023-02-31', '9999-12-31 23:59:59.999999', '2024-10-27 00:30:00', '00:00:00.000001', 2155, '2001-02-03 04:05:06'),
    (4, NULL, '1000-01-01', '2024-10-27 01:30:00', NULL, NULL, '2024-03-31 01:30:00')`,
  'SET sql_mode = DEFAULT',
];

const TEXT = [
  `CREATE TABLE texts (id INT PRIMARY KEY AUTO_INCREMENT, c CHAR(40), v VARCHAR(400), np VARCHAR(40) COLLATE utf8mb4_nopad_bin, t LONGTEXT,
    b BINARY(4), vb VARBINARY(300), bl LONGBLOB, l1 TEXT CHARACTER SET latin1, a VARCHAR(40) CHARACTER SET ascii, j JSON, u UUID, i6 INET6, i4 INET4,
    s SET('x', '', 'it''s'), cz TEXT COMPRESSED, CHECK (\`c\` <> 'never'))`,
  `INSERT INTO texts (c, v, np, t, b, vb, bl, l1, a, j, u, i6, s, cz) VALUES
    ('pad  ', 'x ', 'x  ', ';\\nDROP TABLE texts;\\n', x'00', x'', x'', '€', 'a', '{"b": 1, "b": 2, "a": 12345678901234567890}', 'dddddddd-dddd-11ee-9999-dddddddddddd', '::', 'x,', 'z'),
    ('', '', '', '', x'FF0A0D1A', x'00', x'00', '', '', '{}', NULL, NULL, '', ''),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('\\\\N', 'NULL', '%', 'DELIMITER ;;\\n\\\\! id\\n/*!50000 x */ -- y\\n/*M!999999\\\\- enable the sandbox mode */', x'27', x'5C27', x'5C6E', 'Ã¤', '#', '"\\\\u00e9"', NULL, NULL, 'it''s', 'a'),
    ('👩‍👩‍👧', 'e\\u0301', 'Ã¶', '\\0\\r\\n\\Z\\'"', NULL, NULL, NULL, NULL, NULL, '[1e400, 1.0]', NULL, '::ffff:1.2.3.4', NULL, NULL)`,
  "UPDATE texts SET i4 = '192.0.2.1' WHERE u IS NOT NULL",
  `INSERT INTO texts (bl, l1) SELECT b, b FROM (SELECT UNHEX(GROUP_CONCAT(HEX(CHAR(seq)) SEPARATOR '')) AS b FROM seq_0_to_255) AS bytes`,
  "INSERT INTO texts (t, bl) VALUES (REPEAT('long; ', 400000), REPEAT(x'00FF27', 6000000))",
  `CREATE TABLE charsets (c VARCHAR(20) CHARACTER SET cp1251, s VARCHAR(20) CHARACTER SET sjis, u VARCHAR(20) CHARACTER SET ucs2,
    g VARCHAR(20) CHARACTER SET gbk, e ENUM('', 'ä', 'it''s') CHARACTER SET latin1, w VARCHAR(20) CHARACTER SET utf16)`,
  "SET sql_mode = ''",
  "INSERT INTO charsets VALUES (x'9820E0', x'835C5C7E', x'005C20ACD83DDE00', x'BF5C', '', x'D83DDE00'), ('', '', '', '', 'none', ''), (NULL, NULL, NULL, NULL, 3, NULL)",
  'SET sql_mode = DEFAULT',
];

const DEFINITIONS = [
  'CREATE TABLE generated_only (a INT AS (1) VIRTUAL, b INT AS (2) STORED)',
  'INSERT INTO generated_only VALUES ()',
  `CREATE TABLE generated (id INT PRIMARY KEY, j JSON, name VARCHAR(40) AS (JSON_VALUE(j, '$.n')) VIRTUAL, len INT AS (CHAR_LENGTH(j)) STORED,
    UNIQUE KEY (name), KEY (len), hidden INT INVISIBLE DEFAULT 3, must INT NOT NULL INVISIBLE DEFAULT 4)`,
  `INSERT INTO generated (id, j, hidden) VALUES (1, '{"n": "a"}', 9), (2, '{"n": "b"}', NULL)`,
  `CREATE TABLE defaults (u UUID DEFAULT UUID(), c VARCHAR(40) DEFAULT CONCAT('a', ';', 'b'''), t DATETIME DEFAULT (NOW() + INTERVAL 1 DAY), z VARCHAR(9) DEFAULT '', n INT DEFAULT NULL)`,
  "INSERT INTO defaults VALUES ('dddddddd-dddd-11ee-9999-dddddddddddd', 'x', '2020-01-01', 'y', 1)",
  'SET foreign_key_checks = 0',
  'CREATE TABLE ring_a (id INT PRIMARY KEY, b INT, CONSTRAINT `to b` FOREIGN KEY (b) REFERENCES ring_b (id) ON DELETE SET NULL ON UPDATE CASCADE)',
  'CREATE TABLE ring_b (id INT PRIMARY KEY, a INT, own INT, FOREIGN KEY (a) REFERENCES ring_a (id), FOREIGN KEY (own) REFERENCES ring_b (id))',
  'INSERT INTO ring_a VALUES (1, 1), (2, 77)',
  'INSERT INTO ring_b VALUES (1, 1, 1), (2, 99, 98)',
  'SET foreign_key_checks = 1',
  `CREATE TABLE indexes_ (a VARCHAR(90), b TEXT, p POINT NOT NULL, g GEOMETRY, KEY pre (a(10), b(20)), KEY des (a DESC), KEY ign (b(5)) IGNORED, FULLTEXT KEY ft (a, b), FULLTEXT KEY ft2 (b),
    SPATIAL KEY sp (p), UNIQUE KEY lng (b) USING HASH, KEY cmt (a) COMMENT 'it''s; "x"')`,
  "INSERT INTO indexes_ VALUES ('full text', 'body', POINT(1, 2), ST_GeomFromText('LINESTRING(0 0,1 1)', 4326)), ('b', 'c', POINT(0, 0), NULL)",
  `CREATE TABLE parts2 (id INT, at DATE, n INT, PRIMARY KEY (id, at), KEY (n)) PARTITION BY RANGE (YEAR(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2
    (PARTITION p0 VALUES LESS THAN (2020) COMMENT = 'it''s', PARTITION empty VALUES LESS THAN (2021), PARTITION p1 VALUES LESS THAN MAXVALUE)`,
  "INSERT INTO parts2 VALUES (1, '2019-01-01', 1), (2, '2022-01-01', 2), (3, '2019-01-01', 3)",
  "CREATE TABLE by_list (c CHAR(1)) PARTITION BY LIST COLUMNS (c) (PARTITION a VALUES IN ('a', ''''), PARTITION b VALUES IN ('b'))",
  'CREATE TABLE no_key2 (a INT, b FLOAT)',
  'INSERT INTO no_key2 VALUES (1, 0.1), (1, 0.1), (NULL, NULL), (NULL, NULL)',
  'CREATE TABLE only_unique (a INT NOT NULL, b INT, UNIQUE KEY (a), UNIQUE KEY (b))',
  'INSERT INTO only_unique VALUES (2, NULL), (1, NULL)',
  ...['MyISAM', 'Aria', 'MEMORY', 'CSV'].flatMap((engine) => {
    const key = engine === 'CSV' ? '' : ', PRIMARY KEY (id), KEY (n)';
    return [
      `CREATE TABLE in_${engine} (id INT NOT NULL, n VARCHAR(20) NOT NULL${key}) ENGINE = ${engine}`,
      `INSERT INTO in_${engine} VALUES (1, 'a;\\nb'), (2, '')`,
    ];
  }),
  'CREATE TABLE in_aria2 (id INT) ENGINE = Aria PAGE_CHECKSUM = 0 TRANSACTIONAL = 0 ROW_FORMAT = FIXED',
  'CREATE TABLE merged (id INT NOT NULL, n VARCHAR(20) NOT NULL, KEY (id), KEY (n)) ENGINE = MERGE UNION = (in_MyISAM) INSERT_METHOD = LAST',
  'CREATE TABLE stamped (id INT, first TIMESTAMP, second TIMESTAMP)',
  "INSERT INTO stamped VALUES (1, '2020-01-01', '2021-01-01')",
  'SET innodb_strict_mode = 0',
  'CREATE TABLE lax (id INT PRIMARY KEY) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 32',
  'SET innodb_strict_mode = DEFAULT',
  'CREATE TABLE packed (id INT PRIMARY KEY, t TEXT) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8',
  "INSERT INTO packed VALUES (1, REPEAT('x', 9000))",
  'CREATE TABLE paged (id INT PRIMARY KEY, t TEXT) PAGE_COMPRESSED = 1 STATS_PERSISTENT = 0 AVG_ROW_LENGTH = 99 CHECKSUM = 1',
  "INSERT INTO paged VALUES (1, REPEAT('y', 9000))",
  `CREATE TABLE wide (${Array.from({ length: 1000 }, (_, at) => `c${at} TINYINT`).join(', ')})`,
  `INSERT INTO wide VALUES (${Array(1000).fill(7).join(', ')})`,
  'CREATE TABLE wide_key (a VARCHAR(768) NOT NULL, PRIMARY KEY (a))',
  "INSERT INTO wide_key VALUES (REPEAT('ü', 768))",
  'CREATE SEQUENCE odd START WITH -10 INCREMENT BY -3 MINVALUE -1000 MAXVALUE -1 NOCACHE CYCLE',
  'DO NEXTVAL(odd)',
  'CREATE TABLE next_odd (id INT DEFAULT (NEXTVAL(odd) - 5) PRIMARY KEY, n INT)',
  'INSERT INTO next_odd (n) VALUES (1), (2)',
  `CREATE TABLE booked (room INT, since DATE, until DATE, PERIOD FOR stay (since, until), PRIMARY KEY (room, stay WITHOUT OVERLAPS))`,
  "INSERT INTO booked VALUES (1, '2020-01-01', '2020-02-01')",
];

const HISTORY = [
  'CREATE TABLE past (id INT PRIMARY KEY, n INT, f FLOAT, KEY (n)) WITH SYSTEM VERSIONING',
  'INSERT INTO past VALUES (1, 1, 0.1), (2, 1, 16777217)',
  'UPDATE past SET n = 2 WHERE id = 1',
  'DELETE FROM past WHERE id = 2',
  `CREATE TABLE past_named (id INT PRIMARY KEY, n INT WITHOUT SYSTEM VERSIONING, since TIMESTAMP(6) GENERATED ALWAYS AS ROW START,
    until TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (since, until)) WITH SYSTEM VERSIONING`,
  'INSERT INTO past_named (id, n) VALUES (1, 1), (2, 1)',
  'UPDATE past_named SET id = 3 WHERE id = 2',
  `CREATE TABLE past_parts (id INT PRIMARY KEY) WITH SYSTEM VERSIONING
    PARTITION BY SYSTEM_TIME LIMIT 1000 (PARTITION h HISTORY, PARTITION c CURRENT)`,
  'INSERT INTO past_parts VALUES (1), (2)',
  'DELETE FROM past_parts WHERE id = 1',
];

const CODE = [
  "SET sql_mode = 'ORACLE'",
  `CREATE PACKAGE pack AS FUNCTION f RETURN INT; PROCEDURE p; END`,
  `CREATE PACKAGE BODY pack AS x INT := 1; FUNCTION f RETURN INT AS BEGIN RETURN x; END; PROCEDURE p AS BEGIN x := 2; END; END`,
  'SET sql_mode = DEFAULT',
  "SET sql_mode = 'ORACLE'",
  `CREATE PROCEDURE oracle_alone(a IN OUT INT) AS x VARCHAR2(20) := 'a' || 'b'; BEGIN a := LENGTH(x); END`,
  'SET sql_mode = DEFAULT',
  "CREATE DEFINER = gone@nowhere PROCEDURE of_gone_too() SELECT 'a;'",
  "SET time_zone = '-03:30'",
  "CREATE EVENT elsewhere ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 02:00:00' DO SELECT 1",
  "SET time_zone = '+00:00'",
  `CREATE AGGREGATE FUNCTION total(x INT) RETURNS INT BEGIN DECLARE s INT DEFAULT 0; DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN s; LOOP FETCH GROUP NEXT ROW; SET s = s + x; END LOOP; END`,
  "CREATE PROCEDURE invoker() SQL SECURITY INVOKER READS SQL DATA COMMENT 'it''s' BEGIN\r\n\t-- a; comment\n/* 😀 */ SELECT '😀;$$'; END",
  'CREATE TABLE guarded (id INT PRIMARY KEY, n INT)',
  'CREATE TABLE guard_log (id INT AUTO_INCREMENT PRIMARY KEY, n INT)',
  'CREATE TRIGGER `t``2` BEFORE INSERT ON guarded FOR EACH ROW SET NEW.n = NEW.n * 2',
  'CREATE TRIGGER t1 BEFORE INSERT ON guarded FOR EACH ROW PRECEDES `t``2` SET NEW.n = NEW.n + 1',
  'CREATE TRIGGER t3 AFTER INSERT ON guarded FOR EACH ROW INSERT INTO guard_log (n) VALUES (NEW.n)',
  'INSERT INTO guarded VALUES (1, 1), (2, 2)',
  "CREATE DEFINER = gone@nowhere EVENT later ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' ENDS '2037-01-01' ON COMPLETION PRESERVE ENABLE COMMENT 'x' DO SELECT 1",
  'CREATE VIEW z_last AS SELECT id FROM guarded',
  'CREATE VIEW a_first AS SELECT id AS `it``s`, total(id) AS `sum "x"` FROM z_last GROUP BY id',
  'CREATE DEFINER = gone@nowhere SQL SECURITY INVOKER VIEW of_gone AS SELECT id FROM guarded',
  'CREATE VIEW `tables` AS SELECT 1 AS `information_schema`',
  'CREATE TABLE losing (id INT, lost INT)',
  'CREATE VIEW invalid_column AS SELECT lost FROM losing',
  'CREATE VIEW invalid_above AS SELECT lost FROM invalid_column',
  'ALTER TABLE losing DROP COLUMN lost',
  'CREATE TABLE vanishing (id INT)',
  'CREATE VIEW invalid_table AS SELECT id FROM vanishing',
  'DROP TABLE vanishing',
];

const VECTORS = [
  'CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3) NOT NULL, VECTOR KEY (v))',
  "INSERT INTO vectors VALUES (1, VEC_FromText('[0.1,-2,3e-7]')), (2, VEC_FromText('[1,2,3]'))",
];

/** Fills the default database of `db`. `version` is that of the server, e.g. `11.8`. */
export async function fillWithConstructs(db: Db, version: string): Promise<void> {
  const all = [NAMES, NUMBERS, TIMES, TEXT, DEFINITIONS, HISTORY, CODE];
  for (const statement of [...all, ...(version === '10.11' ? [] : [VECTORS])].flat()) {
    try {
      await db.run(statement);
    } catch (cause) {
      throw new Error(`the server does not take: ${statement.slice(0, 200)}`, { cause });
    }
  }
}
