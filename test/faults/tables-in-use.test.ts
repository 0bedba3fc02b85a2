import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { TABLE_WAIT_SECONDS } from '../../src/database/until-free.ts';
import { makeSite, type Running, until } from '../support/deploy.ts';
import { resume, untilPaused } from '../support/kill.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

/** Until the run has said so on stderr, `times` times. */
async function said(run: Running, words: RegExp, times = 1): Promise<void> {
  const all = new RegExp(words.source, 'g');
  await until(`the run says ${words}`, () => (run.stderr().match(all)?.length ?? 0) >= times);
}

/** A session of another program, in a transaction. */
async function hold(database: string, statement: string): Promise<Db> {
  const other = await server.connect(database);
  await other.run('START TRANSACTION');
  await other.query(statement);
  return other;
}

describe('a table that another session uses', () => {
  test('is waited for: the log names the session, and the run goes on when the table is free', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const other = await hold(site.database, 'SELECT * FROM customer LIMIT 1');

    const run = site.start(['up']);
    await said(run, /tables are in use by/);
    await other.run('COMMIT');
    const ended = await run.ended;

    assert.equal(ended.code, 0, ended.stderr);
    const who = `root from localhost \\(connection ${other.id}, idle in a transaction for \\d+ s\\)`;
    assert.match(ended.stderr, new RegExp(`tables are in use by ${who}: trying again`));
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('for too long ends the run: put back, with the session and how to end it in the failure text', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const isOld = await takePicture(db, site.database);
    const other = await hold(site.database, 'SELECT * FROM customer LIMIT 1');

    const run = site.start(['up'], { LOCK_WAIT_SECONDS: '1' });
    await said(run, /putting .* back/);
    // The swap of putting back needs the table, too, and bears with the session for longer.
    const before = run.stderr().match(/trying again/g)?.length ?? 0;
    await said(run, /trying again/, before + 1);
    await other.run('COMMIT');
    const ended = await run.ended;

    assert.equal(ended.code, 20, ended.stderr);
    assert.match(ended.stderr, /TABLES_IN_USE/);
    assert.match(ended.stderr, new RegExp(`root from localhost \\(connection ${other.id}, idle`));
    assert.match(ended.stderr, new RegExp(`KILL CONNECTION ${other.id};`));
    assert.deepEqual(await takePicture(db, site.database), isOld);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  for (const [what, file] of [
    ['a temporary table', 'CREATE TEMPORARY TABLE few AS SELECT id FROM customer WHERE id < 3'],
    ['a user variable', 'SET @few = (SELECT COUNT(*) FROM customer WHERE id < 3)'],
    [
      'a variable of the session',
      'SET group_concat_max_len = (SELECT 512 + COUNT(*) FROM customer)',
    ],
  ] as const) {
    test(`is waited for also when only ${what} is filled from it`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openShop(site);
      await site.write({
        '0.2.0/0002_few.up.sql': `${file};\nALTER TABLE purchase ADD few INT;\n`,
      });
      const run = site.start(['up'], { DEPLOY_FAIL_AT: 'run.changing=pause' });
      await untilPaused(run);
      const other = await server.connect(site.database);
      await other.run('LOCK TABLES customer WRITE');
      resume(run);
      // Longer than one statement waits for a table by itself (until-free.ts).
      const watcher = await server.connect();
      await until('it has waited for longer', async () => {
        const [row] = await watcher.query(`SELECT MAX(time) AS seconds
          FROM information_schema.processlist WHERE db = '${site.database}'
          AND state LIKE 'Waiting for table metadata lock%'`);
        const hasWaited = Number(row?.['seconds'] ?? 0) > TABLE_WAIT_SECONDS;
        return hasWaited || /trying again/.test(run.stderr()) || run.child.exitCode !== null;
      });
      await other.run('UNLOCK TABLES');
      const ended = await run.ended;

      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }

  test('in its rows: the whole transaction is repeated, and ids are those of an undisturbed run', async (t) => {
    const [site, quiet] = [await makeSite(t, server), await makeSite(t, server)];
    const [db, undisturbed] = [await openShop(site), await openShop(quiet)];
    const log = `CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100));
      INSERT INTO log (name) SELECT name FROM customer;
      INSERT INTO log (name) SELECT city FROM customer ORDER BY id;`;
    for (const each of [site, quiet]) await each.write({ '0.2.0/0002_log.up.sql': log });
    assert.equal((await quiet.deploy(['up'])).code, 0);

    const run = site.start(['up'], { DEPLOY_FAIL_AT: 'run.changing=pause' });
    await untilPaused(run);
    // The INSERT … SELECT of the migration has copied the rows before this one when it must wait.
    const other = await hold(site.database, 'SELECT * FROM customer WHERE id = 400 FOR UPDATE');
    resume(run);
    await said(run, /tables are in use by/);
    await other.run('COMMIT');
    const ended = await run.ended;

    assert.equal(ended.code, 0, ended.stderr);
    const ids = 'SELECT id, name FROM log ORDER BY id';
    assert.deepEqual(await db.query(ids), await undisturbed.query(ids));
    const journal = await db.query("SELECT * FROM deploy_journal WHERE state <> 'done'");
    assert.deepEqual(journal, []);
  });
});
