import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site, until } from '../support/deploy.ts';
import { readDoors } from '../support/fence.ts';
import { resume, untilPaused } from '../support/kill.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop } from '../support/shop.ts';

const server = await startTestServer({ after }, { args: ['--event-scheduler=ON'] });
const root = await server.connect();
for (const account of ["app@'%'", 'app@localhost', "app_locked@'%'"])
  await root.run(`CREATE USER ${account}`);
await root.run("ALTER USER app_locked@'%' ACCOUNT LOCK");

/** It fires no more while two pictures are taken. */
const REST =
  'ALTER EVENT ticking ON SCHEDULE EVERY 1 HOUR STARTS CURRENT_TIMESTAMP + INTERVAL 1 HOUR';
/** Locked and held by somebody else, before every run and after it. */
const byAdmin = ['account app_locked@% is locked', 'event elsewhere is held'];
const FENCE = { FENCE: 'require', FENCE_USERS: 'app,app_locked' };

/** A shop with an event that writes each second, one that is off, and one of a replica. */
async function openBusyShop(t: Cleanup): Promise<{ site: Site; db: Db }> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await db.run('CREATE TABLE tick (id INT AUTO_INCREMENT PRIMARY KEY)');
  await db.run(
    "CREATE EVENT ticking ON SCHEDULE EVERY 1 SECOND COMMENT 'DISABLE ON SLAVE' DO INSERT INTO tick VALUES ()",
  );
  await db.run('CREATE EVENT asleep ON SCHEDULE EVERY 1 HOUR DISABLE DO SELECT 1');
  await db.run('CREATE EVENT elsewhere ON SCHEDULE EVERY 1 HOUR DISABLE ON SLAVE DO SELECT 1');
  t.after(() => db.run('DROP EVENT IF EXISTS ticking').then(() => undefined));
  return { site, db };
}

async function countTicks(db: Db): Promise<number> {
  return Number((await db.one<{ n: string }>('SELECT COUNT(*) AS n FROM tick'))!.n);
}

describe('accounts and events', () => {
  test('are closed during the run and as before after it, and no event fires meanwhile', async (t) => {
    const { site, db } = await openBusyShop(t);
    await site.write(cities);
    const before = await readDoors(db, site.database);

    const run = site.start(['up'], { ...FENCE, DEPLOY_FAIL_AT: 'run.changing=pause' });
    await untilPaused(run);
    const during = await readDoors(db, site.database);
    const [first] = [await countTicks(db), await db.query('SELECT SLEEP(2.5)')];
    const second = await countTicks(db);
    resume(run);
    const ended = await run.ended;

    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(second, first, 'the event fired while the fence was closed');
    assert.deepEqual([during['app@%'], during['app@localhost']], ['1', '1']);
    assert.deepEqual(await readDoors(db, site.database), before);
    await until('the event fires again', async () => (await countTicks(db)) > second);
  });

  for (const point of ['fence.recorded', 'fence.closed', 'run.changed']) {
    test(`are as before when the run is killed at ${point} and one more up ended it`, async (t) => {
      const { site, db } = await openBusyShop(t);
      await site.write(cities);
      const before = await readDoors(db, site.database);

      const killed = await site.deploy(['up'], { ...FENCE, DEPLOY_FAIL_AT: `${point}=kill` });
      const ended = await site.deploy(['up'], FENCE);

      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(await readDoors(db, site.database), before);
      assert.deepEqual(await findLeftovers(db, site, byAdmin), []);
    });
  }

  for (const point of [null, 'put-back.begun', 'restore.events-created']) {
    const when = point === null ? '' : `, also when putting back was killed at ${point}`;
    test(`are as before when the run was put back${when}`, async (t) => {
      const { site, db } = await openBusyShop(t);
      await site.write(citiesThatFail);
      await db.run(REST);
      const picture = await takePicture(db, site.database);
      const before = await readDoors(db, site.database);

      if (point !== null) {
        const failAt = { DEPLOY_FAIL_AT: `${point}=kill` };
        assert.equal((await site.deploy(['up'], { ...FENCE, ...failAt })).signal, 'SIGKILL');
      }
      const ended = await site.deploy(['up'], FENCE);

      assert.equal(ended.code, 20, ended.stderr);
      assert.deepEqual(await readDoors(db, site.database), before);
      assert.deepEqual(await takePicture(db, site.database), picture);
      assert.deepEqual(await findLeftovers(db, site, byAdmin), []);
    });
  }

  test('are as the new version defines them, where it does', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const event = (name: string) => `CREATE EVENT ${name} ON SCHEDULE EVERY 1 HOUR DO SELECT 1;`;
    await site.write({
      '0.2.0/0002_events.up.sql': ['kept', 'ended', 'dropped'].map(event).join('\n'),
    });
    const first = await site.deploy(['up'], FENCE);
    await site.write({
      '0.3.0/0003_events.up.sql': `ALTER EVENT ended DISABLE;\nDROP EVENT dropped;\n${event('made')}\n`,
    });

    const ended = await site.deploy(['up'], FENCE);

    assert.equal(first.code, 0, first.stderr);
    assert.equal(ended.code, 0, ended.stderr);
    const doors = await readDoors(db, site.database);
    const states = ['kept', 'ended', 'dropped', 'made'].map((name) => doors[name]?.split(' ')[0]);
    assert.deepEqual(states, ['ENABLED', 'DISABLED', undefined, 'ENABLED']);
  });

  test('that were held while a set was taken are enabled in it: a restore brings them back firing', async (t) => {
    const { site, db } = await openBusyShop(t);
    await db.run(REST);
    await site.write(cities);
    const before = await readDoors(db, site.database);
    const ended = await site.deploy(['up', '--json'], FENCE);
    const { backup } = JSON.parse(ended.stdout) as { backup: { name: string } };
    await db.run('DROP EVENT ticking');

    const restored = await site.deploy(['restore', '--backup', backup.name, '--yes']);

    assert.equal(restored.code, 0, restored.stderr);
    assert.deepEqual(await readDoors(db, site.database), before);
  });

  test('that a person let in while a run was half-way are fenced out again by the up that ends it', async (t) => {
    const { site, db } = await openBusyShop(t);
    await site.write(cities);
    const before = await readDoors(db, site.database);
    await site.deploy(['up'], { ...FENCE, DEPLOY_FAIL_AT: 'apply.journalled#3=kill' });

    const unfenced = await site.deploy(['unfence', '--yes'], FENCE);
    const opened = await readDoors(db, site.database);
    const killed = await site.deploy(['up'], { ...FENCE, DEPLOY_FAIL_AT: 'fence.closed=kill' });
    const closed = await readDoors(db, site.database);
    const ended = await site.deploy(['up'], FENCE);

    assert.equal(unfenced.code, 0, unfenced.stderr);
    assert.match(unfenced.stdout, /app.*event ticking/);
    assert.deepEqual(opened, before);
    assert.equal(killed.signal, 'SIGKILL');
    assert.notDeepEqual(closed, before);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await readDoors(db, site.database), before);
  });
});

describe('the up that ends a half-way run', () => {
  async function openHalfWay(
    t: Cleanup,
  ): Promise<{ site: Site; db: Db; before: Record<string, string> }> {
    const { site, db } = await openBusyShop(t);
    await site.write(cities);
    const before = await readDoors(db, site.database);
    const cut = await site.deploy(['up'], { ...FENCE, DEPLOY_FAIL_AT: 'apply.journalled#3=kill' });
    assert.equal(cut.signal, 'SIGKILL', cut.stderr);
    return { site, db, before };
  }

  /** Everything is closed before `up` goes on, and as before when it has ended the run. */
  async function assertClosesAgain({ site, db, before }: Awaited<ReturnType<typeof openHalfWay>>) {
    const run = site.start(['up'], { ...FENCE, DEPLOY_FAIL_AT: 'fence.closed=pause' });
    await untilPaused(run);
    const during = await readDoors(db, site.database);
    resume(run);
    const ended = await run.ended;

    assert.deepEqual([during['app@%'], during['app@localhost']], ['1', '1']);
    assert.match(during['ticking']!, /^SLAVESIDE_DISABLED/);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await readDoors(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site, byAdmin), []);
  }

  test('closes what a killed up had recorded, and not closed', async (t) => {
    const shop = await openHalfWay(t);
    await shop.site.deploy(['unfence', '--yes'], FENCE);
    const failAt = { DEPLOY_FAIL_AT: 'fence.recorded=kill' };
    const killed = await shop.site.deploy(['up'], { ...FENCE, ...failAt });
    assert.equal(killed.signal, 'SIGKILL', killed.stderr);
    assert.deepEqual(await readDoors(shop.db, shop.site.database), shop.before);

    await assertClosesAgain(shop);
  });

  test('closes what an administrator has opened by hand', async (t) => {
    const shop = await openHalfWay(t);
    for (const account of ["app@'%'", 'app@localhost'])
      await root.run(`ALTER USER ${account} ACCOUNT UNLOCK`);
    await shop.db.run('ALTER EVENT ticking ENABLE');

    await assertClosesAgain(shop);
  });

  test('closes for an account that was made meanwhile, too', async (t) => {
    const shop = await openHalfWay(t);
    await root.run('CREATE USER app@127.0.0.1');
    t.after(() => root.run('DROP USER app@127.0.0.1').then(() => undefined));
    const before = await readDoors(shop.db, shop.site.database);

    const failAt = { DEPLOY_FAIL_AT: 'fence.closed=kill' };
    await shop.site.deploy(['up'], { ...FENCE, ...failAt });
    const during = await readDoors(shop.db, shop.site.database);
    const ended = await shop.site.deploy(['up'], FENCE);

    assert.equal(before['app@127.0.0.1'], '0');
    assert.equal(during['app@127.0.0.1'], '1');
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((await readDoors(shop.db, shop.site.database))['app@127.0.0.1'], '0');
  });

  test('ends it without an account that was dropped meanwhile', async (t) => {
    await root.run('CREATE USER app@192.0.2.1');
    t.after(() => root.run('DROP USER IF EXISTS app@192.0.2.1').then(() => undefined));
    const shop = await openHalfWay(t);
    await root.run('DROP USER app@192.0.2.1');
    const { 'app@192.0.2.1': gone, ...before } = shop.before;

    assert.equal(gone, '0');
    await assertClosesAgain({ ...shop, before });
  });

  test('closes for an account that an administrator had locked, and has let in since', async (t) => {
    const shop = await openHalfWay(t);
    t.after(() => root.run("ALTER USER app_locked@'%' ACCOUNT LOCK").then(() => undefined));
    await root.run("ALTER USER app_locked@'%' ACCOUNT UNLOCK");

    const run = shop.site.start(['up'], { ...FENCE, DEPLOY_FAIL_AT: 'fence.closed=pause' });
    await untilPaused(run);
    const during = await readDoors(shop.db, shop.site.database);
    resume(run);
    const ended = await run.ended;

    assert.equal(during['app_locked@%'], '1');
    assert.equal(ended.code, 0, ended.stderr);
    const after = await readDoors(shop.db, shop.site.database);
    assert.deepEqual(after, { ...shop.before, 'app_locked@%': '0' });
  });
});

describe('a run whose connection broke', () => {
  for (const point of ['fence.closed', 'backup.begin']) {
    test(`at ${point} says that the application is fenced out, and how it is let in`, async (t) => {
      const { site, db } = await openBusyShop(t);
      await site.write(cities);
      const before = await readDoors(db, site.database);
      const run = site.start(['up'], { ...FENCE, DEPLOY_FAIL_AT: `${point}=pause` });
      await untilPaused(run);
      const [holder] = await db.query('SELECT connection_id AS id FROM deploy_lock WHERE id = 1');

      await db.run(`KILL CONNECTION ${holder?.['id']}`);
      resume(run);
      const broken = await run.ended;
      const closed = await readDoors(db, site.database);
      const unfenced = await site.deploy(['unfence', '--yes'], FENCE);

      assert.equal(broken.code, 12, broken.stderr);
      assert.match(broken.stderr, /not touched; the application is fenced out, deploy unfence/);
      assert.equal(closed['app@%'], '1');
      assert.equal(unfenced.code, 0, unfenced.stderr);
      assert.deepEqual(await readDoors(db, site.database), before);
    });
  }
});

describe('without the right to close', () => {
  const account = { DB_USER: 'plain', FENCE_USERS: 'app' };

  async function openPlainShop(t: Cleanup): Promise<{ site: Site; db: Db }> {
    const opened = await openBusyShop(t);
    await root.run('CREATE USER IF NOT EXISTS plain@localhost');
    for (const pattern of [opened.site.database, `${opened.site.database}\\_deploy\\_%`])
      await root.run(`GRANT ALL ON \`${pattern}\`.* TO plain@localhost`);
    await opened.site.write(cities);
    return opened;
  }

  test('FENCE=require refuses before anything is done, with the GRANT for each right', async (t) => {
    const { site } = await openPlainShop(t);

    const ended = await site.deploy(['up'], { ...account, FENCE: 'require' });

    assert.equal(ended.code, 13, ended.stderr);
    for (const right of ['CREATE USER', 'CONNECTION ADMIN', 'PROCESS', 'SET USER'])
      assert.match(ended.stderr, new RegExp(`GRANT ${right} ON \\*\\.\\* TO 'plain'@'localhost'`));
  });

  test('FENCE=require refuses to go on with a half-way run, forward or back, and says where the database is', async (t) => {
    const { site, db } = await openPlainShop(t);
    for (const name of ['ticking', 'asleep', 'elsewhere']) await db.run(`DROP EVENT ${name}`);
    const failAt = { DEPLOY_FAIL_AT: 'apply.journalled#3=kill' };
    await site.deploy(['up'], { ...account, FENCE: 'off', ...failAt });
    const picture = await takePicture(db, site.database);
    const edited = {
      '0.2.0/0002_cities.up.sql': `${cities['0.2.0/0002_cities.up.sql']}SELECT 1;\n`,
    };

    const forward = await site.deploy(['up'], { ...account, FENCE: 'require' });
    const chosen = await site.deploy(['resolve', '--put-back', '--yes'], {
      ...{ ...account, FENCE: 'require' },
    });
    await site.write(edited);
    const back = await site.deploy(['up'], { ...account, FENCE: 'require' });
    const same = await takePicture(db, site.database);
    const ended = await site.deploy(['up'], { ...account, FENCE: 'off' });

    for (const refused of [forward, chosen, back]) {
      assert.equal(refused.code, 13, refused.stderr);
      assert.match(refused.stderr, /GRANT CREATE USER/);
      assert.match(refused.stderr, /database +\S+ is between 0\.1\.0 and 0\.2\.0/);
    }
    assert.deepEqual(same, picture);
    assert.equal(ended.code, 0, ended.stderr);
  });

  test('FENCE=require refuses a restore before it loads anything, and a rollback', async (t) => {
    const { site, db } = await openPlainShop(t);
    for (const name of ['ticking', 'asleep', 'elsewhere']) await db.run(`DROP EVENT ${name}`);
    const up = await site.deploy(['up', '--json'], { ...account, FENCE: 'off' });
    const { backup } = JSON.parse(up.stdout) as { backup: { name: string } };

    const restored = await site.deploy(['restore', '--backup', backup.name, '--yes'], {
      ...{ ...account, FENCE: 'require' },
    });
    const rolledBack = await site.deploy(['rollback', '--steps', '1', '--yes'], {
      ...{ ...account, FENCE: 'require' },
    });

    for (const { code, stderr } of [restored, rolledBack]) {
      assert.equal(code, 13, stderr);
      assert.match(stderr, /GRANT CREATE USER/);
      assert.match(stderr, /not touched/);
    }
    // Not even a run was opened, so nothing was loaded into a staging.
    const runs = await db.query(
      "SELECT run_id FROM deploy_run WHERE mode IN ('restore', 'rollback')",
    );
    assert.deepEqual(runs, []);
    assert.deepEqual(await findLeftovers(db, site, byAdmin), []);
  });

  test('a misspelt name of FENCE_USERS is refused by FENCE=require, and FENCE=warn says it', async (t) => {
    const { site } = await openBusyShop(t);
    await site.write(cities);
    const users = { FENCE_USERS: 'app,aqp' };

    const required = await site.deploy(['up'], { ...users, FENCE: 'require' });
    const warned = await site.deploy(['up'], { ...users, FENCE: 'warn' });

    assert.equal(required.code, 10, required.stderr);
    assert.match(required.stderr, /aqp/);
    assert.equal(warned.code, 0, warned.stderr);
    assert.match(warned.stdout, /FENCE_USERS names aqp/);
  });

  test('FENCE=warn goes on when the accounts cannot be kept out, and says which sessions there are', async (t) => {
    const { site, db } = await openPlainShop(t);
    for (const name of ['ticking', 'asleep', 'elsewhere']) await db.run(`DROP EVENT ${name}`);
    const before = await readDoors(db, site.database);
    await db.run('GRANT PROCESS ON *.* TO plain@localhost');
    t.after(() => db.run('REVOKE PROCESS ON *.* FROM plain@localhost').then(() => undefined));

    const ended = await site.deploy(['up'], { ...account, FENCE: 'warn' });

    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /not fenced out: session of root from localhost/);
    assert.deepEqual(await readDoors(db, site.database), before);
  });

  test('an event of another account that could not be put back is refused in the plan, also with FENCE=warn', async (t) => {
    const { site, db } = await openPlainShop(t);
    await db.run(REST);
    const before = await readDoors(db, site.database);

    const ended = await site.deploy(['up'], { ...account, FENCE: 'warn' });

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /objects of the backup run as root@localhost/);
    assert.match(ended.stderr, /GRANT SET USER ON/);
    assert.deepEqual(await readDoors(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site, byAdmin), []);
  });

  test('an account of FENCE_USERS that deploy itself uses is refused, with the CREATE USER to run', async (t) => {
    const { site } = await openPlainShop(t);

    const ended = await site.deploy(['up'], { ...FENCE, FENCE_USERS: 'app,root' });

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /CREATE USER 'deploy'@'%'/);
  });
});
