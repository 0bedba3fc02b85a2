import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { findSuspects } from '../../src/run/loss.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { migrationOf } from '../support/facts.ts';
import type { Json } from '../support/json.ts';
import { findLeftovers, type Picture, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

const structureOf = (picture: Picture) =>
  Object.fromEntries(
    Object.entries(picture).filter(([key]) => !key.startsWith('values:') && key !== 'history'),
  );

async function openCities(t: { after(fn: () => Promise<void>): void }) {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  const atOne = await takePicture(db, site.database);
  await site.write(cities);
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  return { site, db, atOne, atTwo: await takePicture(db, site.database) };
}

const status = async (site: Site) =>
  JSON.parse((await site.deploy(['status', '--json'])).stdout) as Json;

describe('deploy rollback', () => {
  test('--steps 1 goes back with all rows, and up --forward goes forward again', async (t) => {
    const { site, db, atOne, atTwo } = await openCities(t);

    const back = await site.deploy(['rollback', '--steps', '1', '--yes', '--json']);

    assert.equal(back.code, 0, back.stderr);
    const picture = await takePicture(db, site.database);
    assert.deepEqual(structureOf(picture), structureOf(atOne));
    assert.equal(picture['values:customer'], atOne['values:customer']);
    assert.equal(picture['values:purchase'], atOne['values:purchase']);
    assert.equal((await status(site))['actual_db_version'], '0.1.0');
    const refused = await site.deploy(['up']);
    assert.equal(refused.code, 13);
    assert.match(refused.stderr, /ROLLED_BACK/);
    const forward = await site.deploy(['up', '--forward']);
    assert.equal(forward.code, 0, forward.stderr);
    assert.deepEqual(structureOf(await takePicture(db, site.database)), structureOf(atTwo));
    assert.equal((await site.deploy(['up'])).code, 0);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('--to-version goes back to that version', async (t) => {
    const { site, db, atOne } = await openCities(t);

    const back = await site.deploy(['rollback', '--to-version', '0.1.0', '--yes']);

    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual(structureOf(await takePicture(db, site.database)), structureOf(atOne));
  });

  test('rows that going back would lose are counted, and refused without --accept-data-loss', async (t) => {
    const { site, db, atOne } = await openCities(t);
    await db.run("INSERT INTO city (name) VALUES ('a city that nobody lives in')");
    const before = await takePicture(db, site.database);

    const refused = await site.deploy(['rollback', '--steps', '1', '--yes']);

    assert.equal(refused.code, 13);
    assert.match(refused.stderr, /DATA_LOSS/);
    assert.match(refused.stderr, /city/);
    assert.deepEqual(await takePicture(db, site.database), before);
    const accepted = await site.deploy(['rollback', '--steps', '1', '--yes', '--accept-data-loss']);
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.deepEqual(structureOf(await takePicture(db, site.database)), structureOf(atOne));
  });

  test('without a terminal and without --yes nothing happens: exit 13', async (t) => {
    const { site, db, atTwo } = await openCities(t);

    const ended = await site.deploy(['rollback', '--steps', '1']);

    assert.equal(ended.code, 13);
    assert.match(ended.stderr, /NOT_CONFIRMED/);
    assert.deepEqual(await takePicture(db, site.database), atTwo);
  });

  test('a migration without a down file cannot be taken back: exit 13', async (t) => {
    const { site } = await openCities(t);
    await site.write({ '0.2.0/0002_cities.down.sql': null });

    const ended = await site.deploy(['rollback', '--steps', '1', '--yes']);

    assert.equal(ended.code, 13);
    assert.match(ended.stderr, /NOT_REVERSIBLE/);
  });

  test('the plan says of each migration what going back does to it, counted', async (t) => {
    const { site, db } = await openCities(t);
    await site.write({
      '0.3.0/0003_notes.up.sql':
        'CREATE TABLE note (id INT PRIMARY KEY, text TEXT);\nALTER TABLE purchase MODIFY cents DECIMAL(20,4) NOT NULL;\n',
      '0.3.0/0003_notes.down.sql':
        'ALTER TABLE purchase MODIFY cents BIGINT NOT NULL;\nDROP TABLE note;\n',
    });
    const up = await site.deploy(['up'], { BACKEND_VERSION: '3.0.0' });
    assert.equal(up.code, 0, up.stderr);
    await db.run("INSERT INTO note VALUES (1, 'a'), (2, 'b')");
    const before = await takePicture(db, site.database);

    const plan = await site.deploy(['rollback', '--steps', '2', '--dry-run']);

    assert.equal(plan.code, 13, plan.stderr);
    assert.match(plan.stdout, /revert 0003 notes: .*\n(.*\n)*? +loses table note: 2 rows\n/);
    assert.match(plan.stdout, /revert 0002 cities: .*\n(.*\n)*? +without loss: /);
    const json = JSON.parse(
      (await site.deploy(['rollback', '--steps', '2', '--dry-run', '--json'])).stdout,
    ) as Json;
    assert.deepEqual(
      json['verdicts'].map(({ kind }: Json) => kind),
      ['loses', 'without loss'],
    );
    // The structure comes back from DECIMAL to BIGINT and forth; the values do not.
    await db.run('DELETE FROM note');
    await db.run('UPDATE purchase SET cents = cents + 0.5 WHERE id = 1');
    const digits = await site.deploy(['rollback', '--steps', '1', '--yes']);
    assert.equal(digits.code, 13, digits.stderr);
    assert.match(digits.stderr, /migration 3 notes would lose column purchase\.cents: 1000 values/);
    assert.notDeepEqual(await takePicture(db, site.database), before);
  });

  test('what a CALL takes away is seen by trying it on a copy, and refused', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run('CREATE PROCEDURE purge_orders() DELETE FROM purchase');
    await site.write({
      '0.2.0/0002_note.up.sql': 'CREATE TABLE note (id INT PRIMARY KEY);\n',
      '0.2.0/0002_note.down.sql': '--! rerunnable: true\nCALL purge_orders();\nDROP TABLE note;\n',
    });
    assert.equal((await site.deploy(['up'])).code, 0);
    const before = await takePicture(db, site.database);

    const refused = await site.deploy(['rollback', '--steps', '1', '--yes']);

    assert.equal(refused.code, 13, refused.stderr);
    assert.match(refused.stderr, /DATA_LOSS/);
    assert.match(refused.stderr, /migration 2 note would lose CALL: CALL purge_orders\(\)/);
    assert.deepEqual(await takePicture(db, site.database), before);
    // The same without rows to take away: tried, and nothing is lost.
    await db.run('DELETE FROM purchase');
    const plan = await site.deploy(['rollback', '--steps', '1', '--dry-run', '--json']);
    const [verdict] = (JSON.parse(plan.stdout) as Json)['verdicts'];
    assert.deepEqual([verdict.kind, verdict.tried], ['without loss', true], plan.stdout);
  });

  test('every statement that may hide what it does to rows is one to be tried', async (t) => {
    const site = await makeSite(t, server);
    const db = await site.connect();
    await db.run('CREATE TABLE note (id INT)');
    const down = `INSERT INTO note VALUES (1);
SELECT 1;
EXECUTE IMMEDIATE 'DELETE FROM note';
DELIMITER //
BEGIN NOT ATOMIC DELETE FROM note; END//
DELIMITER ;
CREATE INDEX by_id ON note (id);
`;
    const migrations = [migrationOf(2, '0.2.0', 'SELECT 1;', { down })];
    const found = async () =>
      (await findSuspects(db, migrations)).map(({ statement }) => statement?.classification.verb);

    assert.deepEqual(await found(), ['EXECUTE', 'BEGIN']);
    await db.run('CREATE TRIGGER noted AFTER INSERT ON note FOR EACH ROW SET @noted = 1');
    assert.deepEqual(await found(), ['INSERT', 'EXECUTE', 'BEGIN']);
    await db.run('CREATE FUNCTION purged() RETURNS INT BEGIN DELETE FROM note; RETURN 1; END');
    assert.deepEqual(await found(), ['INSERT', 'SELECT', 'EXECUTE', 'BEGIN']);
  });

  test('nothing is said to have been tried where nothing was', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write({
      '0.2.0/0002_note.up.sql': 'CREATE TABLE note (id INT PRIMARY KEY);\n',
      '0.2.0/0002_note.down.sql': 'DROP TABLE note;\n',
    });
    assert.equal((await site.deploy(['up'])).code, 0);

    const plan = await site.deploy(['rollback', '--steps', '1', '--dry-run']);

    assert.match(
      plan.stdout,
      /without loss: it overwrites no rows, and what it removes holds none/,
    );
    assert.doesNotMatch(plan.stdout, /on a copy/);
  });

  test('names the proven set of the state before what cannot be taken back, or says that there is none', async (t) => {
    const { site, db, atOne } = await openCities(t);
    await site.write({ '0.2.0/0002_cities.down.sql': null });

    const plan = await site.deploy(['rollback', '--steps', '1', '--dry-run']);

    assert.equal(plan.code, 13, plan.stderr);
    assert.match(plan.stdout, /not reversible: it has no down file/);
    const [, name] = /deploy restore --backup (backup_\d+_\d+)/.exec(plan.stdout) ?? [];
    const restored = await site.deploy(['restore', '--backup', name!, '--yes']);
    assert.equal(restored.code, 0, restored.stderr);
    assert.deepEqual(await takePicture(db, site.database), atOne);
    const none = await site.deploy(['rollback', '--steps', '1', '--dry-run'], {
      BACKUP_DIR: `${site.dir}/empty`,
    });
    assert.doesNotMatch(none.stdout, /deploy restore --backup backup_/);
  });

  test('prints the RELEASE to set and the commands that stop and start the backend', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run("UPDATE schema_version SET backend_version = '1.0.7'");
    await site.write(cities);
    const env = { BACKEND_VERSION: '2.0.0' };
    assert.equal((await site.deploy(['up'], env)).code, 0);

    const plan = await site.deploy(['rollback', '--steps', '1', '--dry-run'], env);
    const back = await site.deploy(['rollback', '--steps', '1', '--yes'], env);

    const commands =
      /docker compose stop backend\n.*set RELEASE=1\.0\.7 in \.env, then: docker compose up -d --no-build$/m;
    assert.match(plan.stdout, commands);
    assert.equal(back.code, 0, back.stderr);
    assert.match(back.stdout, commands);
    // The row that a revert appends speaks of the version that it goes back to.
    assert.deepEqual(
      (
        await db.query<{ b: string }>('SELECT backend_version AS b FROM schema_version ORDER BY id')
      ).map(({ b }) => b),
      ['1.0.7', '2.0.0', '1.0.7'],
    );
  });

  test('after an up that did not end, ends that first and takes nothing back that nobody has seen', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const atOne = await takePicture(db, site.database);
    await site.write(cities);
    const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.executed#4=kill' });
    assert.equal(killed.signal, 'SIGKILL');
    // Corrected meanwhile: the run is not gone on with, but put back.
    const file = '0.2.0/0002_cities.up.sql';
    await site.write({ [file]: `${cities[file]}ALTER TABLE city ADD zip CHAR(5);\n` });
    const rollback = ['rollback', '--steps', '1', '--yes', '--accept-data-loss'];

    const plan = await site.deploy(['rollback', '--steps', '1', '--dry-run']);
    const first = await site.deploy(rollback);

    assert.equal(plan.code, 30, plan.stderr);
    assert.match(
      plan.stdout,
      /run \S+ is not ended \(changing\): it is finished or put back first/,
    );
    assert.doesNotMatch(plan.stdout, /0001/);
    assert.equal(first.code, 13, first.stderr);
    assert.match(first.stderr, /NOT_CONFIRMED/);
    assert.match(first.stderr, /a run that had not ended was ended first/);
    assert.match(first.stderr, /is at 0\.1\.0/);
    assert.deepEqual(await takePicture(db, site.database), atOne);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('to the middle of a version no release is named, but how the rest goes and comes', async (t) => {
    const { site } = await openCities(t);
    await site.write({
      '0.3.0/0003_note.up.sql': 'CREATE TABLE note (id INT PRIMARY KEY);\n',
      '0.3.0/0003_note.down.sql': 'DROP TABLE note;\n',
      '0.3.0/0004_memo.up.sql': 'CREATE TABLE memo (id INT PRIMARY KEY);\n',
      '0.3.0/0004_memo.down.sql': 'DROP TABLE memo;\n',
    });
    assert.equal((await site.deploy(['up'])).code, 0);
    const next =
      /a part of 0\.3\.0 stays applied, .*deploy rollback --steps 1 .*deploy up --forward/;

    const plan = await site.deploy(['rollback', '--steps', '1', '--dry-run']);
    const back = await site.deploy(['rollback', '--steps', '1', '--yes']);
    const rest = await site.deploy(['rollback', '--steps', '1', '--yes']);

    assert.match(plan.stdout, next);
    assert.doesNotMatch(plan.stdout, /RELEASE=/);
    assert.equal(back.code, 0, back.stderr);
    assert.match(back.stdout, next);
    assert.doesNotMatch(back.stdout, /RELEASE=/);
    assert.equal(rest.code, 0, rest.stderr);
    assert.match(rest.stdout, /set RELEASE=0\.2\.0 in \.env/);
  });

  test('a target that does not lie behind is refused: exit 13; a wrong command line: exit 2', async (t) => {
    const { site } = await openCities(t);

    assert.equal((await site.deploy(['rollback', '--to-version', '0.9.0', '--yes'])).code, 13);
    assert.equal((await site.deploy(['rollback', '--steps', '9', '--yes'])).code, 13);
    for (const steps of ['two', '0', '-1', '1.5', '0x1', ''])
      assert.equal((await site.deploy(['rollback', '--steps', steps, '--yes'])).code, 2, steps);
    assert.equal((await site.deploy(['rollback', '--yes'])).code, 2);
    assert.equal((await site.deploy(['rollbak'])).code, 2);
  });

  test('killed half-way and repeated goes back once, not twice', async (t) => {
    const { site, db, atOne } = await openCities(t);
    const killed = await site.deploy(['rollback', '--steps', '1', '--yes'], {
      DEPLOY_FAIL_AT: 'apply.executed#4=kill',
    });
    assert.equal(killed.signal, 'SIGKILL');

    const repeated = await site.deploy(['rollback', '--steps', '1', '--yes', '--json']);

    assert.equal(repeated.code, 0, repeated.stderr);
    assert.equal((JSON.parse(repeated.stdout) as Json)['database'].after, '0.1.0');
    assert.deepEqual(structureOf(await takePicture(db, site.database)), structureOf(atOne));
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('killed half-way: one more up ends it, and then refuses to go forward', async (t) => {
    const { site, db, atOne } = await openCities(t);
    const killed = await site.deploy(['rollback', '--steps', '1', '--yes'], {
      DEPLOY_FAIL_AT: 'apply.executed#4=kill',
    });
    assert.equal(killed.signal, 'SIGKILL');

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 13, ended.stderr);
    assert.deepEqual(structureOf(await takePicture(db, site.database)), structureOf(atOne));
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

describe('deploy restore', () => {
  test('brings the database back to a set, rows and history, and up --forward goes on', async (t) => {
    const { site, db, atOne, atTwo } = await openCities(t);
    const sets = JSON.parse((await site.deploy(['backup', 'list', '--json'])).stdout) as {
      name: string;
      version: string | null;
      rows: number;
    }[];
    const set = sets.find(({ version, rows }) => version === '0.1.0' && rows > 1000)!;

    const back = await site.deploy(['restore', '--backup', set.name, '--yes']);

    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual(await takePicture(db, site.database), atOne);
    assert.equal((await site.deploy(['up'])).code, 13);
    assert.equal((await site.deploy(['up', '--forward'])).code, 0);
    assert.deepEqual(await takePicture(db, site.database), atTwo);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('without a confirmation it says how many rows would change, and changes nothing: exit 13', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const created = JSON.parse((await site.deploy(['backup', 'create', '--json'])).stdout) as Json;
    const set = created['backup'].name as string;
    await db.run("INSERT INTO customer (name) VALUES ('new'), ('newer')");
    await db.run('DELETE FROM purchase WHERE customer_id = 1');
    await db.run('UPDATE purchase SET cents = cents + 1 WHERE customer_id BETWEEN 2 AND 6');
    const before = await takePicture(db, site.database);

    const asked = await site.deploy(['restore', '--backup', set, '--json']);

    assert.equal(asked.code, 13, asked.stderr);
    assert.match(
      asked.stderr,
      /customer: 2 rows only in the database, 0 only in the backup, 0 differ/,
    );
    assert.match(
      asked.stderr,
      /purchase: 0 rows only in the database, 2 only in the backup, 10 differ/,
    );
    const report = JSON.parse(asked.stdout.trim()) as Json;
    const rows = (table: string): Json =>
      report['row_differences'].find((each: Json) => each['table'] === table);
    assert.deepEqual(rows('purchase'), {
      ...{ table: 'purchase', key: ['id'], live_rows: 998, backup_rows: 1000 },
      ...{ only_live: 0, only_backup: 2, differing: 10 },
    });
    assert.equal(rows('customer')['only_live'], 2);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
    const done = await site.deploy(['restore', '--backup', set, '--yes', '--json']);
    assert.equal(done.code, 0, done.stderr);
    assert.equal((JSON.parse(done.stdout.trim()) as Json)['row_differences'].length, 4);
  });

  test('killed before it was confirmed: the next up clears up, and the database is as before', async (t) => {
    const { site, db, atTwo } = await openCities(t);
    await db.run('CREATE SEQUENCE s');
    await db.run('CREATE TABLE numbered (id BIGINT DEFAULT NEXTVAL(s) PRIMARY KEY)');
    const created = JSON.parse((await site.deploy(['backup', 'create', '--json'])).stdout) as Json;
    await db.run('DROP TABLE numbered');
    await db.run('DROP SEQUENCE s');
    for (const point of ['restore.staging', 'restore.staged', 'restore.compared-staging']) {
      const killed = await site.deploy(
        ['restore', '--backup', created['backup'].name as string, '--yes'],
        { DEPLOY_FAIL_AT: `${point}=kill` },
      );
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);

      // With nothing else to do `up` takes no lock; a backup always does.
      const ended = await site.deploy(['up'], { BACKUP: 'always' });

      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(await takePicture(db, site.database), atTwo, point);
      assert.deepEqual(await findLeftovers(db, site), [], point);
    }
  });

  test('a set that does not exist is refused before anything: exit 15', async (t) => {
    const { site } = await openCities(t);

    assert.equal(
      (await site.deploy(['restore', '--backup', 'backup_20200101_000000', '--yes'])).code,
      15,
    );
  });

  for (const point of ['restore.before-swap', 'restore.triggers-dropped']) {
    test(`killed at ${point}: the next up ends it, but not over rows that were written since`, async (t) => {
      const { site, db, atOne } = await openCities(t);
      for (const name of ['first', 'second'])
        await db.run(`CREATE TRIGGER ${name} BEFORE INSERT ON city FOR EACH ROW SET NEW.id = 1`);
      const sets = JSON.parse((await site.deploy(['backup', 'list', '--json'])).stdout) as Json[];
      const set = sets.find(({ version, rows }) => version === '0.1.0' && rows > 1000)!['name'];
      const restore = ['restore', '--backup', set, '--yes'];
      const kill = { DEPLOY_FAIL_AT: `${point}=kill` };
      assert.equal((await site.deploy(restore, kill)).signal, 'SIGKILL');
      await db.run("INSERT INTO customer (name) VALUES ('late')");

      const stopped = await site.deploy(['up']);

      assert.equal(stopped.code, 20, stopped.stderr);
      assert.match(stopped.stderr, /table customer: 500 rows expected, 501 found/);
      assert.match(stopped.stderr, /as before: nothing was swapped in/);
      assert.match(stopped.stderr, new RegExp(`deploy restore --backup ${set}`));
      assert.deepEqual(await findLeftovers(db, site), []);
      const triggers = await db.query<{ Trigger: string }>('SHOW TRIGGERS');
      assert.deepEqual(
        triggers.map(({ Trigger }) => Trigger),
        ['first', 'second'],
      );
      assert.equal((await site.deploy(restore, kill)).signal, 'SIGKILL');
      assert.equal((await site.deploy(['up'])).code, 13);
      assert.deepEqual(await takePicture(db, site.database), atOne);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }

  test('killed after the swap: one more up ends it', async (t) => {
    const { site, db, atOne } = await openCities(t);
    const sets = JSON.parse((await site.deploy(['backup', 'list', '--json'])).stdout) as {
      name: string;
      version: string | null;
      rows: number;
    }[];
    const set = sets.find(({ version, rows }) => version === '0.1.0' && rows > 1000)!;
    const killed = await site.deploy(['restore', '--backup', set.name, '--yes'], {
      DEPLOY_FAIL_AT: 'restore.swapped=kill',
    });
    assert.equal(killed.signal, 'SIGKILL');

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 13, ended.stderr);
    assert.deepEqual(await takePicture(db, site.database), atOne);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});
