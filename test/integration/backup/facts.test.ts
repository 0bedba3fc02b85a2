/** How dumps and restores lie (backup.md §0), one test for each. */
import assert from 'node:assert/strict';
import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { compareContents } from '../../../src/backup/differences.ts';
import type { Db } from '../../../src/database/connect.ts';
import { quoteNameText } from '../../../src/database/identifier.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import {
  contentsOf,
  leftoverSchemas,
  makeBackupDir,
  restore,
  take,
} from '../../support/backup/backups.ts';
import { forgeFile } from '../../support/backup/damage.ts';
import { withFakeDump } from '../../support/backup/fake-dump.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after }, { tcp: 'loopback' });
const { address } = server;

async function makeDatabase(...statements: string[]): Promise<{ database: string; db: Db }> {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  for (const statement of statements) await db.run(statement);
  return { database, db };
}

const PEOPLE = 'CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(99) UNIQUE)';

test('fact 1: a table whose default is a sequence comes back, and the default works', async (t) => {
  const { database, db } = await makeDatabase(
    'CREATE SEQUENCE `seq 1`',
    'CREATE TABLE n (id BIGINT PRIMARY KEY DEFAULT NEXTVAL(`seq 1`))',
    'INSERT INTO n VALUES (DEFAULT), (DEFAULT)',
  );
  const set = await take(address, database, makeBackupDir(t));
  await db.run('DROP TABLE n');
  await db.run('DROP SEQUENCE `seq 1`');

  await restore(address, database, set);

  await db.run('INSERT INTO n VALUES (DEFAULT)');
  assert.equal((await db.query('SELECT id FROM n')).length, 3);
});

describe('fact 2: what a dump changes on its way comes back as it was', () => {
  const cases: readonly (readonly [what: string, writer: string, ...statements: string[]])[] = [
    [
      'a FLOAT of more than six digits',
      'own',
      'CREATE TABLE lossy (v FLOAT, n FLOAT(7,3))',
      'INSERT INTO lossy VALUES (16777217, 1.5), (3.4028234e38, NULL), (-1e-38, 1.234567), (0, 0)',
    ],
    [
      'a date that does not exist',
      'mariadb-dump',
      'CREATE TABLE lossy (v DATE, t DATETIME(6))',
      "SET sql_mode = 'ALLOW_INVALID_DATES'",
      "INSERT INTO lossy VALUES ('2023-02-31', '2023-02-31 01:02:03.000004'), ('0000-00-00', '2024-00-15')",
    ],
    [
      'the invalid value of an ENUM that has an empty member',
      'own',
      "CREATE TABLE lossy (v ENUM('a', '', 'it''s'), k INT)",
      "SET sql_mode = ''",
      "INSERT INTO lossy VALUES ('', 1), ('no such', 2), ('it''s', 3), (NULL, 4)",
    ],
    [
      'text in a character set that does not go through utf8mb4 and back',
      'own',
      'CREATE TABLE lossy (c VARCHAR(9) CHARACTER SET cp1251, s VARCHAR(9) CHARACTER SET sjis, u VARCHAR(9) CHARACTER SET ucs2)',
      "INSERT INTO lossy VALUES (x'98CF', x'5C7E', x'005C20AC'), ('', '', ''), (NULL, NULL, NULL)",
    ],
    [
      'every byte in binary and latin1 columns, and what looks like the end of a statement',
      'mariadb-dump',
      'CREATE TABLE lossy (b BLOB, l TEXT CHARACTER SET latin1, t TEXT)',
      `INSERT INTO lossy SELECT UNHEX(GROUP_CONCAT(HEX(CHAR(seq)) SEPARATOR '')),
        UNHEX(GROUP_CONCAT(HEX(CHAR(seq)) SEPARATOR '')), ';\n-- x\n/*!40103 SET TIME_ZONE' FROM seq_0_to_255`,
    ],
    [
      'a table whose name holds a line of the dump',
      'own',
      'CREATE TABLE `a;\n--\n-- Dumping data for table ``` (v INT, `b\n;\nc` INT)',
      'INSERT INTO `a;\n--\n-- Dumping data for table ``` VALUES (1, 2)',
    ],
    [
      'a table with nothing but generated columns',
      'mariadb-dump',
      'CREATE TABLE lossy (v INT AS (1) VIRTUAL, w INT AS (2) STORED)',
      'INSERT INTO lossy VALUES ()',
    ],
  ];
  for (const [what, writer, ...statements] of cases) {
    test(what, async (t) => {
      const { database, db } = await makeDatabase(...statements);
      const before = await contentsOf(address, database);

      const set = await take(address, database, makeBackupDir(t));
      await db.run('SET foreign_key_checks = 0');
      for (const { name } of before.tables) await db.run(`DROP TABLE ${quoteNameText(name)}`);
      await restore(address, database, set);

      assert.deepEqual(compareContents(before, await contentsOf(address, database)), []);
      assert.equal(set.manifest.tables[0]?.writer, writer);
    });
  }
});

describe('fact 3: an account that does not see everything is refused, with the GRANT to run', () => {
  const ALL = ['SELECT', 'LOCK TABLES', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'EXECUTE'];
  for (const right of ALL) {
    test(`without ${right}`, async (t) => {
      const { database, db } = await makeDatabase(PEOPLE);
      const dir = makeBackupDir(t);
      const user = `no_${right.toLowerCase().replace(' ', '_')}`;
      const grants = ['SHOW DATABASES', ...ALL].filter((other) => other !== right);
      await db.run(`CREATE USER '${user}'@'%' IDENTIFIED BY 'p'`);
      await db.run(`GRANT ${grants.slice(1).join(', ')} ON \`${database}\`.* TO '${user}'@'%'`);

      const error = await failureOf(take(server.tcpAddress(user, 'p'), database, dir));

      assert.ok(isDeployError(error, 'RIGHT_MISSING'), inspect(error));
      assert.match(error.message, new RegExp(`lacks ${right}`));
      assert.match(
        error.next?.join('\n') ?? '',
        new RegExp(`GRANT ${right} ON .* TO '${user}'@'%';`),
      );
      assert.deepEqual(readdirSync(dir), []);
    });
  }

  test('without the text of another account’s routine', async (t) => {
    const { database, db } = await makeDatabase(PEOPLE, 'CREATE PROCEDURE p() SELECT 1');
    await db.run(`CREATE USER blind@'%' IDENTIFIED BY 'p'`);
    await db.run(`GRANT ALL ON \`${database}\`.* TO blind@'%'`);

    const error = await failureOf(
      take(server.tcpAddress('blind', 'p'), database, makeBackupDir(t)),
    );

    assert.ok(isDeployError(error, 'RIGHT_MISSING'), inspect(error));
    assert.match(error.next?.join('\n') ?? '', /GRANT SELECT ON `mysql`\.`proc` TO 'blind'@'%';/);
  });
});

describe('fact 4: a dump that is not whole is never a backup', () => {
  for (const [what, script, code] of [
    ['cut off, with exit code 0', '"$real" "$@" | head -c 2000', 'BACKUP_FAILED'],
    [
      'cut off at the end of a line, with exit code 0',
      '"$real" "$@" | head -n 25',
      'BACKUP_FAILED',
    ],
    ['without its footer', '"$real" "$@" | grep -v "^-- Dump completed"', 'BACKUP_FAILED'],
    ['whole, with an exit code', '"$real" "$@"; exit 3', 'BACKUP_FAILED'],
    [
      'whole, with an error among its messages',
      '"$real" "$@"; echo "mariadb-dump: Got error: 2013" >&2',
      'BACKUP_FAILED',
    ],
    ['killed', '"$real" "$@" | head -c 2000; kill -9 $$', 'BACKUP_FAILED'],
    [
      'one row short, with footer and exit code 0',
      '"$real" "$@" | sed "/person 500/d"',
      'BACKUP_NOT_PROVEN',
    ],
    [
      'with an empty string for NULL',
      '"$real" "$@" | sed "s/(1000,NULL)/(1000,\'\')/"',
      'BACKUP_NOT_PROVEN',
    ],
  ] as const) {
    test(what, async (t) => {
      const { database } = await makeDatabase(
        PEOPLE,
        "INSERT INTO people (name) SELECT CONCAT('person ', seq) FROM seq_1_to_999",
        'INSERT INTO people VALUES (1000, NULL)',
      );
      const dir = makeBackupDir(t);
      withFakeDump(t, script);

      await assert.rejects(take(address, database, dir), { code });

      assert.deepEqual(readdirSync(dir), []);
    });
  }

  test('not there at all', async (t) => {
    const { database } = await makeDatabase(PEOPLE);
    withFakeDump(t, '');
    process.env['PATH'] = '/nowhere';

    await assert.rejects(take(address, database, makeBackupDir(t)), { code: 'BACKUP_FAILED' });
  });
});

test('fact 5: what a failed migration added is gone after a restore', async (t) => {
  const { database, db } = await makeDatabase(PEOPLE);
  const before = await contentsOf(address, database);
  const set = await take(address, database, makeBackupDir(t));
  await db.run('CREATE TABLE added (id INT, CONSTRAINT f FOREIGN KEY (id) REFERENCES people (id))');
  await db.run('CREATE PROCEDURE added_p() SELECT 1');
  await db.run('CREATE VIEW added_v AS SELECT 1 AS one');
  await db.run('CREATE EVENT added_e ON SCHEDULE EVERY 1 DAY DO SELECT 1');

  await restore(address, database, set);

  assert.deepEqual(compareContents(before, await contentsOf(address, database)), []);
});

test('fact 6: an account that may not restore another’s trigger is refused before anything is written', async (t) => {
  const { database, db } = await makeDatabase(
    PEOPLE,
    'CREATE DEFINER=`root`@`localhost` TRIGGER t BEFORE INSERT ON people FOR EACH ROW SET @x = 1',
  );
  const set = await take(address, database, makeBackupDir(t));
  await db.run(`CREATE USER half@'%' IDENTIFIED BY 'p'`);
  await db.run(`GRANT ALL ON \`${database}\`.* TO half@'%'`);
  await db.run(`GRANT ALL ON \`${database.replaceAll('_', '\\_')}\\_deploy\\_%\`.* TO half@'%'`);

  const error = await failureOf(restore(server.tcpAddress('half', 'p'), database, set));

  assert.ok(isDeployError(error, 'RIGHT_MISSING'), inspect(error));
  assert.match(error.next?.join('\n') ?? '', /GRANT SET USER ON \*\.\* TO 'half'@'%';/);
  assert.deepEqual(await leftoverSchemas(address, database), []);
});

test('fact 7: a truncated set does not touch the database', async (t) => {
  const { database } = await makeDatabase(PEOPLE, 'INSERT INTO people VALUES (1, 2)');
  const set = await take(address, database, makeBackupDir(t));
  const before = await contentsOf(address, database);
  truncateSync(join(set.dir, 'rows-0001-people.sql.zst'), 100);

  await assert.rejects(restore(address, database, set), { code: 'BACKUP_SET_INVALID' });

  assert.deepEqual(await contentsOf(address, database), before);
  assert.deepEqual(await leftoverSchemas(address, database), []);
});

for (const [what, id, message] of [
  ['cannot be loaded', 1, /rows of `people` could not be loaded/],
  ['makes a key impossible', 2, /keys of people of the backup could not be made/],
] as const)
  test(`fact 8: a row that ${what} is in no error`, async (t) => {
    const { database } = await makeDatabase(PEOPLE, "INSERT INTO people VALUES (1, 'Top Secret')");
    const set = await take(address, database, makeBackupDir(t));
    const before = await contentsOf(address, database);
    await forgeFile(set.dir, 'rows-0001-people.sql.zst', (text) =>
      text.replace('(1,', `(${id},'Top Secret'),\n(1,`),
    );

    const error = await failureOf(restore(address, database, set));

    assert.ok(isDeployError(error, 'RESTORE_FAILED'), inspect(error));
    assert.match(error.message, message);
    assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /Secret/);
    assert.deepEqual(await contentsOf(address, database), before);
    assert.deepEqual(await leftoverSchemas(address, database), []);
  });

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return assert.fail('it did not fail');
}
