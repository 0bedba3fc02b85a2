/**
 * Bugs that were read in other backup tools (backup.md), done to a set on purpose: the proof must
 * find each of them. What is done before the proof (a dump that ends early, a missing right) is in
 * facts.test.ts.
 */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import { proveSet } from '../../../src/backup/prove.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { type Scratch, startScratch } from '../../../src/scratch/server.ts';
import { makeBackupDir, makeLog, take } from '../../support/backup/backups.ts';
import { forgeFile } from '../../support/backup/damage.ts';
import { startTestServer, testScratchDir } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;

const SCHEMA = [
  'CREATE SEQUENCE s START WITH 41',
  `CREATE TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, bl BLOB, t VARCHAR(40), at DATETIME(6), d DOUBLE, f FLOAT, b BIT(9),
    e ENUM('a', ''), n BIGINT UNSIGNED, l VARCHAR(40) CHARACTER SET latin1, n2 INT DEFAULT 7, CHECK (n2 <> 0), KEY kt (t)) AUTO_INCREMENT = 90`,
  `INSERT INTO v VALUES (1, '', '', '2024-01-01 01:02:03.456789', 1e-10, 16777216, 257, 'a', 18446744073709551615, 'ä', 1),
    (2, NULL, 'trail ', '2024-01-01 00:00:00', 0.1, 0.1, 1, '', 0, '', 2), (3, x'00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
  'CREATE TABLE w (id INT PRIMARY KEY, v_id INT, at DATETIME(6), bl BLOB, t VARCHAR(40), CONSTRAINT fk FOREIGN KEY (v_id) REFERENCES v (id) ON DELETE CASCADE)',
  "INSERT INTO w VALUES (1, 1, '2024-01-01 01:02:03.456789', '', 'a'), (2, 1, NULL, NULL, 'ä'), (3, NULL, NULL, 'x', NULL)",
  'CREATE TABLE twice (a INT)',
  'INSERT INTO twice VALUES (5), (5), (6)',
  'CREATE TABLE past (id INT PRIMARY KEY) WITH SYSTEM VERSIONING',
  'INSERT INTO past VALUES (1), (2)',
  'DELETE FROM past WHERE id = 1',
  'CREATE TRIGGER noted BEFORE INSERT ON twice FOR EACH ROW SET @noted = 1',
  'CREATE TRIGGER tr BEFORE INSERT ON w FOR EACH ROW SET NEW.t = CONCAT(NEW.t, 1)',
  'CREATE TRIGGER tr2 BEFORE INSERT ON w FOR EACH ROW SET NEW.t = CONCAT(NEW.t, 2)',
  'CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1',
  'CREATE VIEW z AS SELECT id FROM v',
  'CREATE VIEW a AS SELECT id FROM z',
  "SET sql_mode = 'PIPES_AS_CONCAT'",
  "CREATE PROCEDURE p() SELECT 'a' || 'b'",
  "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
  "CREATE TRIGGER tr3 BEFORE UPDATE ON w FOR EACH ROW SET NEW.t = 'ä\\n'",
  'SET sql_mode = DEFAULT',
  "CREATE FUNCTION `tick``f`() RETURNS VARCHAR(9) DETERMINISTIC RETURN 'é'",
];

type Edit = (text: string) => string;
const replace =
  (from: string | RegExp, to: string): Edit =>
  (text) =>
    text.replace(from, to);
/** Takes out the section of one object. */
const without = (key: string): Edit => {
  return (text) =>
    text.replace(new RegExp(`-- \\{"key":"${key}"\\}\\n[\\s\\S]*?\\n\\$\\$\\n(?=-- \\{|$)`), '');
};

const ROWS_V = /^rows-\d+-v\.sql\.zst$/;
const ROWS_W = /^rows-\d+-w\.sql\.zst$/;

const mutants: readonly (readonly [what: string, file: RegExp, edit: Edit, found: RegExp])[] = [
  [
    'an empty BLOB is written as NULL',
    ROWS_W,
    replace(/456789',''/, "456789',NULL"),
    /table w: other values/,
  ],
  [
    'a NULL is written as an empty string',
    ROWS_V,
    replace("x'00',NULL", "x'00',''"),
    /table v: other values/,
  ],
  ['microseconds are dropped', ROWS_W, replace('.456789', ''), /table w: other values/],
  ['a DOUBLE is written with %f', ROWS_V, replace('1e-10', '0.000000'), /table v: other values/],
  [
    'a FLOAT is written with six digits',
    ROWS_V,
    replace('16777216', '16777200'),
    /table v: other values/,
  ],
  [
    'a BIT is written as its characters',
    ROWS_V,
    replace(',257,', ",'257',"),
    /table v: other values/,
  ],
  [
    'an invalid ENUM value becomes a member',
    ROWS_V,
    replace(/,2,(?=0|'0')/, ',1,'),
    /table v: other values/,
  ],
  [
    'a number beyond 2^53 is rounded',
    ROWS_V,
    replace('18446744073709551615', '18446744073709551000'),
    /table v: other values/,
  ],
  ['trailing spaces are cut', ROWS_V, replace('trail ', 'trail'), /table v: other values/],
  ['text is encoded twice', ROWS_W, replace('ä', 'Ã¤'), /table w: other values/],
  ['an emoji set of characters is lost to ?', ROWS_W, replace('ä', '?'), /table w: other values/],
  [
    'the loop over the rows ends before the last one',
    ROWS_W,
    replace(/,\n\(3,[^\n]*;\n/, ';\n'),
    /table w: 3 rows expected, 2 found/,
  ],
  [
    'a row is written twice in place of another',
    /^rows-\d+-twice/,
    replace('(6)', '(5)'),
    /table twice: other values/,
  ],
  [
    'the rows of a table are left out',
    /^rows-\d+-twice/,
    () => '',
    /table twice: 3 rows expected, 0 found/,
  ],
  [
    'history is not dumped',
    /^rows-\d+-past/,
    replace(/\('?1'?,[^\n]*\n/, ''),
    /table past: 2 rows expected, 1 found/,
  ],
  [
    'the past is written as the present',
    /^rows-\d+-past/,
    replace(/(\(1,'[^']*',)'[^']*'/, '$1DEFAULT'),
    /table past: other values/,
  ],
  [
    'a trigger is made AFTER instead of BEFORE',
    /^objects/,
    replace('BEFORE INSERT', 'AFTER INSERT'),
    /trigger noted: other definition/,
  ],
  [
    'the order of two triggers is turned',
    /^objects/,
    turnTriggers,
    /trigger tr2?: other definition/,
  ],
  ['a trigger is missing', /^objects/, without('trigger:tr2'), /trigger tr2: missing/],
  [
    'a routine gets a fixed sql_mode',
    /^objects/,
    replace("sql_mode='PIPES_AS_CONCAT'", "sql_mode=''"),
    /procedure p: other definition/,
  ],
  [
    'a routine gets a fixed character set',
    /^objects/,
    replace(/character_set_client=utf8mb4/g, 'character_set_client=latin1'),
    /function tick`f: other definition/,
  ],
  [
    'a trigger gets a fixed sql_mode',
    /^objects/,
    replace("sql_mode='NO_BACKSLASH_ESCAPES'", "sql_mode=''"),
    /trigger tr3: other definition/,
  ],
  [
    'a trigger gets a fixed character set',
    /^objects/,
    replace(
      /("trigger:tr3"[\s\S]*?character_set_client=)utf8mb4, collation_connection=\w+/,
      '$1latin1, collation_connection=latin1_swedish_ci',
    ),
    /trigger tr3: other definition/,
  ],
  ['a routine is missing', /^objects/, without('procedure:p'), /procedure p: missing/],
  [
    'a definer is replaced',
    /^objects/,
    replace(/DEFINER=`root`@`localhost` EVENT/, 'DEFINER=`x`@`%` EVENT'),
    /event ev: other definition/,
  ],
  [
    'a disabled event comes back enabled',
    /^objects/,
    replace('DISABLE DO', 'ENABLE DO'),
    /event ev: other definition/,
  ],
  [
    'a view is made before the view that it uses',
    /^objects/,
    without('placeholder:z'),
    /view a of the backup could not be made|placeholder a/,
  ],
  [
    'a sequence starts again',
    /^structure/,
    replace(/(INSERT INTO `s` VALUES \()41/, '$11'),
    /sequence s: other next value/,
  ],
  [
    'AUTO_INCREMENT starts again',
    /^structure/,
    replace(' AUTO_INCREMENT=90', ''),
    /table v: AUTO_INCREMENT 90 expected/,
  ],
  [
    'a CHECK is dropped',
    /^structure/,
    replace(/,\n\s*(?:CONSTRAINT `\w+` )?CHECK \([^\n]*/, ''),
    /table v: other structure/,
  ],
  [
    'a default is dropped',
    /^structure/,
    replace(' DEFAULT 7', ' DEFAULT NULL'),
    /table v: other structure/,
  ],
  ['a foreign key is dropped', /^keys/, without('foreign keys of:w'), /table w: other structure/],
  [
    'a foreign key loses its action',
    /^keys/,
    replace(' ON DELETE CASCADE', ''),
    /table w: other structure/,
  ],
  ['an index is dropped', /^keys/, without('keys of:v'), /table v: other structure/],
  [
    'a name is not escaped',
    /^objects/,
    replace('`tick``f`', '`tick`f`'),
    /function tick`f of the backup could not be made/,
  ],
];

function turnTriggers(text: string): string {
  const [first] = /-- \{"key":"trigger:tr"\}\n[\s\S]*?(?=-- \{"key":"trigger:tr2"\})/.exec(
    text,
  ) ?? [''];
  const [second] = /-- \{"key":"trigger:tr2"\}\n[\s\S]*?(?=-- \{|$)/.exec(text) ?? [''];
  return text.replace(first + second, () => second + first);
}

describe('the proof finds that', () => {
  const dir = makeBackupDir({ after });
  let good: BackupSet;
  let scratch: Scratch;
  before(async () => {
    const database = await server.createDatabase();
    const db = await server.connect(database);
    for (const statement of SCHEMA) await db.run(statement);
    good = await take(address, database, dir);
    scratch = await startScratch({ dir: testScratchDir });
  });
  after(() => scratch.stop());

  const prove = (set: BackupSet) =>
    proveSet({ set, scratch, scratchDir: '/nowhere', scratchVariables: {}, log: makeLog() });

  test('a set that nobody touched is as it was', async () => {
    assert.deepEqual((await prove(good)).proof.tables, good.manifest.tables.length);
  });

  for (const [what, file, edit, found] of mutants) {
    test(what, async () => {
      const set = { ...good, dir: join(dir, 'mutant') };
      rmSync(set.dir, { recursive: true, force: true });
      cpSync(good.dir, set.dir, { recursive: true });
      const { name } = good.manifest.files.find((entry) => file.test(entry.name))!;
      await forgeFile(set.dir, name, edit);

      await assert.rejects(prove(set), (error) => {
        assert.ok(isDeployError(error, 'BACKUP_NOT_PROVEN'), String(error));
        assert.match(error.message, found);
        return true;
      });
    });
  }
});
