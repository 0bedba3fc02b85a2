import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { forgeFile, forgeManifest } from '../support/backup/damage.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { findLeftovers, type Picture, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });
await openShop(await makeSite({ after }, server));

type Saved = { site: Site; db: Db; old: Picture; set: string };

/** A shop with one of each kind of object, and a set of it. */
async function savedShop(t: TestContext): Promise<Saved> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  for (const statement of [
    'CREATE SEQUENCE s START WITH 7',
    'CREATE TABLE numbered (id BIGINT DEFAULT NEXTVAL(s) PRIMARY KEY, v INT)',
    'INSERT INTO numbered (v) VALUES (1), (2)',
    'CREATE TRIGGER tr BEFORE INSERT ON numbered FOR EACH ROW SET NEW.v = NEW.v + 1',
    'CREATE VIEW v AS SELECT id FROM numbered',
    'CREATE PROCEDURE p() BEGIN SELECT 1; END',
    'CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM numbered',
  ])
    await db.run(statement);
  const old = await takePicture(db, site.database);
  const created = JSON.parse((await site.deploy(['backup', 'create', '--json'])).stdout) as Json;
  return { site, db, old, set: created['backup'].name as string };
}

async function change(db: Db): Promise<void> {
  for (const statement of [
    'DROP TABLE numbered',
    'DROP SEQUENCE s',
    'CREATE TABLE newer (id INT PRIMARY KEY, customer_id INT REFERENCES customer (id))',
    'CREATE TRIGGER newer_t BEFORE INSERT ON newer FOR EACH ROW SET NEW.id = 1',
    'DELETE FROM purchase WHERE id > 10',
    'DROP PROCEDURE p',
  ])
    await db.run(statement);
}

describe('deploy restore onto a server without the database', () => {
  test('asks, makes it with its character set, and brings everything back', async (t) => {
    const { site, old, set } = await savedShop(t);
    const root = await server.connect();
    await root.run(`DROP DATABASE \`${site.database}\``);
    const args = ['restore', '--backup', set];

    const asked = await site.deploy(args, { DB_WAIT_SECONDS: '5' });
    assert.equal(asked.code, 13, asked.stderr);
    assert.deepEqual(await root.query(`SHOW DATABASES LIKE '${site.database}'`), []);
    const ended = await site.deploy([...args, '--yes'], { DB_WAIT_SECONDS: '5' });

    assert.equal(ended.code, 0, ended.stderr);
    const db = await server.connect(site.database);
    assert.deepEqual(await takePicture(db, site.database), old);
    assert.deepEqual(await findLeftovers(db, site), []);
    assert.equal((await site.deploy(['up'])).code, 0);
  });

  test('without the right to make it: exit 13 with the statement for an administrator', async (t) => {
    const { site, set } = await savedShop(t);
    const root = await server.connect();
    await root.run(`DROP DATABASE \`${site.database}\``);
    await root.run('CREATE OR REPLACE USER nobody@localhost');
    await root.run(`GRANT SELECT ON \`${site.database}\`.* TO nobody@localhost`);

    const ended = await site.deploy(['restore', '--backup', set, '--yes'], {
      ...{ DB_USER: 'nobody', DB_WAIT_SECONDS: '5' },
    });

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /may not create the database/);
  });
});

describe('deploy restore by an account that may not make schemas', () => {
  async function inPlace(t: TestContext): Promise<Saved & { env: Record<string, string> }> {
    const saved = await savedShop(t);
    const user = `u${saved.site.database}`.slice(0, 30);
    const root = await server.connect();
    await root.run(`CREATE OR REPLACE USER ${user}@localhost`);
    await root.run(`GRANT ALL ON \`${saved.site.database}\`.* TO ${user}@localhost`);
    await root.run(`GRANT SELECT ON mysql.proc TO ${user}@localhost`);
    await root.run(`GRANT SET USER ON *.* TO ${user}@localhost`);
    await change(saved.db);
    return { ...saved, env: { DB_USER: user } };
  }

  test('warns, and replaces everything in place', async (t) => {
    const { site, db, old, set, env } = await inPlace(t);
    const before = await takePicture(db, site.database);
    const args = ['restore', '--backup', set];

    const asked = await site.deploy(args, env);
    assert.equal(asked.code, 13, asked.stderr);
    assert.match(asked.stderr, /purchase: 10 rows now, 1000 in the backup, not the same ones/);
    assert.deepEqual(await takePicture(db, site.database), before);
    const ended = await site.deploy([...args, '--yes', '--json'], env);

    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await takePicture(db, site.database), old);
    assert.deepEqual(await findLeftovers(db, site), []);
    const report = JSON.parse(ended.stdout.trim()) as Json;
    assert.match(String(report['warnings']), /restored in place: run GRANT ALL PRIVILEGES ON/);
  });

  for (const point of ['dropped-in-place', 'loaded-in-place', 'objects-created']) {
    test(`killed at restore.${point}: one more up ends it`, async (t) => {
      const { site, db, old, set, env } = await inPlace(t);
      const killed = await site.deploy(['restore', '--backup', set, '--yes'], {
        ...{ ...env, DEPLOY_FAIL_AT: `restore.${point}=kill` },
      });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);

      // By an account with all rights: as it was begun so it is ended.
      const ended = await site.deploy(['up'], { BACKUP: 'always' });

      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(await takePicture(db, site.database), old);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }
});

test('what could not be put back because of max_allowed_packet is not begun, with the SET GLOBAL to run', async (t) => {
  const { site, db, set } = await savedShop(t);
  await site.write(cities);
  await db.run('CREATE TABLE attachment (id INT PRIMARY KEY, b LONGBLOB)');
  // As hexadecimal digits it is longer than what the server takes; the private server takes more.
  await db.run("INSERT INTO attachment VALUES (1, REPEAT('x', 600000))");
  const before = await takePicture(db, site.database);
  const root = await server.connect();
  await root.run('SET GLOBAL max_allowed_packet = 1048576');
  t.after(() => root.run('SET GLOBAL max_allowed_packet = 1073741824'));

  for (const args of [
    ['up'],
    ['rollback', '--steps', '1', '--yes', '--accept-data-loss'],
    ['restore', '--backup', set, '--yes'],
  ]) {
    const ended = await site.deploy(args);

    assert.equal(ended.code, 14, ended.stderr);
    assert.match(ended.stderr, /max_allowed_packet of this server is 1048576 bytes, and .* needs/);
    assert.match(ended.stderr, /SET GLOBAL max_allowed_packet = 2097152;/);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  }
});

describe('deploy restore onto a server that cannot take the set', () => {
  test('because of its max_allowed_packet: refused before anything, with the SET GLOBAL to run', async (t) => {
    const { site, db, set } = await savedShop(t);
    const before = await takePicture(db, site.database);
    forgeManifest(`${site.backupDir}/${set}`, (manifest) => ({
      ...manifest,
      longestStatementBytes: 2 ** 31,
    }));

    const ended = await site.deploy(['restore', '--backup', set, '--yes']);

    assert.equal(ended.code, 14, ended.stderr);
    assert.match(
      ended.stderr,
      /max_allowed_packet of this server is \d+ bytes, and .* needs 2147484672/,
    );
    assert.match(ended.stderr, /SET GLOBAL max_allowed_packet = 2148532224;/);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('because the set is of a newer server: refused before anything, with both versions', async (t) => {
    const { site, db, set } = await savedShop(t);
    const before = await takePicture(db, site.database);
    forgeManifest(`${site.backupDir}/${set}`, (manifest) => ({
      ...manifest,
      server: { ...manifest.server, version: '100.2.1-MariaDB' },
    }));

    const ended = await site.deploy(['restore', '--backup', set, '--yes']);

    assert.equal(ended.code, 14, ended.stderr);
    assert.match(ended.stderr, /was taken of MariaDB 100\.2\.1-MariaDB, .* is older: \d+\.\d+/);
    assert.match(ended.stderr, /same version or a newer one/);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('because it does not know a collation: refused before anything, with its name', async (t) => {
    const { site, db, set } = await savedShop(t);
    const before = await takePicture(db, site.database);
    await forgeFile(`${site.backupDir}/${set}`, 'structure.sql.zst', (text) =>
      text.replace('utf8mb4_unicode_ci', 'utf8mb4_future_ai_ci'),
    );

    const ended = await site.deploy(['restore', '--backup', set, '--yes']);

    assert.equal(ended.code, 14, ended.stderr);
    assert.match(ended.stderr, /does not know the collations of .*: utf8mb4_future_ai_ci/);
    assert.deepEqual(await takePicture(db, site.database), before);
  });
});
