import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site, until } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { untilPaused } from '../support/kill.ts';
import { findLeftovers, type Picture, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

type Stopped = { readonly site: Site; readonly db: Db; readonly before: Picture };

/** A shop whose step to 0.2.0 failed on its last statement, and was left as it was (exit 21). */
async function openStopped(t: Cleanup): Promise<Stopped> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  const before = await takePicture(db, site.database);
  await site.write(citiesThatFail);
  const ended = await site.deploy(['up'], { ON_FAILURE: 'stop' });
  assert.equal(ended.code, 21, ended.stderr);
  return { site, db, before };
}

/** How a shop looks that went to 0.2.0 undisturbed. */
async function pictureOfCities(t: Cleanup): Promise<Picture> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await site.write(cities);
  assert.equal((await site.deploy(['up'])).code, 0);
  return takePicture(db, site.database);
}

const versionOf = async (site: Site) =>
  (JSON.parse((await site.deploy(['status', '--json'])).stdout) as Json)['actual_db_version'];

async function end(site: Site, code: number, args: string[], env: Record<string, string> = {}) {
  const ended = await site.deploy(['resolve', ...args], env);
  assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
  return ended;
}

async function kill(site: Site, args: string[], failAt: string) {
  const killed = await site.deploy(['resolve', ...args], { DEPLOY_FAIL_AT: `${failAt}=kill` });
  assert.equal(killed.signal, 'SIGKILL', `${failAt}: ${killed.stderr}`);
}

describe('deploy resolve, shown', () => {
  test('says how far the run got, what differs from before and from what was expected, and each way on', async (t) => {
    const { site, db } = await openStopped(t);
    const half = await takePicture(db, site.database);

    const shown = await end(site, 13, []);

    assert.match(shown.stdout, /\(update, 0\.1\.0 → 0\.2\.0\) did not end/);
    assert.match(shown.stdout, /statement 6 of migration 2 was begun, and its end is not recorded/);
    assert.match(
      shown.stdout,
      /that before the run: \d+ differences\n(.*\n)* {12}table city not expected/,
    );
    assert.match(
      shown.stdout,
      /was to make: 2 differences\n {12}table customer: index unique \(city_id\) expected, missing/,
    );
    assert.match(shown.stdout, /--continue +goes on at step 6 with the same files/);
    assert.match(shown.stdout, /--put-back +restores backup_\d+_\d+, taken .*DATA LOSS/);
    assert.match(shown.stdout, /--accept +leaves every table as it is/);
    const json = JSON.parse((await end(site, 13, ['--json', '--verbose'])).stdout) as Json;
    assert.equal(json['state'], 'changing');
    assert.equal(json['choices'].put_back.possible, true);
    assert.equal(json['differences_until_expected'].length, 2);
    assert.deepEqual(await takePicture(db, site.database), half);
  });

  test('0 when every run has ended; two wishes at once or a wrong one are a wrong command line', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);

    assert.match((await end(site, 0, [])).stdout, /there is nothing to decide/);
    assert.match((await end(site, 0, ['--put-back', '--yes'])).stdout, /nothing to decide/);
    await end(site, 2, ['--accept', '--put-back']);
    await end(site, 2, ['--retry', 'two']);
    await end(site, 2, ['--accept-checksum', '-1']);
    await end(site, 2, ['--continue', '--in-doubt', 'perhaps']);
  });

  test('refuses while another run is at work: exit 11, at once, naming it', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write(cities);
    const run = site.start(['up'], { DEPLOY_FAIL_AT: 'apply.journalled#2=pause' });
    await untilPaused(run);

    const refused = await end(site, 11, ['--put-back', '--yes']);

    assert.match(refused.stderr, /run \S+ is at work/);
    run.child.kill('SIGKILL');
    await run.ended;
  });
});

describe('deploy resolve --put-back', () => {
  test('needs --yes without a terminal, then leaves everything as before the run', async (t) => {
    const { site, db, before } = await openStopped(t);
    const half = await takePicture(db, site.database);

    const asked = await end(site, 13, ['--put-back']);

    assert.match(asked.stderr, /NOT_CONFIRMED/);
    assert.deepEqual(await takePicture(db, site.database), half);
    const done = await end(site, 0, ['--put-back', '--yes']);
    assert.match(done.stdout, /as before this run: restored from backup_/);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('killed in its middle, it can be resolved again', async (t) => {
    const { site, db, before } = await openStopped(t);
    await kill(site, ['--put-back', '--yes'], 'restore.swapped');

    const again = await end(site, 13, []);

    assert.match(again.stdout, /--continue +not possible: it is being put back already/);
    assert.match(again.stdout, /--accept +not possible/);
    await end(site, 0, ['--put-back', '--yes']);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('is not possible without its backup set: exit 13, and nothing is touched', async (t) => {
    const { site, db } = await openStopped(t);
    const half = await takePicture(db, site.database);
    await rename(site.backupDir, path.join(site.dir, 'gone'));

    const refused = await end(site, 13, ['--put-back', '--yes']);

    assert.match(refused.stderr, /CHOICE_REFUSED/);
    assert.match(refused.stderr, /backup set backup_\d+_\d+ cannot be read/);
    assert.match((await end(site, 13, [])).stdout, /before the run: not known/);
    assert.deepEqual(await takePicture(db, site.database), half);
  });

  test('is tried again after a put-back that failed: exit 22 before, as before the run after', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const before = await takePicture(db, site.database);
    await site.write(citiesThatFail);
    const stuck = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'put-back.begun=throw' });
    assert.equal(stuck.code, 22, stuck.stderr);
    assert.match(stuck.stderr, /deploy resolve shows what differs/);

    await end(site, 0, ['--put-back', '--yes']);

    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

describe('deploy resolve --continue', () => {
  test('goes on with the corrected file from the statement that failed, and repeats none', async (t) => {
    const wanted = await pictureOfCities(t);
    const { site, db } = await openStopped(t);
    await site.write(cities);

    const done = await end(site, 0, ['--continue', '--yes', '--json']);

    const report = JSON.parse(done.stdout) as Json;
    assert.deepEqual(
      report['migrations'].map((one: Json) => one['statements'].length),
      [1],
    );
    assert.equal(await versionOf(site), '0.2.0');
    assert.deepEqual(await takePicture(db, site.database), wanted);
    assert.deepEqual(await findLeftovers(db, site), []);
    assert.equal((await site.deploy(['up'])).code, 0);
  });

  test('killed at any moment, one more up with the same files ends it', async (t) => {
    const wanted = await pictureOfCities(t);
    for (const failAt of [
      'transaction.before-commit',
      'resolve.adopted',
      'apply.journalled',
      'run.changed',
    ]) {
      const { site, db } = await openStopped(t);
      await site.write(cities);
      await kill(site, ['--continue', '--yes'], failAt);

      const ended = await site.deploy(['up']);

      assert.equal(ended.code, 0, `${failAt}: ${ended.stderr}`);
      assert.deepEqual(await takePicture(db, site.database), wanted, failAt);
      assert.deepEqual(await findLeftovers(db, site), []);
    }
  });

  test('with the same files tries the statement again, and a second failure follows ON_FAILURE', async (t) => {
    const { site, db, before } = await openStopped(t);

    const again = await end(site, 21, ['--continue', '--yes'], { ON_FAILURE: 'stop' });

    assert.match(again.stderr, /failed on statement 6 of 6/);
    await end(site, 20, ['--continue', '--yes']);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('is refused when a statement that took effect has another text now', async (t) => {
    const { site, db } = await openStopped(t);
    const half = await takePicture(db, site.database);
    const text = cities['0.2.0/0002_cities.up.sql']!.replace('ORDER BY city', 'ORDER BY city DESC');
    await site.write({ '0.2.0/0002_cities.up.sql': text });

    const refused = await end(site, 13, ['--continue', '--yes']);

    assert.match(
      refused.stderr,
      /statement 2 of migration 2 took effect, and the file has another text/,
    );
    assert.deepEqual(await takePicture(db, site.database), half);
  });

  test('is refused when the corrected file fails on a copy of what was before, or its file is gone', async (t) => {
    const { site } = await openStopped(t);
    const file = '0.2.0/0002_cities.up.sql';
    await site.write({ [file]: cities[file]!.replace('DROP COLUMN city', 'DROP COLUMN town') });
    const unsound = await end(site, 13, ['--continue', '--yes']);
    assert.match(unsound.stderr, /failed on an empty copy .*town/);
    await site.write({ [file]: null, '0.2.0/0002_cities.down.sql': null });
    await site.write({ '0.2.0/0003_other.up.sql': 'CREATE TABLE other (id INT);\n' });

    const gone = await end(site, 13, ['--continue', '--yes']);

    assert.match(gone.stderr, /a migration of that run has no file in this image/);
  });

  test('a statement of which nobody can tell whether it took effect needs --in-doubt', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run('CREATE TABLE note (id INT PRIMARY KEY)');
    await site.write({
      '0.2.0/0002_note.up.sql': 'CREATE OR REPLACE TABLE note (id INT PRIMARY KEY);\n',
    });
    const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.executed#1=kill' });
    assert.equal(killed.signal, 'SIGKILL');

    const refused = await end(site, 13, ['--continue', '--yes']);

    assert.match(refused.stderr, /cannot be told; --in-doubt run or --in-doubt done/);
    await db.run('INSERT INTO note VALUES (7)');
    await end(site, 0, ['--continue', '--in-doubt', 'done', '--yes']);
    // Taken for done: it was not run again, which would have emptied the table.
    assert.equal((await db.query('SELECT id FROM note')).length, 1);
    assert.equal(await versionOf(site), '0.2.0');
  });

  test('what was said of a statement in doubt is kept when it is killed right after, with a corrected file too', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run('CREATE TABLE note (id INT PRIMARY KEY)');
    const file = '0.2.0/0002_note.up.sql';
    const text = 'CREATE OR REPLACE TABLE note (id INT PRIMARY KEY);\n';
    await site.write({ [file]: `${text}CREATE TABLE first (id INT);\n` });
    const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.executed#1=kill' });
    assert.equal(killed.signal, 'SIGKILL');
    await db.run('INSERT INTO note VALUES (7)');
    await site.write({ [file]: `${text}CREATE TABLE second (id INT);\n` });
    await kill(site, ['--continue', '--in-doubt', 'done', '--yes'], 'resolve.adopted');

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((await db.query('SELECT id FROM note')).length, 1);
    assert.equal((await db.query("SHOW TABLES LIKE 'second'")).length, 1);
  });
});

describe('going on with a run', () => {
  test('waits for a transaction that uses a table whose counter is set back', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'transaction.before-commit=kill' });
    assert.equal(killed.signal, 'SIGKILL', killed.stderr);
    await db.run('BEGIN');
    await db.query('SELECT id FROM city');
    const run = site.start(['up']);
    await until('it is in the way', () => run.stderr().includes('tables are in use by'));

    await db.run('COMMIT');

    const ended = await run.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

describe('the fence of a run that is resolved', () => {
  test('is closed again when a person had opened it to look', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run("CREATE USER shop_looker@'%' IDENTIFIED BY 'pw'");
    const env = { FENCE: 'require', FENCE_USERS: 'shop_looker' };
    const isLocked = async () => {
      const row = await db.one<{ locked: string | null }>(
        "SELECT JSON_VALUE(priv, '$.account_locked') AS locked FROM mysql.global_priv WHERE user = 'shop_looker'",
      );
      return row!.locked === '1' || row!.locked === 'true';
    };
    await site.write(citiesThatFail);
    assert.equal((await site.deploy(['up'], { ...env, ON_FAILURE: 'stop' })).code, 21);
    await site.write(cities);
    for (const [choice, failAt] of [
      ['--continue', 'resolve.adopted'],
      ['--put-back', 'put-back.begun'],
    ] as const) {
      assert.equal((await site.deploy(['unfence', '--yes'], env)).code, 0);
      assert.equal(await isLocked(), false);

      const more = { ...env, DEPLOY_FAIL_AT: `${failAt}=kill` };
      const killed = await site.deploy(['resolve', choice, '--yes'], more);

      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      assert.equal(await isLocked(), true, choice);
    }
    await end(site, 0, ['--put-back', '--yes'], env);
    assert.equal(await isLocked(), false);
  });
});

describe('deploy resolve --accept', () => {
  test('leaves the tables as they are, and a migration that took effect by half stays pending', async (t) => {
    const { site, db } = await openStopped(t);
    const half = await takePicture(db, site.database);

    const done = await end(site, 0, ['--accept', '--yes']);

    assert.match(done.stdout, /is at 0\.1\.0: taken as it is/);
    assert.match(done.stdout, /structure is not that after any migration of the run/);
    assert.deepEqual(await takePicture(db, site.database), half);
    assert.equal(await versionOf(site), '0.1.0');
    assert.deepEqual(await findLeftovers(db, site), []);
    assert.match((await site.deploy(['up'])).stderr, /MIGRATION_UNSOUND/);
  });

  test('records a migration that a person has finished by hand', async (t) => {
    const { site, db } = await openStopped(t);
    await db.run('UPDATE customer SET city_id = NULL');
    await db.run('ALTER TABLE customer ADD UNIQUE INDEX one_per_city (city_id)');
    const byHand = await takePicture(db, site.database);

    const done = await end(site, 0, ['--accept', '--yes']);

    assert.match(done.stdout, /is at 0\.2\.0: taken as it is/);
    const now = await takePicture(db, site.database);
    assert.deepEqual({ ...now, history: '' }, { ...byHand, history: '' });
    assert.equal(await versionOf(site), '0.2.0');
    assert.equal((await site.deploy(['up'])).code, 0);
    assert.equal((await site.deploy(['schema', 'diff'])).code, 0);
  });

  test('that fails puts nothing back: exit 21 before the history says it, 23 after, and accepting again ends it', async (t) => {
    for (const [failAt, code] of [
      ['resolve.recording', 21],
      ['resolve.recorded', 23],
    ] as const) {
      const { site, db } = await openStopped(t);
      const half = await takePicture(db, site.database);

      await end(site, code, ['--accept', '--yes'], { DEPLOY_FAIL_AT: `${failAt}=throw` });

      assert.deepEqual(await takePicture(db, site.database), half, failAt);
      await end(site, 0, ['--accept', '--yes']);
      assert.deepEqual(await takePicture(db, site.database), half, failAt);
    }
  });

  test('killed after the history is written, neither up nor --put-back brings the old tables: up only closes the run', async (t) => {
    const { site, db } = await openStopped(t);
    const half = await takePicture(db, site.database);
    await kill(site, ['--accept', '--yes'], 'resolve.recorded');
    const refused = await end(site, 13, ['--put-back', '--yes']);
    assert.match(refused.stderr, /taken as it is: --accept or the next up closes/);
    await end(site, 13, ['--continue', '--yes']);

    const ended = await site.deploy(['up']);

    assert.match(ended.stderr, /MIGRATION_UNSOUND/);
    assert.deepEqual(await takePicture(db, site.database), half);
    assert.match((await end(site, 0, [])).stdout, /nothing to decide/);
  });

  test('killed after the history is written, it can be accepted again', async (t) => {
    const { site, db } = await openStopped(t);
    await kill(site, ['--accept', '--yes'], 'resolve.recorded');

    const done = await end(site, 0, ['--accept', '--yes']);

    assert.match(done.stdout, /taken as it is/);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

describe('deploy resolve on a terminal', () => {
  /** `script` gives the program a terminal and hands on its exit code. */
  const answer = async (site: Site, text: string, args = '') => {
    const wrapper = ['sh', '-c', `printf '${text}\\n' | script -qec "$* ${args}" /dev/null`, 'sh'];
    return site.start(['resolve'], { TERM: 'dumb' }, wrapper).ended;
  };

  test('asks, does what is chosen, and nothing for another answer', async (t) => {
    const { site, db, before } = await openStopped(t);
    const half = await takePicture(db, site.database);

    const nothing = await answer(site, 'no');

    assert.equal(nothing.code, 13, nothing.stdout);
    assert.match(nothing.stdout, /Type continue, put-back, accept or nothing/);
    assert.match(nothing.stdout, /nothing was chosen/);
    assert.deepEqual(await takePicture(db, site.database), half);
    const chosen = await answer(site, 'put-back');
    assert.equal(chosen.code, 0, chosen.stdout);
    assert.deepEqual(await takePicture(db, site.database), before);
  });
});
