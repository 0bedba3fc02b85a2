import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Contents } from '../../../src/backup/contents.ts';
import { compareContents } from '../../../src/backup/differences.ts';
import { readDumpFile } from '../../../src/backup/dump-file.ts';
import { type Imported, withImportedDump } from '../../../src/backup/import-dump.ts';
import { withConnection } from '../../../src/database/connect.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { contentsOf, makeBackupDir, makeLog } from '../../support/backup/backups.ts';
import { startTestServer, testScratchDir } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;
const dir = makeBackupDir({ after });

const optionsFor = (path: string) => ({
  ...{ path, database: 'app', scratchDir: testScratchDir, scratchVariables: {}, log: makeLog() },
  defaults: { charset: 'utf8mb4', collation: 'utf8mb4_unicode_ci', comment: '' },
});

/** Loads a dump and gives what it holds. */
function load(path: string): Promise<{ contents: Contents; imported: Imported }> {
  return withImportedDump(optionsFor(path), async (scratch, imported) => {
    return { contents: await contentsOf(scratch, 'app'), imported };
  });
}

function write(name: string, data: string | Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  return path;
}

const phpMyAdmin = `-- phpMyAdmin SQL Dump
SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
START TRANSACTION;
SET time_zone = "+00:00";
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;
CREATE DATABASE IF NOT EXISTS \`bamort\` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
USE \`bamort\`;
CREATE TABLE \`t\` (\n  \`id\` int(11) NOT NULL,\n  \`s\` varchar(9) NOT NULL\n) ENGINE=InnoDB;
INSERT INTO \`t\` (\`id\`, \`s\`) VALUES\n(1, 'a;\\'b'),\n(2, '');
DELIMITER $$
CREATE TRIGGER \`tr\` BEFORE INSERT ON \`t\` FOR EACH ROW BEGIN SET NEW.s = ''; END
$$
DELIMITER ;
ALTER TABLE \`t\`\n  ADD PRIMARY KEY (\`id\`);
ALTER TABLE \`t\`\n  MODIFY \`id\` int(11) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=3;
COMMIT;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
`.replaceAll('\\`', '`');

describe('a dump of another program', () => {
  let text: string;
  let source: Contents;

  before(async () => {
    await server.createDatabase('app');
    const db = await server.connect('app');
    for (const statement of [
      'CREATE TABLE odd (id INT PRIMARY KEY, b VARBINARY(300), s VARCHAR(50), l VARCHAR(9) CHARSET latin1)',
      "INSERT INTO odd VALUES (0, x'000d0a1a5c27ffe4', 'ä 😀; -- /* ', '€'), (1, '', '', NULL)",
      'CREATE TABLE numbers (id INT AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT 50',
      'INSERT INTO numbers (v) SELECT seq FROM seq_1_to_3000',
      "CREATE DEFINER='gone'@'%' TRIGGER tr BEFORE INSERT ON odd FOR EACH ROW BEGIN SET NEW.s = ';'; END",
      'CREATE VIEW v AS SELECT id FROM odd',
      'CREATE PROCEDURE p() BEGIN SELECT 1; END',
      'CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM odd',
    ])
      await db.run(statement);
    source = await contentsOf(address, 'app');
    text = dump();
  });

  function dump(...options: string[]): string {
    const args = [`--socket=${address.socketPath}`, '--user=root', '--routines', '--events'];
    return execFileSync('mariadb-dump', [...args, ...options, 'app'], { encoding: 'latin1' });
  }

  for (const [name, pack] of [
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    test(`${name}: holds exactly what was dumped`, async () => {
      const { contents } = await load(write(`${name}.sql`, pack(Buffer.from(text, 'latin1'))));
      assert.deepEqual(compareContents(source, contents), []);
    });
  }

  test('with --databases, one row per statement, hexadecimal, in latin1: the same', async () => {
    for (const options of [
      ['--databases'],
      ['--skip-extended-insert', '--hex-blob'],
      ['--compact'],
    ]) {
      const { contents } = await load(write('other.sql', dump(...options)));
      assert.deepEqual(compareContents(source, contents), [], options.join());
    }
  });

  test('as phpMyAdmin writes it: keys and AUTO_INCREMENT come last', async () => {
    const { contents, imported } = await load(write('pma.sql', phpMyAdmin));
    assert.deepEqual(
      contents.tables.map(({ name, rows, autoIncrement }) => [name, rows, autoIncrement]),
      [['t', 2, '3']],
    );
    assert.equal(imported.database, 'bamort');
    assert.ok(contents.objects.some(({ key }) => key === 'trigger:tr'));
  });
  const elsewhere = (name: string) =>
    `CREATE DATABASE \`${name}\`;\nUSE \`${name}\`;\nCREATE TABLE t (id INT);\n`;
  const cases: readonly (readonly [
    what: string,
    damage: (text: string) => string | Buffer,
    message: RegExp,
  ])[] = [
    ['cut at half', (text) => text.slice(0, text.length / 2), /cut off|could not be run/],
    [
      'cut between two statements',
      (text) => text.slice(0, text.indexOf('UNLOCK TABLES;') + 15),
      /cut off: its last line "Dump completed" is missing/,
    ],
    [
      'of phpMyAdmin and cut between two statements',
      () => phpMyAdmin.slice(0, phpMyAdmin.indexOf('DELIMITER')),
      /cut off: it begins a transaction and never ends it/,
    ],
    [
      'in another character set than it says, far behind other warnings',
      (text) =>
        text.replace(
          'INSERT INTO `numbers` VALUES',
          `CREATE TABLE \`w\` (\`y\` YEAR, \`s\` VARCHAR(9)) CHARSET utf8mb4;\nINSERT INTO \`w\` VALUES ${"('x','a'),".repeat(200)}('x','\xe4\xe4 ');\nINSERT INTO \`numbers\` VALUES`,
        ),
      /not in the character set which it names/,
    ],
    ['gzip cut off', (text) => gzipSync(text).subarray(0, -20), /cannot be unpacked to its end/],
    [
      'zstd cut off',
      (text) => zstdCompressSync(text).subarray(0, -20),
      /cannot be unpacked to its end/,
    ],
    [
      'gzip with a flipped bit',
      (text) => gzipSync(text).map((byte, at) => (at === 900 ? byte ^ 4 : byte)) as Buffer,
      /cannot be unpacked|cut off|could not be run|begins here/,
    ],
    [
      'UTF-16',
      (text) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
      /is UTF-16/,
    ],
    ['a zip archive', () => Buffer.from('504b030414000000', 'hex'), /is a zip archive/],
    ['empty', () => '', /is empty/],
    ['text that is not SQL', () => 'Dear diary,\nnothing.\n', /begins here|no part of a dump/],
    [
      'a dump of two databases',
      () => elsewhere('one') + elsewhere('two'),
      /holds several databases: one, two/,
    ],
    [
      'one that writes elsewhere',
      (text) => text.replace('INSERT INTO `odd`', 'INSERT INTO `mysql`.`user`'),
      /another database, mysql, than/,
    ],
    [
      'one that reads a file',
      (text) => text.replace('UNLOCK TABLES;', "LOAD DATA INFILE '/etc/passwd' INTO TABLE odd;"),
      /LOAD is no part of a dump/,
    ],
    [
      'one that runs a command',
      (text) => text.replace('UNLOCK TABLES;', '\\! touch /tmp/owned\n;'),
      /command of the client/,
    ],
    [
      'in another character set than it says',
      (text) => text.replace('\xc3\xa4 ', '\xe4\xe4 '),
      /not in the character set which it names/,
    ],
  ];
  for (const [what, damage, message] of cases) {
    test(`is refused when it is ${what}`, async () => {
      await assert.rejects(load(write('bad.sql', damage(text))), (error) => {
        assert.ok(isDeployError(error, 'BACKUP_SET_INVALID'), String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /Kundin|ä/);
        return true;
      });
    });
  }

  test('cannot reach another schema or a file of the private server that it is loaded in', async () => {
    const withMore = (sql: string) =>
      write('hostile.sql', text.replace('-- Dump completed', `${sql}\n-- Dump completed`));
    await assert.rejects(load(withMore('CREATE TABLE x AS SELECT * FROM mysql.user;')), {
      code: 'BACKUP_SET_INVALID',
    });
    const read = await withImportedDump(
      optionsFor(
        withMore(`INSERT INTO numbers VALUES (9001, LENGTH(LOAD_FILE('/etc/passwd')));
DELIMITER ;;
CREATE DEFINER='root'@'localhost' TRIGGER t2 BEFORE INSERT ON numbers FOR EACH ROW SET NEW.v = LENGTH(LOAD_FILE('/etc/passwd'));;
DELIMITER ;
INSERT INTO numbers VALUES (9002, 1);`),
      ),
      (scratch) =>
        withConnection(scratch, { database: 'app' }, (db) =>
          db.query('SELECT v FROM numbers WHERE id > 9000'),
        ),
    );
    assert.deepEqual(read, [{ v: null }, { v: null }]);
  });

  test('that names root as the definer of its code writes nothing outside the private server', async () => {
    const owned = join(dir, 'owned.log');
    const code = `BEGIN SET GLOBAL general_log_file='${owned}'; SET GLOBAL general_log=1; SET`;
    const definers = ['root@localhost', 'mysql@localhost', '`mariadb.sys`@localhost'];
    for (const definer of definers) {
      for (const attack of [
        `CREATE DEFINER=${definer} TRIGGER t2 BEFORE INSERT ON numbers FOR EACH ROW ${code} NEW.v = 1; END;;
INSERT INTO numbers VALUES (9001, 1);;`,
        `CREATE DEFINER=${definer} FUNCTION f() RETURNS INT DETERMINISTIC ${code} @x = 1; RETURN 1; END;;
INSERT INTO numbers VALUES (9001, f());;`,
      ]) {
        const path = write('root.sql', `${text}\nDELIMITER ;;\n${attack}\nDELIMITER ;\n`);
        await assert.rejects(load(path), { code: 'BACKUP_SET_INVALID' }, attack);
        assert.equal(existsSync(owned), false, attack);
      }
    }
  });

  test('with tables in another folder has them in the private server all the same', async () => {
    const out = mkdtempSync(join(dir, 'out-'));
    const at = `DATA DIRECTORY='${out}'`;
    const { contents } = await load(
      write(
        'folders.sql',
        `CREATE TABLE a (id INT PRIMARY KEY) ENGINE=InnoDB ${at};
CREATE TABLE b (id INT PRIMARY KEY) ENGINE=MyISAM ${at} INDEX DIRECTORY='${out}';
CREATE TABLE c (id INT PRIMARY KEY) ENGINE=Aria ${at};
CREATE TABLE d (id INT PRIMARY KEY) PARTITION BY HASH (id) (PARTITION p0 ${at}, PARTITION p1 ${at});
INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO c VALUES (1); INSERT INTO d VALUES (1);
`,
      ),
    );
    assert.deepEqual(
      contents.tables.map(({ rows }) => rows),
      [1, 1, 1, 1],
    );
    assert.deepEqual(readdirSync(out), []);
  });

  test('whose trigger of root stands before the rows is loaded as it is', async () => {
    const { contents } = await load(
      write(
        'early.sql',
        `CREATE TABLE t (id INT PRIMARY KEY, n INT);
CREATE DEFINER=root@localhost TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.n = NEW.id + 1;
CREATE DEFINER=root@localhost VIEW v AS SELECT id FROM t;
INSERT INTO t VALUES (1, 1);
`,
      ),
    );
    assert.deepEqual(
      contents.tables.map(({ rows }) => rows),
      [1],
    );
    const keys = contents.objects.map(({ key }) => key);
    assert.deepEqual(keys.sort(), ['database:', 'trigger:tr', 'view:v']);
  });

  test('that unpacks to more than there is room for is refused while it is unpacked', async () => {
    const bomb = write('bomb.sql.gz', gzipSync(Buffer.alloc(50 * 2 ** 20, '-')));
    let read = 0;
    await assert.rejects(
      async () => {
        for await (const piece of readDumpFile(bomb, { limitBytes: 2 ** 20 })) read += piece.length;
      },
      { code: 'SPACE_SHORT' },
    );
    assert.ok(read <= 2 ** 20);
  });
});
