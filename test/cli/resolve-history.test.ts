import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { cities, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

/** A migration that the rows of the shop make fail: two purchases of each customer. */
const nice = {
  '0.2.0/0002_nice.up.sql':
    '--! critical: false\nCREATE TABLE nice (id INT);\nALTER TABLE purchase ADD UNIQUE INDEX once (customer_id);\n',
  '0.2.0/0002_nice.down.sql': 'ALTER TABLE purchase DROP INDEX once;\nDROP TABLE nice;\n',
};

async function end(site: Site, code: number, args: string[], env: Record<string, string> = {}) {
  const ended = await site.deploy(args, env);
  assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
  return ended;
}

async function openNice(t: Cleanup): Promise<{ site: Site; db: Db }> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await site.write(nice);
  await end(site, 0, ['up']);
  return { site, db };
}

const statusOf = async (site: Site) =>
  JSON.parse((await site.deploy(['status', '--json'])).stdout) as Json;
const successOf = async (db: Db, number: number) => {
  const rows = await db.query<{ success: number }>(
    `SELECT success FROM migration_history WHERE migration_number = ${number}`,
  );
  return rows.map(({ success }) => Number(success));
};
const makeRoom = (db: Db) =>
  db.run(
    'DELETE p FROM purchase p JOIN purchase q ON q.customer_id = p.customer_id AND q.id < p.id',
  );

describe('deploy resolve --retry', () => {
  test('tries a failed migration again that is not critical: applied when its reason is gone', async (t) => {
    const { site, db } = await openNice(t);
    assert.match(
      (await end(site, 0, ['resolve'])).stdout,
      /2 nice is not critical: deploy resolve --retry 2/,
    );
    await makeRoom(db);

    const done = await end(site, 0, ['resolve', '--retry', '2', '--verbose']);

    assert.match(done.stdout, /at 0\.2\.0, and what had failed is applied/);
    assert.deepEqual(await successOf(db, 2), [1]);
    assert.equal((await db.query("SHOW TABLES LIKE 'nice'")).length, 1);
    assert.deepEqual((await statusOf(site))['failed'], []);
    await end(site, 0, ['resolve', '--retry']);
    await end(site, 13, ['resolve', '--retry', '2']);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('that fails again is taken back again: exit 20, everything as before', async (t) => {
    const { site, db } = await openNice(t);
    const before = await takePicture(db, site.database);

    const again = await end(site, 20, ['resolve', '--retry', '--json']);

    assert.match(again.stderr, /migration 2 nice failed again/);
    assert.equal((JSON.parse(again.stdout) as Json)['error'].code, 'MIGRATION_FAILED');
    const now = await takePicture(db, site.database);
    assert.deepEqual({ ...now, history: '' }, { ...before, history: '' });
    assert.deepEqual(await successOf(db, 2), [0]);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('killed in its middle, one more up ends it', async (t) => {
    const { site, db } = await openNice(t);
    await makeRoom(db);
    const killed = await site.deploy(['resolve', '--retry'], {
      DEPLOY_FAIL_AT: 'apply.executed#1=kill',
    });
    assert.equal(killed.signal, 'SIGKILL');
    await end(site, 13, ['resolve', '--retry']);

    await end(site, 0, ['up']);

    assert.deepEqual(await successOf(db, 2), [1]);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

describe('a migration that is not critical and fails', () => {
  test('is tried again by the next run with other work, and left alone by one without', async (t) => {
    const { site, db } = await openNice(t);
    await makeRoom(db);
    await end(site, 0, ['up']);
    assert.deepEqual(await successOf(db, 2), [0]);
    await site.write({ '0.3.0/0003_more.up.sql': 'CREATE TABLE more (id INT PRIMARY KEY);\n' });

    await end(site, 0, ['up']);

    assert.deepEqual(await successOf(db, 2), [1]);
    assert.deepEqual(await successOf(db, 3), [1]);
  });

  for (const [what, down] of [
    ['has no down file', null],
    ['leaves another structure after its down file', 'ALTER TABLE purchase DROP INDEX once;\n'],
  ] as const) {
    test(`counts as critical when it ${what}: exit 20, put back`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openShop(site);
      const before = await takePicture(db, site.database);
      await site.write({ ...nice, '0.2.0/0002_nice.down.sql': down });

      const ended = await end(site, 20, ['up']);

      assert.match(ended.stderr, /MIGRATION_FAILED/);
      assert.deepEqual(await takePicture(db, site.database), before);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }

  test('killed while it is taken back, one more up leaves the version reached and it failed', async (t) => {
    for (const failAt of ['skip.begun', 'skip.taken-back']) {
      const site = await makeSite(t, server);
      const db = await openShop(site);
      await site.write(nice);
      const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: `${failAt}=kill` });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);

      await end(site, 0, ['up']);

      assert.deepEqual(await successOf(db, 2), [0], failAt);
      assert.equal((await db.query("SHOW TABLES LIKE 'nice'")).length, 0);
      assert.equal((await statusOf(site))['actual_db_version'], '0.2.0');
      assert.deepEqual(await findLeftovers(db, site), []);
    }
  });

  test('stays failed when a later migration fails and the database is accepted as it is', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({
      ...nice,
      '0.2.0/0003_strict.up.sql':
        'CREATE TABLE more (id INT);\nALTER TABLE customer ADD UNIQUE INDEX one_city (city);\n',
    });
    await end(site, 21, ['up'], { ON_FAILURE: 'stop' });

    await end(site, 0, ['resolve', '--accept', '--yes']);

    assert.deepEqual(await successOf(db, 2), [0]);
    assert.deepEqual(await successOf(db, 3), []);
  });

  test('is forgotten when its version is left by a rollback', async (t) => {
    const { site, db } = await openNice(t);

    await end(site, 0, ['rollback', '--to-version', '0.1.0', '--yes']);

    assert.equal((await statusOf(site))['actual_db_version'], '0.1.0');
    assert.deepEqual(await successOf(db, 2), []);
  });
});

describe('deploy resolve --accept-checksum', () => {
  const file = '0.1.0/0001_customers.up.sql';
  const textOf = (site: Site) => readFile(path.join(site.migrationsDir, file), 'utf8');

  test('shows what is known about the change, needs --yes, and makes the file count', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    await end(site, 0, ['up']);
    await site.write({ [file]: `${await textOf(site)}-- a remark\n` });
    assert.match((await end(site, 13, ['up'])).stderr, /deploy resolve --accept-checksum 1$/m);
    const before = await takePicture(db, site.database);
    await end(site, 13, ['resolve', '--accept-checksum', '1']);
    assert.deepEqual(await takePicture(db, site.database), before);

    const done = await end(site, 0, ['resolve', '--accept-checksum', '1', '--yes']);

    assert.match(
      done.stderr,
      /the contents differ\n(.*\n)*.*what the files make now: no difference/,
    );
    assert.match(done.stdout, /the checksum of migration 1 is that of its file now/);
    await end(site, 0, ['up']);
    // A backend that takes the last row for the version of the database still finds the same.
    const rows = await db.query<{ version: string }>(
      'SELECT version FROM schema_version ORDER BY id',
    );
    assert.deepEqual(
      rows.slice(-2).map(({ version }) => version),
      ['0.1.0', '0.2.0'],
    );
    await end(site, 0, ['resolve', '--accept-checksum', '1', '--yes']);
    assert.equal((await db.query('SELECT 1 FROM schema_version')).length, rows.length);
  });

  test('knows when the change is not in the database, and when only line endings differ', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const text = await textOf(site);
    await site.write({ [file]: text.replace('name VARCHAR(100)', 'name VARCHAR(200)') });
    const other = await end(site, 0, ['resolve', '--accept-checksum', '1', '--yes']);
    assert.match(other.stderr, /1 difference\n {12}table customer: column name/);
    await site.write({ [file]: text });
    const crlf = hash('sha256', text.replaceAll('\n', '\r\n'), 'hex');
    await db.run(`UPDATE schema_version SET checksum = '${crlf}'`);
    assert.match(
      (await end(site, 13, ['up'])).stderr,
      /other line endings, and nothing else differs/,
    );

    const done = await end(site, 0, ['resolve', '--accept-checksum', '1', '--yes']);

    assert.match(done.stderr, /only the line endings differ/);
    await end(site, 0, ['up']);
  });

  test('records a checksum where none was', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run('UPDATE schema_version SET checksum = NULL');
    assert.match((await end(site, 0, ['plan'])).stdout, /no checksum is recorded of migration 1/);

    await end(site, 0, ['resolve', '--accept-checksum', '1', '--yes']);

    assert.doesNotMatch((await end(site, 0, ['plan'])).stdout, /checksum/);
  });

  test('is refused for what is not applied, has no file, or moved to another version', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    assert.match(
      (await end(site, 13, ['resolve', '--accept-checksum', '2', '--yes'])).stderr,
      /is not applied/,
    );
    await end(site, 13, ['resolve', '--accept-checksum', '9', '--yes']);
    await db.run("UPDATE migration_history SET version = '0.0.9'");

    const moved = await end(site, 13, ['resolve', '--accept-checksum', '1', '--yes']);

    assert.match(moved.stderr, /was applied as one of 0\.0\.9/);
  });

  test('is refused while a run is not ended', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write(cities);
    await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.executed#2=kill' });

    const refused = await end(site, 13, ['resolve', '--accept-checksum', '1', '--yes']);

    assert.match(refused.stderr, /RUN_OPEN/);
  });
});
