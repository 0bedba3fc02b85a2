import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { findLeftovers, type Picture, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';

const server = await startTestServer({ after });
await openShop(await makeSite({ after }, server));

const OPTIONS = ['--single-transaction', '--routines', '--events', '--triggers'];

function dump(site: Site, options: readonly string[] = []): string {
  const args = [`--socket=${site.env['DB_HOST']}`, '--user=root', ...OPTIONS, ...options];
  const [first, ...more] = options.includes('--databases')
    ? ['--databases', site.database]
    : [site.database];
  const rest = args.filter((arg) => arg !== '--databases');
  return execFileSync('mariadb-dump', [...rest, first!, ...more], { encoding: 'latin1' });
}

type Shop = {
  site: Site;
  db: Db;
  old: Picture;
  text: string;
  file: (name: string, data: string | Buffer) => string;
};

/** A shop that was dumped, and then changed. */
async function dumpedShop(t: TestContext, options: readonly string[] = []): Promise<Shop> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  for (const statement of [
    'CREATE TABLE odd (id INT PRIMARY KEY, b VARBINARY(300), s VARCHAR(50), l VARCHAR(9) CHARSET latin1)',
    "INSERT INTO odd VALUES (0, x'000d0a1a5c27ff', 'ä 😀; -- /* ', '€'), (1, '', '', NULL)",
    "CREATE DEFINER='gone'@'%' TRIGGER tr BEFORE INSERT ON odd FOR EACH ROW BEGIN SET NEW.s = ';'; END",
    'CREATE VIEW v AS SELECT id FROM odd',
    'CREATE PROCEDURE p() BEGIN SELECT 1; END',
    'CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM odd',
  ])
    await db.run(statement);
  const old = await takePicture(db, site.database);
  const text = dump(site, options);
  await db.run('DROP TRIGGER tr');
  await db.run("INSERT INTO odd VALUES (2, 'x', 'new', 'n')");
  await db.run('CREATE TABLE newer (id INT)');
  const file = (name: string, data: string | Buffer) => {
    const path = join(site.dir, name);
    writeFileSync(path, typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return path;
  };
  return { site, db, old, text, file };
}

describe('deploy restore --backup of an own dump', () => {
  test('packed: the database becomes what the dump holds, definers included', async (t) => {
    const { site, db, old, text, file } = await dumpedShop(t);
    const packed = file('dump.sql.gz', gzipSync(Buffer.from(text, 'latin1')));

    const ended = await site.deploy(['restore', '--backup', packed, '--yes']);

    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await takePicture(db, site.database), old);
    assert.deepEqual(await findLeftovers(db, site), []);
    assert.match(ended.stderr, /accounts that objects run as and this server lacks: gone@%/);
  });

  test('without --yes it says what it holds and what would go, and the database is as before', async (t) => {
    const { site, db, text, file } = await dumpedShop(t, ['--databases']);
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['restore', '--backup', file('dump.sql', text)]);

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /odd: 1 rows only in the database, 0 only in the backup, 0 differ/);
    assert.match(ended.stderr, /not in the backup, so they go: table newer/);
    assert.match(ended.stderr, /dump\.sql holds 5 tables, 1504 rows, version 0\.1\.0/);
    assert.deepEqual(await takePicture(db, site.database), before);
  });

  test('grants and settings of the server in it are left out, and said', async (t) => {
    const { site, text, file } = await dumpedShop(t);
    const more = `${text.replace(/-- Dump completed[^\n]*\n/, '')}GRANT ALL ON *.* TO evil@localhost IDENTIFIED BY 'x';\nSET GLOBAL max_connections = 7;\nFLUSH PRIVILEGES;\n-- Dump completed\n`;

    const ended = await site.deploy([
      'restore',
      '--backup',
      file('dump.sql', more),
      '--yes',
      '--json',
    ]);

    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /left out.*1 × GRANT, 1 × SET GLOBAL, 1 × FLUSH/);
    const root = await server.connect();
    assert.equal((await root.one<{ n: number }>('SELECT @@max_connections AS n'))?.n === 7, false);
    assert.deepEqual(await root.query("SELECT user FROM mysql.user WHERE user = 'evil'"), []);
  });

  test('a dump that is cut off is refused: exit 15, and the database is as before', async (t) => {
    const { site, db, text, file } = await dumpedShop(t);
    const before = await takePicture(db, site.database);
    const half = file('half.sql', text.slice(0, text.length / 2));

    const ended = await site.deploy(['restore', '--backup', half, '--yes']);

    assert.equal(ended.code, 15, ended.stderr);
    assert.match(ended.stderr, /BACKUP_SET_INVALID/);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

/** What phpMyAdmin exports from MySQL 8, in its own words. */
const mysql8 = `-- phpMyAdmin SQL Dump
-- version 5.2.1
-- https://www.phpmyadmin.net/
-- Server version: 8.0.36

SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
START TRANSACTION;
SET time_zone = "+00:00";

/*!40101 SET NAMES utf8mb4 */;

CREATE TABLE \`visit\` (
  \`id\` int NOT NULL,
  \`note\` varchar(40) COLLATE utf8mb4_0900_ai_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

INSERT INTO \`visit\` (\`id\`, \`note\`) VALUES
(1, 'ä');

ALTER TABLE \`visit\`
  ADD PRIMARY KEY (\`id\`);
COMMIT;
`;

test('a dump of MySQL 8 is restored where its collations are known, else refused by their name', async (t) => {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  const before = await takePicture(db, site.database);
  const known = await db.query("SHOW COLLATION LIKE 'utf8mb4_0900_ai_ci'");
  const path = join(site.dir, 'mysql8.sql');
  writeFileSync(path, mysql8);

  const ended = await site.deploy(['restore', '--backup', path, '--yes']);

  if (known.length === 0) {
    assert.equal(ended.code, 15, ended.stderr);
    assert.match(ended.stderr, /mysql8\.sql:12/);
    assert.match(ended.stderr, /Unknown collation: 'utf8mb4_0900_ai_ci'/);
    assert.match(ended.stderr, /next +.*instead of utf8mb4_0900_ai_ci/);
    assert.deepEqual(await takePicture(db, site.database), before);
  } else {
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await db.query('SELECT id, note FROM visit'), [{ id: 1, note: 'ä' }]);
  }
});
