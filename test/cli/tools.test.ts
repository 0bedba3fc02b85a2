import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { resume, untilPaused } from '../support/kill.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop, shop } from '../support/shop.ts';

const server = await startTestServer({ after }, { tcp: 'loopback' });

describe('deploy status', () => {
  test('of a database that is as required: exit 0, with the names that others rely on', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);

    const ended = await site.deploy(['status', '--json'], { BACKEND_VERSION: '0.1.0' });

    assert.equal(ended.code, 0, ended.stderr);
    const status = JSON.parse(ended.stdout) as Json;
    assert.deepEqual(Object.keys(status), [
      ...['backend_version', 'required_db_version', 'actual_db_version', 'database_empty'],
      ...['compatible', 'migration_needed', 'compatibility_reason', 'applied', 'pending', 'failed'],
      ...['last_migration', 'unfinished_run', 'lock', 'last_backup', 'problems'],
    ]);
    assert.equal(status['compatibility_reason'], 'Database version matches required version');
    assert.deepEqual(status['applied'], [
      { number: 1, version: '0.1.0', description: 'customers and orders' },
    ]);
    assert.equal(status['last_migration'].number, 1);
    assert.match(
      (await site.deploy(['status'])).stdout,
      /Database version matches required version/,
    );
  });

  test('of one that is behind: exit 30; ahead: exit 31', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write(cities);

    const behind = await site.deploy(['status', '--json']);
    assert.equal(behind.code, 30);
    const status = JSON.parse(behind.stdout) as Json;
    assert.equal(status['compatibility_reason'], 'Database migration required: 0.1.0 → 0.2.0');
    assert.deepEqual(
      status['pending'].map((each: Json) => each['number']),
      [2],
    );

    assert.equal((await site.deploy(['up'])).code, 0);
    const ahead = await site.deploy(['status', '--json'], { REQUIRED_DB_VERSION: '0.1.0' });
    assert.equal(ahead.code, 31);
    assert.equal(
      (JSON.parse(ahead.stdout) as Json)['compatibility_reason'],
      'Backend too old for database version. Backend requires 0.1.0, database is 0.2.0',
    );
    assert.equal((await site.deploy(['up'], { REQUIRED_DB_VERSION: '0.1.0' })).code, 13);
  });

  test('says that the database is ahead when only a part of a newer version is there', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write(cities);
    assert.equal((await site.deploy(['up'])).code, 0);
    await site.write({ '0.2.0/0003_note.up.sql': 'ALTER TABLE customer ADD note TEXT;\n' });

    const ended = await site.deploy(['status', '--json'], { REQUIRED_DB_VERSION: '0.1.0' });

    assert.equal(ended.code, 31);
    const status = JSON.parse(ended.stdout) as Json;
    assert.deepEqual([status['actual_db_version'], status['compatible']], ['0.1.0', false]);
    assert.match(status['compatibility_reason'], /Backend requires 0\.1\.0, database is 0\.2\.0/);
    const refused = await site.deploy(['up'], { REQUIRED_DB_VERSION: '0.1.0' });
    assert.equal(refused.code, 13);
    assert.match(refused.stderr, /database is 0\.1\.0 and has migrations of 0\.2\.0/);
  });
});

describe('deploy plan', () => {
  test('prints every statement with its place, and changes nothing', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['plan']);

    assert.equal(ended.code, 30, ended.stderr);
    assert.match(
      ended.stdout,
      /0002_cities\.up\.sql:7 {2}ALTER TABLE customer DROP COLUMN city {2}\[removes or overwrites data\]/,
    );
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.equal((await site.deploy(['up', '--dry-run'])).stdout, ended.stdout);
    assert.equal(
      (JSON.parse((await site.deploy(['plan', '--json'])).stdout) as Json)['cycles'][0].migrations
        .length,
      1,
    );
  });
});

describe('deploy doctor', () => {
  test('passes where a run can start', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);

    const ended = await site.deploy(['doctor']);

    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /^ok +server +MariaDB 1/m);
  });

  test('prints the exact GRANTs that are missing: exit 13', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run(`CREATE USER doctor_weak IDENTIFIED BY 'pw'`);
    await db.run(`GRANT SELECT ON \`${site.database}\`.* TO doctor_weak`);

    const ended = await site.deploy(['doctor'], { DB_USER: 'doctor_weak', DB_PASSWORD: 'pw' });

    assert.equal(ended.code, 13, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /GRANT .* ON `test.*`\.\* TO/);
    assert.match(ended.stdout, /\\_deploy\\_%`\.\* TO/);
  });

  test('says which folder is not writable: exit 14, and still looks at the rest', async (t) => {
    const site = await makeSite(t, server, shop);

    const ended = await site.deploy(['doctor'], { BACKUP_DIR: '/proc/1' });

    assert.equal(ended.code, 14, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /^failed +backup folder/m);
    assert.match(ended.stdout, /^ok +scratch folder/m);
  });
});

describe('deploy unlock', () => {
  test('shows that the lock is free, or frees it from its holder with --yes', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    assert.match((await site.deploy(['unlock'])).stdout, /is free/);
    await site.write(cities);
    const run = site.start(['up'], { DEPLOY_FAIL_AT: 'apply.journalled#2=pause' });
    await untilPaused(run);
    assert.equal((await site.deploy(['unlock'])).code, 13);

    const freed = await site.deploy(['unlock', '--yes']);

    assert.equal(freed.code, 0, freed.stderr);
    assert.match(freed.stdout, /freed the deploy lock/);
    resume(run);
    assert.equal((await run.ended).code, 23);
    assert.equal((await site.deploy(['up'])).code, 0);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

describe('the fence', () => {
  test('keeps the application out during the run, lets it in afterwards, and stays closed after a kill until unfence', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run("CREATE USER shop_app@'%' IDENTIFIED BY 'pw'");
    await db.run(`GRANT ALL ON \`${site.database}\`.* TO shop_app@'%'`);
    await site.write(cities);
    const env = { FENCE: 'require', FENCE_USERS: 'shop_app' };
    const isLocked = async () => {
      const row = await db.one<{ locked: string | null }>(
        "SELECT JSON_VALUE(priv, '$.account_locked') AS locked FROM mysql.global_priv WHERE user = 'shop_app'",
      );
      return row!.locked === '1' || row!.locked === 'true';
    };

    const killed = await site.deploy(['up'], { ...env, DEPLOY_FAIL_AT: 'apply.executed#2=kill' });

    assert.equal(killed.signal, 'SIGKILL');
    assert.equal(await isLocked(), true);
    const opened = await site.deploy(['unfence', '--yes'], env);
    assert.equal(opened.code, 0, opened.stderr);
    assert.equal(await isLocked(), false);
    const ended = await site.deploy(['up'], env);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(await isLocked(), false);
    assert.match((await site.deploy(['unfence'])).stdout, /no account/);
  });

  test('is open again after every end of a run: done, stepwise, put back, failed before changes, rolled back', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run("CREATE USER shop_web@'%' IDENTIFIED BY 'pw'");
    await db.run(`GRANT ALL ON \`${site.database}\`.* TO shop_web@'%'`);
    const env = { FENCE: 'require', FENCE_USERS: 'shop_web', UPDATE_PATH: 'stepwise' };
    const isLocked = async () => {
      const row = await db.one<{ locked: string | null }>(
        "SELECT JSON_VALUE(priv, '$.account_locked') AS locked FROM mysql.global_priv WHERE user = 'shop_web'",
      );
      return row!.locked === '1' || row!.locked === 'true';
    };
    const end = async (code: number, args: string[], more: Record<string, string> = {}) => {
      const ended = await site.deploy(args, { ...env, ...more });
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, code === 13 ? /./ : /fencing the application out/);
      assert.equal(await isLocked(), false, `after exit ${code}`);
    };

    await site.write(citiesThatFail);
    await end(20, ['up']);
    await site.write({
      ...cities,
      '0.3.0/0003_more.up.sql': 'CREATE TABLE more (id INT PRIMARY KEY);\n',
      '0.3.0/0003_more.down.sql': 'DROP TABLE more;\n',
    });
    await end(1, ['up'], { DEPLOY_FAIL_AT: 'backup.dumped=throw' });
    await end(0, ['up']);
    await end(0, ['rollback', '--steps', '1', '--yes']);
  });

  test('refuses to fence out the account that deploy itself uses', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write(cities);

    const ended = await site.deploy(['up'], { FENCE: 'require', FENCE_USERS: 'root' });

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /CREATE USER/);
  });
});

describe('what needs no server', () => {
  test('version, help and help env', async (t) => {
    const site = await makeSite(t, server, shop);
    const nothing = {
      DB_HOST: undefined,
      DB_NAME: undefined,
      DB_USER: undefined,
      DB_PASSWORD: undefined,
    };

    assert.match((await site.deploy(['version'], nothing)).stdout, /^bamort-deploy \d/);
    assert.equal(
      (JSON.parse((await site.deploy(['version', '--json'], nothing)).stdout) as Json)['version'],
      '0.1.0',
    );
    assert.match((await site.deploy(['help'], nothing)).stdout, /Usage: deploy/);
    assert.match((await site.deploy(['help', 'env'], nothing)).stdout, /LOCK_WAIT_SECONDS/);
    for (const command of [['up'], ['rollback'], ['masterdata', 'import']]) {
      const { stdout } = await site.deploy([...command, '--help'], nothing);
      assert.match(
        stdout,
        /Exit codes:\n(.*\n)* +2 {2}wrong command line\n(.*\n)* +30 {2}.*--dry-run/,
      );
    }
    assert.equal((await site.deploy(['help', 'nonsense'], nothing)).code, 2);
    assert.equal((await site.deploy(['backup', 'list'], nothing)).code, 0);
  });
});
