import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import { resume, untilPaused } from '../support/kill.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

test('databases with names of 64 characters that differ in the last one are deployed at once, one forward and one back', async (t) => {
  await openShop(await makeSite(t, server));
  const name = (last: string) => ({ database: `${'shop-'.repeat(12)}abc${last}` });
  const [forward, back] = [
    await makeSite(t, server, {}, name('1')),
    await makeSite(t, server, {}, name('2')),
  ];
  const [db, other] = [await openShop(forward), await openShop(back)];
  await forward.write(cities);
  await back.write(citiesThatFail);
  const isOld = await takePicture(other, back.database);

  const [done, failed] = await Promise.all([forward.deploy(['up']), back.deploy(['up'])]);

  assert.equal(forward.database.length, 64);
  assert.equal(done.code, 0, done.stderr);
  assert.equal(failed.code, 20, failed.stderr);
  assert.doesNotMatch(done.stderr + failed.stderr, /waiting for the deploy lock/);
  assert.deepEqual(await takePicture(other, back.database), isOld);
  assert.deepEqual(await findLeftovers(db, forward), []);
  assert.deepEqual(await findLeftovers(other, back), []);
});

test('the connection with the lock, killed between two statements: exit 23, and the next up finishes', async (t) => {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await site.write(cities);
  const run = site.start(['up'], { DEPLOY_FAIL_AT: 'apply.executed#2=pause' });
  await untilPaused(run);
  const [holder] = await db.query('SELECT connection_id AS id FROM deploy_lock WHERE id = 1');
  await db.run(`KILL CONNECTION ${holder?.['id']}`);
  resume(run);
  const ended = await run.ended;

  const second = await site.deploy(['up']);

  assert.equal(ended.code, 23, ended.stderr);
  assert.match(ended.stderr, /\(CONNECTION_LOST, exit 23\)/);
  assert.equal(second.code, 0, second.stderr);
  assert.equal((await db.query('SELECT * FROM city')).length, 20);
  assert.deepEqual(await findLeftovers(db, site), []);
});

test('the lock, found to be another’s between two migrations: no statement more, exit 23, and the next up finishes', async (t) => {
  const site = await makeSite(t, server, {
    '1.0.0/0001_a.up.sql': 'CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n',
    '1.0.0/0002_b.up.sql': 'CREATE TABLE b (id int PRIMARY KEY);\nINSERT INTO b VALUES (1);\n',
  });
  const db = await site.connect();
  // The intent of the next CREATE is committed with the rows and the history of the one before.
  const run = site.start(['up'], { DEPLOY_FAIL_AT: 'apply.executed#3=pause' });
  await untilPaused(run);
  await db.run('UPDATE deploy_lock SET epoch = epoch + 1');
  resume(run);
  const ended = await run.ended;

  assert.equal(ended.code, 23, ended.stderr);
  assert.match(ended.stderr, /\(LOCK_LOST, exit 23\)/);
  assert.deepEqual(await db.query("SHOW TABLES LIKE 'b'"), []);
  const second = await site.deploy(['up']);
  assert.equal(second.code, 0, second.stderr);
  assert.equal((await db.query('SELECT * FROM b')).length, 1);
  assert.deepEqual(await findLeftovers(db, site), []);
});
