/** The tables that say what was applied, dropped or edited by hand: refused, with what to do. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { resume, untilPaused } from '../support/kill.ts';
import { findLeftovers, type Picture, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { cities, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

const third = { '0.3.0/0003_more.up.sql': "INSERT INTO city (name) VALUES ('Neustadt');\n" };

/** A shop at 0.2.0, brought there by this program, and with work to do. */
async function openCities(t: Cleanup): Promise<{ site: Site; db: Db; before: Picture }> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await site.write(cities);
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  await site.write(third);
  return { site, db, before: await takePicture(db, site.database) };
}

const edits: readonly (readonly [what: string, sql: readonly string[], text: RegExp])[] = [
  ['migration_history dropped', ['DROP TABLE migration_history'], /HISTORY_INCOMPLETE/],
  [
    'schema_version dropped',
    ['DROP TABLE schema_version'],
    /schema_version is missing(.*\n)*.*runbook/,
  ],
  [
    'a row of migration_history deleted',
    ['DELETE FROM migration_history WHERE migration_number = 2'],
    /migration 2 cities was applied by run \S+, and its row is gone(.*\n)*.*INSERT INTO migration_history/,
  ],
  ['all rows of migration_history deleted', ['DELETE FROM migration_history'], /its row is gone/],
  [
    'deploy_run dropped',
    ['DROP TABLE deploy_run'],
    /deploy_journal knows runs that deploy_run does not(.*\n)*.*deploy schema diff/,
  ],
  [
    'a row of deploy_run deleted',
    ['DELETE FROM deploy_run ORDER BY id DESC LIMIT 1'],
    /deploy_journal knows runs/,
  ],
  [
    'a state of deploy_run that is none',
    ["UPDATE deploy_run SET state = 'nonsense' ORDER BY id DESC LIMIT 1"],
    /unknown value in state(.*\n)*.*UPDATE deploy_run SET state =/,
  ],
  [
    'two runs of deploy_run open',
    [
      "UPDATE deploy_run SET state = 'changing'",
      "INSERT INTO deploy_run (run_id, epoch, plan_digest, mode, direction, state, plan, fenced_accounts, disabled_events, started_at) SELECT 'second', epoch, plan_digest, mode, direction, state, plan, fenced_accounts, disabled_events, started_at FROM deploy_run LIMIT 1",
    ],
    /more than one open run(.*\n)*.*UPDATE deploy_run SET state = 'closed'/,
  ],
];

/** The tables that the edits change, kept in another schema so that each edit finds them whole. */
const kept = ['migration_history', 'schema_version', 'deploy_run', 'deploy_journal'];

async function keepTables(db: Db, database: string): Promise<() => Promise<void>> {
  const copy = `${database}_kept`;
  await db.run(`CREATE DATABASE ${copy}`);
  const copyAll = async (from: string, to: string) => {
    for (const table of kept) {
      await db.run(`DROP TABLE IF EXISTS ${to}.${table}`);
      await db.run(`CREATE TABLE ${to}.${table} LIKE ${from}.${table}`);
      await db.run(`INSERT INTO ${to}.${table} SELECT * FROM ${from}.${table}`);
    }
  };
  await copyAll(database, copy);
  return () => copyAll(copy, database);
}

describe('edited by hand while no run is at work', () => {
  test('is refused with what to do, and nothing is touched, whatever was edited', async (t) => {
    const { site, db } = await openCities(t);
    const bringBack = await keepTables(db, site.database);
    for (const [what, statements, text] of edits) {
      for (const statement of statements) await db.run(statement);
      const edited = await takePicture(db, site.database);

      const ended = await site.deploy(['up']);

      assert.equal(ended.code, 13, `${what}: ${ended.stderr}`);
      assert.match(ended.stderr, text, what);
      assert.deepEqual(await takePicture(db, site.database), edited, what);
      await bringBack();
    }
    assert.equal((await site.deploy(['up'])).code, 0, 'when everything is as it was');
  });

  test('the INSERT that the text prints brings the row back: then the run goes on', async (t) => {
    const { site, db } = await openCities(t);
    await db.run('DELETE FROM migration_history WHERE migration_number = 2');
    const refused = await site.deploy(['up']);
    const [insert] = /INSERT INTO migration_history .*;/.exec(refused.stderr)!;
    await db.run(insert);

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((await db.query("SELECT 1 FROM city WHERE name = 'Neustadt'")).length, 1);
  });

  for (const statement of [
    'DROP TABLE deploy_lock',
    'DELETE FROM deploy_lock',
    'DELETE FROM deploy_lock WHERE id = 2',
    'UPDATE deploy_lock SET epoch = 9000',
    'DROP TABLE deploy_journal',
  ]) {
    test(`${statement} costs nothing: it is made again, and the run works`, async (t) => {
      const { site, db } = await openCities(t);
      await db.run(statement);

      const ended = await site.deploy(['up']);

      assert.equal(ended.code, 0, ended.stderr);
      assert.equal((await db.query("SELECT 1 FROM city WHERE name = 'Neustadt'")).length, 1);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }
});

describe('edited by hand while a run is at work', () => {
  for (const statement of [
    'DROP TABLE deploy_lock',
    'DELETE FROM deploy_lock',
    'UPDATE deploy_lock SET epoch = epoch + 1 WHERE id = 1',
  ]) {
    test(`${statement}: the run writes nothing more and exits 23, the next up ends it`, async (t) => {
      const { site, db } = await openCities(t);
      const run = site.start(['up'], { DEPLOY_FAIL_AT: 'run.changing=pause' });
      await untilPaused(run);
      await db.run(statement);
      resume(run);

      const ended = await run.ended;

      assert.equal(ended.code, 23, ended.stderr);
      assert.equal((await db.query("SELECT 1 FROM city WHERE name = 'Neustadt'")).length, 0);
      const next = await site.deploy(['up']);
      assert.equal(next.code, 0, next.stderr);
      assert.equal((await db.query("SELECT 1 FROM city WHERE name = 'Neustadt'")).length, 1);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }
});

describe('edited by hand while a run is cut off', () => {
  const cutOff = async (t: Cleanup) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    // The ALTER of statement 3 has an intent, and did not take effect.
    const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.journalled#3=kill' });
    assert.equal(killed.signal, 'SIGKILL');
    return { site, db };
  };

  for (const [statement, text, wayOn] of [
    [
      'ALTER TABLE deploy_journal ENGINE=MyISAM',
      /engine MyISAM, which cannot roll back/,
      'ALTER TABLE deploy_journal ENGINE=InnoDB',
    ],
    ['ALTER TABLE deploy_run ENGINE=Aria', /engine Aria/, 'ALTER TABLE deploy_run ENGINE=InnoDB'],
    [
      'ALTER TABLE deploy_journal DROP COLUMN hash',
      /deploy_journal has no column hash/,
      'DROP TABLE deploy_journal',
    ],
    [
      "UPDATE deploy_run SET state = 'locked' ORDER BY id DESC LIMIT 1",
      /has changed nothing, and deploy_journal has what it did/,
      "UPDATE deploy_run SET state = 'changing' WHERE state = 'locked'",
    ],
  ] as const) {
    test(`${statement}: refused as long as it is so, with what to do, and then ended`, async (t) => {
      const { site, db } = await cutOff(t);
      await db.run(statement);
      const edited = await takePicture(db, site.database);

      const refused = await site.deploy(['up']);

      assert.equal(refused.code, 13, refused.stderr);
      assert.match(refused.stderr, text);
      assert.match(refused.stderr, /is between 0\.1\.0 and 0\.2\.0/);
      assert.ok(refused.stderr.includes(wayOn.replace(/ WHERE.*/, '')), refused.stderr);
      assert.deepEqual(await takePicture(db, site.database), edited);
      await db.run(wayOn);
      const ended = await site.deploy(['up']);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal((await db.query('SELECT * FROM city')).length, 20);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }

  for (const statement of [
    "UPDATE deploy_journal SET counters = '{', table_ids = 'garbage'",
    "UPDATE deploy_journal SET state = 'x' WHERE state = 'intent'",
    "UPDATE deploy_journal SET hash = REPEAT('b', 64)",
    'UPDATE deploy_journal SET seq = seq + 100',
  ]) {
    test(`${statement}: the run is finished or put back, and done exactly once`, async (t) => {
      const { site, db } = await cutOff(t);
      await db.run(statement);

      const ended = await site.deploy(['up']);

      assert.equal(ended.code, 0, ended.stderr);
      const columns = await db.query("SHOW COLUMNS FROM customer LIKE 'city%'");
      assert.deepEqual(
        columns.map((column) => column['Field']),
        ['city_id'],
      );
      assert.equal((await db.query('SELECT * FROM city')).length, 20);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }

  for (const statement of [
    'DROP TABLE deploy_journal',
    'DELETE FROM deploy_journal WHERE seq = 0',
  ]) {
    test(`${statement}: no row is inserted twice`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openShop(site);
      const before = await takePicture(db, site.database);
      await site.write({
        '0.2.0/0002_rows.up.sql':
          "INSERT INTO customer (name) VALUES ('eins');\nINSERT INTO customer (name) VALUES ('zwei');\n",
      });
      const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.executed#2=kill' });
      assert.equal(killed.signal, 'SIGKILL');
      await db.run(`${statement}`);

      const ended = await site.deploy(['up']);

      assert.equal(ended.code, 0, ended.stderr);
      const rows = await db.query("SELECT name FROM customer WHERE name IN ('eins', 'zwei')");
      assert.equal(rows.length, 2);
      assert.notDeepEqual(await takePicture(db, site.database), before);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }
});
