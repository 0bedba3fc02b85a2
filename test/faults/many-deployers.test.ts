import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite, until } from '../support/deploy.ts';
import { resume, untilPaused, untilStopped } from '../support/kill.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop } from '../support/shop.ts';

const slowCities = {
  ...cities,
  '0.2.0/0003_slow.up.sql':
    'CREATE TABLE slow (id INT AUTO_INCREMENT PRIMARY KEY, at DATETIME(6));\nINSERT INTO slow (at) SELECT NOW(6) FROM customer WHERE id = 1 AND SLEEP(3) = 0;\n',
};

const server = await startTestServer({ after });

describe('ten deployers at once', () => {
  test('one works, the others wait and exit 0; each statement ran once', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(slowCities);

    const ended = await Promise.all(
      Array.from({ length: 10 }, () => site.deploy(['up', '--json'])),
    );

    assert.deepEqual(
      ended.map(({ code }) => code),
      Array.from({ length: 10 }, () => 0),
      ended.map(({ stderr }) => stderr).join('\n'),
    );
    const outcomes = ended.map(
      ({ stdout }) =>
        (JSON.parse(stdout) as { outcome: string; migrations: unknown[] }).migrations.length,
    );
    assert.equal(outcomes.filter((count) => count > 0).length, 1);
    assert.equal((await db.query('SELECT * FROM slow')).length, 1);
    assert.equal((await db.query('SELECT * FROM migration_history')).length, 3);
    assert.equal((await db.query("SELECT * FROM deploy_journal WHERE state <> 'done'")).length, 0);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('when the one fails, those that waited for the same plan fail as it did, without a try of their own', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({
      ...citiesThatFail,
      '0.2.0/0002_cities.up.sql': `INSERT INTO customer (name) SELECT 'x' FROM customer WHERE id = 1 AND SLEEP(3) = 0;\n${citiesThatFail['0.2.0/0002_cities.up.sql']!.replace(/^--!.*\n/, '')}`,
    });
    const before = await takePicture(db, site.database);

    const ended = await Promise.all(Array.from({ length: 3 }, () => site.deploy(['up'])));

    assert.deepEqual(
      ended.map(({ code }) => code),
      [20, 20, 20],
      ended.map(({ stderr }) => stderr).join('\n'),
    );
    assert.deepEqual(await takePicture(db, site.database), before);
    const runs = await db.query("SELECT * FROM deploy_run WHERE to_version = '0.2.0'");
    assert.equal(runs.length, 1);
  });
});

describe('a run that planned while another one was at work', () => {
  test('refuses nothing that the other did meanwhile: it waits, looks again, and exits 0', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    // It has read the history, and not yet the structure.
    const second = site.start(['up', '--json'], { DEPLOY_FAIL_AT: 'plan.inspected=pause' });
    await untilPaused(second);

    const first = await site.deploy(['up']);
    resume(second);
    const ended = await second.ended;

    assert.equal(first.code, 0, first.stderr);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((JSON.parse(ended.stdout) as { mode: string }).mode, 'nothing to do');
    assert.equal((await db.query('SELECT * FROM migration_history')).length, 2);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

describe('a run that was told to stop before it changed anything', () => {
  test('says nothing about the plan: who waited for it does the work', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const first = site.start(['up'], { DEPLOY_FAIL_AT: 'backup.begin=pause' });
    await untilPaused(first);
    const second = site.start(['up']);
    await until('the second waits', () => /waiting for the deploy lock/.test(second.stderr()));

    first.child.kill('SIGTERM');
    resume(first);
    const [stopped, ended] = await Promise.all([first.ended, second.ended]);

    assert.equal(stopped.code, 16, stopped.stderr);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((await db.query('SELECT * FROM city')).length, 20);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

describe('who waits in vain for a run that is half-way', () => {
  async function openHalfWay(t: Cleanup) {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const first = site.start(['up'], { DEPLOY_FAIL_AT: 'apply.journalled#3=pause' });
    await untilPaused(first);
    return { site, db, first };
  }
  const halfWay =
    /database +run \S+ is changing (\S+): \1 is between 0\.1\.0 and 0\.2\.0; the next up finishes this run/;

  test('is told so when the time is over, and changes nothing', async (t) => {
    const { site, db, first } = await openHalfWay(t);

    const late = await site.deploy(['up'], { LOCK_WAIT_SECONDS: '1' });
    const back = await site.deploy(['rollback', '--steps', '1', '--yes'], {
      LOCK_WAIT_SECONDS: '1',
    });
    const look = await site.deploy(['resolve']);
    resume(first);

    for (const { code, stderr } of [late, back, look]) {
      assert.equal(code, 11, stderr);
      assert.match(stderr, halfWay);
      assert.doesNotMatch(stderr, /not touched/);
    }
    assert.equal((await first.ended).code, 0);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('is told so when it is stopped', async (t) => {
    const { site, first } = await openHalfWay(t);
    const second = site.start(['up']);
    await until('the second waits', () => /waiting for the deploy lock/.test(second.stderr()));

    second.child.kill('SIGTERM');
    const stopped = await second.ended;
    resume(first);

    assert.equal(stopped.code, 16, stopped.stderr);
    assert.match(stopped.stderr, halfWay);
    assert.equal((await first.ended).code, 0);
  });
});

describe('a holder that is paused past its lease', () => {
  test('is taken over, and changes nothing when it wakes', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const sleeper = site.start(['up'], { DEPLOY_FAIL_AT: 'apply.journalled#3=stop' });
    await untilStopped(sleeper);

    const other = await site.deploy(['up']);
    const finished = await takePicture(db, site.database);
    sleeper.child.kill('SIGCONT');
    const woken = await sleeper.ended;

    assert.equal(other.code, 0, other.stderr);
    assert.equal(woken.code, 23, woken.stderr);
    assert.deepEqual(await takePicture(db, site.database), finished);
    assert.equal((await db.query('SELECT * FROM migration_history')).length, 2);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});
