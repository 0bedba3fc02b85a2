import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Running, type Site, until } from '../support/deploy.ts';
import { resume, untilPaused } from '../support/kill.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { inContainer } from '../support/processes.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

const GRACE = { STOP_GRACE_SECONDS: '1' };

const slow = (statement: string) => `CREATE TABLE one (id INT PRIMARY KEY);
CREATE TABLE two (id INT PRIMARY KEY);
${statement}
CREATE TABLE three (id INT PRIMARY KEY);
`;

/** Takes longer than the grace until `speedUp`. */
const slowInsert =
  "INSERT INTO two SELECT id FROM customer WHERE id = 1 AND SLEEP(IF(city = 'slow', 40, 0)) = 0;";
const speedUp = "UPDATE customer SET city = 'fast' WHERE id = 1";
const slowAlter = 'ALTER TABLE customer ADD COLUMN x INT DEFAULT 1, ALGORITHM=COPY;';

async function openSlowShop(t: Cleanup, statement: string): Promise<{ site: Site; db: Db }> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await db.run("UPDATE customer SET city = 'slow' WHERE id = 1");
  await site.write({ '0.2.0/0002_slow.up.sql': slow(statement) });
  return { site, db };
}

async function isRunning(db: Db, text: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM information_schema.processlist
     WHERE info LIKE '${text}%' AND db = DATABASE() AND id <> CONNECTION_ID()`,
  );
  return rows.length > 0;
}

const inStep = (db: Db, step: string) => async () => {
  const rows = await db.query('SELECT step FROM deploy_run ORDER BY id DESC LIMIT 1');
  return rows[0]?.['step'] === step;
};

/** Tells the run to stop, and gives how it ended. */
async function stop(run: Running) {
  run.child.kill('SIGTERM');
  return run.ended;
}

/** Whoever ends in an orderly way gives the lock back; a run whose working connection was killed cannot. */
async function assertLockGivenBack(db: Db): Promise<void> {
  const rows = await db.query('SELECT owner FROM deploy_lock WHERE id = 1');
  assert.deepEqual(rows, [{ owner: '' }]);
}

/** The next `up` finishes the run, and nothing is left of the one that was cut off. */
async function finishes(site: Site, db: Db, env: Record<string, string> = {}): Promise<void> {
  const ended = await site.deploy(['up'], env);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await findLeftovers(db, site), []);
}

describe('SIGTERM before anything was changed', () => {
  test('while tables are waited for, to back them up: exit 16', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const run = site.start(['up'], { ...GRACE, DEPLOY_FAIL_AT: 'backup.begin=pause' });
    const other = await server.connect(site.database);
    await untilPaused(run);
    await other.run('LOCK TABLES customer WRITE');
    resume(run);
    await until('the backup waits', () => isRunning(db, 'LOCK TABLES'));

    const ended = await stop(run);

    assert.equal(ended.code, 16, ended.stderr);
    assert.match(ended.stderr, /\(INTERRUPTED, exit 16\)/);
    await other.run('UNLOCK TABLES');
    await finishes(site, db);
  });
});

/** Sleeps where the statement is only tried; on the database itself it does nothing. */
const sleepsOn = (schema: string) =>
  `--! rerunnable: true\nCREATE TABLE one (id INT PRIMARY KEY);\nDO SLEEP(IF(DATABASE() = '${schema}', 600, 0));\n`;

/** Waits for the end of a run that would go on for ten minutes. */
async function stopsInTime(run: Running) {
  run.child.kill('SIGTERM');
  await until('the run ends', () => run.child.exitCode !== null, 60_000);
  return run.ended;
}

describe('SIGTERM while the scratch server works', () => {
  test('on the copy of the plan: exit 16', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({ '0.2.0/0002_one.up.sql': sleepsOn(site.database) });
    const run = site.start(['up', '--verbose'], GRACE);
    await until('the scratch server is there', () => /scratch server started/.test(run.stderr()));

    const ended = await stopsInTime(run);

    assert.equal(ended.code, 16, ended.stderr);
    assert.match(ended.stderr, /\(INTERRUPTED, exit 16\)/);
    await site.write({ '0.2.0/0002_one.up.sql': sleepsOn('') });
    await finishes(site, db);
  });

  test('on the copy of the command plan: exit 16', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write({ '0.2.0/0002_one.up.sql': sleepsOn(site.database) });
    const run = site.start(['plan', '--verbose'], GRACE);
    await until('the scratch server is there', () => /scratch server started/.test(run.stderr()));

    const ended = await stopsInTime(run);

    assert.equal(ended.code, 16, ended.stderr);
    assert.match(ended.stderr, /\(INTERRUPTED, exit 16\)/);
  });

  test('on the structure that the version must have: exit 23', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({ '0.2.0/0002_one.up.sql': sleepsOn('deploy_versions') });
    const run = site.start(['up'], { ...GRACE, VALIDATE: 'off' });
    await until('the safety net looks', inStep(db, 'reconcile'), 60_000);

    const ended = await stopsInTime(run);

    assert.equal(ended.code, 23, ended.stderr);
    assert.match(ended.stderr, /\(INTERRUPTED, exit 23\)/);
    await finishes(site, db, { VALIDATE: 'off', SAFETY_NET: 'off' });
  });
});

describe('SIGTERM after changes began', () => {
  test('in a transaction that would take long: undone, exit 23, and no statement is left on the server', async (t) => {
    const { site, db } = await openSlowShop(t, slowInsert);
    const run = site.start(['up'], GRACE);
    await until('the slow statement runs', () => isRunning(db, 'INSERT INTO two'));

    const ended = await stop(run);

    assert.equal(ended.code, 23, ended.stderr);
    assert.match(ended.stderr, /\(INTERRUPTED, exit 23\)/);
    // Not "the connection broke", after which nobody knows what became of the statement.
    assert.match(ended.stderr, /its statement was ended\n +what +.*\(1317 ER_QUERY_INTERRUPTED\)/);
    await assertLockGivenBack(db);
    assert.equal(await isRunning(db, 'INSERT INTO two'), false);
    assert.equal((await db.query('SELECT * FROM two')).length, 0);
    await db.run(speedUp);
    await finishes(site, db);
  });

  test('in an ALTER that waits for a table: undone, exit 23, and the next up runs it', async (t) => {
    const { site, db } = await openSlowShop(t, slowAlter);
    const other = await server.connect(site.database);
    await other.run('START TRANSACTION');
    await other.query('SELECT * FROM customer LIMIT 1');
    const run = site.start(['up'], GRACE);
    await until('the ALTER waits', () => isRunning(db, 'ALTER TABLE customer'));

    const ended = await stop(run);

    assert.equal(ended.code, 23, ended.stderr);
    assert.equal(await isRunning(db, 'ALTER TABLE customer'), false);
    await other.run('COMMIT');
    await finishes(site, db);
  });

  test('a second and a third signal change nothing', async (t) => {
    const { site, db } = await openSlowShop(t, slowInsert);
    const run = site.start(['up'], GRACE);
    await until('the slow statement runs', () => isRunning(db, 'INSERT INTO two'));

    run.child.kill('SIGTERM');
    await until('it has noticed', () => /told to stop/.test(run.stderr()));
    run.child.kill('SIGINT');
    const ended = await stop(run);

    assert.equal(ended.signal, null);
    assert.equal(ended.code, 23, ended.stderr);
    await db.run(speedUp);
    await finishes(site, db);
  });

  test('as process 1 of a container: the same', async (t) => {
    const { site, db } = await openSlowShop(t, slowInsert);
    const run = site.start(['up'], GRACE, inContainer);
    await until('the slow statement runs', () => isRunning(db, 'INSERT INTO two'));
    const children = `/proc/${run.child.pid}/task/${run.child.pid}/children`;
    const inner = Number((await readFile(children, 'utf8')).trim());

    process.kill(inner, 'SIGTERM');
    const ended = await run.ended;

    assert.equal(ended.code, 23, ended.stderr);
    assert.equal((await db.query('SELECT pid FROM deploy_lock WHERE id = 1'))[0]?.['pid'], '1');
    await db.run(speedUp);
    await finishes(site, db);
  });

  test('in the safety net: exit 23 as INTERRUPTED, whatever the step would call it', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run('ALTER TABLE customer DROP COLUMN city');
    await site.write({ '0.2.0/0002_one.up.sql': 'CREATE TABLE one (id INT PRIMARY KEY);\n' });
    const other = await server.connect(site.database);
    await other.run('START TRANSACTION');
    await other.query('SELECT * FROM customer LIMIT 1');
    const run = site.start(['up'], GRACE);
    await until('the addition waits', () => isRunning(db, 'ALTER TABLE `customer` ADD'));

    const ended = await stop(run);

    assert.equal(ended.code, 23, ended.stderr);
    assert.match(ended.stderr, /\(INTERRUPTED, exit 23\)/);
    await other.run('COMMIT');
    await finishes(site, db);
  });

  test('in the validation, which reads on a connection of its own: exit 23 within the grace', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const run = site.start(['up'], { ...GRACE, DEPLOY_FAIL_AT: 'run.synced=pause' });
    const other = await server.connect(site.database);
    await untilPaused(run);
    await other.run('LOCK TABLES purchase WRITE, customer WRITE');
    resume(run);
    await until('the validation waits', inStep(db, 'validate'));

    const ended = await stop(run);

    assert.equal(ended.code, 23, ended.stderr);
    assert.match(ended.stderr, /\(INTERRUPTED, exit 23\)/);
    await assertLockGivenBack(db);
    await other.run('UNLOCK TABLES');
    await finishes(site, db);
  });

  test('while the database is put back: exit 23, and the next up puts it back', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(citiesThatFail);
    const isOld = await takePicture(db, site.database);
    const other = await server.connect(site.database);
    const run = site.start(['up'], { ...GRACE, DEPLOY_FAIL_AT: 'restore.before-swap=pause' });
    await untilPaused(run);
    await other.run('START TRANSACTION');
    await other.query('SELECT * FROM purchase LIMIT 1');
    resume(run);
    await until('the swap waits', () => isRunning(db, 'SET STATEMENT'));

    const ended = await stop(run);
    await other.run('COMMIT');
    const second = await site.deploy(['up']);

    assert.equal(ended.code, 23, ended.stderr);
    assert.equal(second.code, 20, second.stderr);
    assert.deepEqual(await takePicture(db, site.database), isOld);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

test('a run killed with its container during its backup leaves no unfinished set to the next one', async (t) => {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await site.write(cities);
  // Not process 1 of its namespace, which no signal of its own can end.
  const env = { DEPLOY_FAIL_AT: 'backup.dumped=kill' };
  const killed = await site.start(['up'], env, [...inContainer, 'sh', '-c', '"$@"; exit $?', 'sh'])
    .ended;
  assert.equal(killed.code, 137, killed.stderr);
  const left = (await readdir(site.backupDir)).filter((name) => name.startsWith('.unfinished'));
  assert.equal(left.length, 1);

  await finishes(site, db);

  const now = await readdir(site.backupDir);
  assert.equal(now.includes(left[0]!), false);
});
