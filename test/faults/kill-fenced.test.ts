/** Kills of a run that keeps the application out, by an account that has no right of root. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connect, type Db } from '../../src/database/connect.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { openDepot } from '../support/depot.ts';
import { installFence, readDoors } from '../support/fence.ts';
import { tryKill } from '../support/kill.ts';
import { takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';

const server = await startTestServer({ after });
const root = await server.connect();
installFence(server);
await root.run("INSERT INTO deploy_fence.accounts VALUES ('app'), ('app_locked')");
for (const account of ["app@'%'", 'app@localhost', "app_locked@'%'", "stranger@'%'"])
  await root.run(`CREATE USER ${account}`);
await root.run("ALTER USER app_locked@'%' ACCOUNT LOCK");
await root.run('CREATE USER keeper@localhost');
await root.run('GRANT EXECUTE ON `deploy\\_fence`.* TO keeper@localhost');

const env = { DB_USER: 'keeper', FENCE: 'require', FENCE_USERS: 'app,app_locked' };

/** The depot with an event, and a deploy that works on it as `keeper`. */
async function openFencedDepot(t: Cleanup): Promise<{ site: Site; db: Db }> {
  const site = await makeSite(t, server);
  const db = await openDepot(site);
  for (const pattern of [site.database, `${site.database}\\_deploy\\_%`])
    await root.run(`GRANT ALL ON \`${pattern}\`.* TO keeper@localhost`);
  // Its own: for an event of another account it would need SET USER.
  const keeper = await connect({ ...server.address, user: 'keeper' }, { database: site.database });
  await keeper.run(
    "CREATE EVENT stocktaking ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO SELECT 1",
  );
  await keeper.close();
  const start: Site['start'] = (args, more, wrapper) =>
    site.start(args, { ...env, ...more }, wrapper);
  return { site: { ...site, start, deploy: (args, more) => start(args, more).ended }, db };
}

const { expected, doors } = await makeExpected();

async function makeExpected() {
  const { site, db } = await openFencedDepot({ after });
  const before = await readDoors(db, site.database);
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await readDoors(db, site.database), before);
  return { expected: await takePicture(db, site.database), doors: before };
}

describe('a run that keeps the application out by the procedures, killed', () => {
  for (const point of [
    'fence.recorded',
    'fence.closed',
    'backup.hashed',
    'run.changing',
    'apply.journalled#5',
    'apply.executed#9',
    'run.changed',
    'run.record',
  ]) {
    test(`at ${point}: accounts and events are as before when one more up has ended it`, async (t) => {
      const { site, db } = await openFencedDepot(t);

      await tryKill({
        ...{ site, db, scenario: 'up with a fence', failAt: `${point}=kill`, isNew: expected },
        // An administrator has locked it.
        known: ['account app_locked@% is locked'],
      });

      assert.deepEqual(await readDoors(db, site.database), doors);
    });
  }

  test('between the statements leaves them closed, and unfence opens', async (t) => {
    const { site, db } = await openFencedDepot(t);
    await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.journalled#5=kill' });

    const closed = await readDoors(db, site.database);
    const ended = await site.deploy(['unfence', '--yes']);

    assert.deepEqual(
      [closed['app@%'], closed['app@localhost'], closed['app_locked@%']],
      ['1', '1', '1'],
    );
    assert.match(closed['stocktaking']!, /^SLAVESIDE_DISABLED/);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await readDoors(db, site.database), doors);
  });

  test('is refused in the plan when an account is not named in deploy_fence.accounts', async (t) => {
    const { site } = await openFencedDepot(t);

    const ended = await site.deploy(['up'], { FENCE_USERS: 'app,stranger' });

    assert.equal(ended.code, 10, ended.stderr);
    assert.match(ended.stderr, /FENCE_USERS names stranger/);
  });
});
