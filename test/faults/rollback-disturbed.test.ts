/** What else than a kill of deploy itself can come in the way of a rollback. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Running, type Site, until } from '../support/deploy.ts';
import { openDepot, parcels } from '../support/depot.ts';
import { resume, tryKill, untilPaused, untilStopped } from '../support/kill.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { copyDatabase, shop } from '../support/shop.ts';

const rollback = ['rollback', '--steps', '1', '--yes', '--accept-data-loss'];
// Killed, it keeps what it has committed, as a server in production does.
const server = await startTestServer({ after }, { durable: 'full' });
const model = await makeModel();

/** A depot at 0.2.0 to copy from, and how the database looks there and after going back. */
async function makeModel() {
  const site = await makeSite({ after }, server);
  const db = await openDepot(site);
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  await db.close();
  const copied = await copyOf({ after }, site.database);
  const atTwo = await takePicture(copied.db, copied.site.database);
  const back = await copied.site.deploy(rollback);
  assert.equal(back.code, 0, back.stderr);
  const atOne = await takePicture(copied.db, copied.site.database);
  await copied.db.close();
  return { database: site.database, atTwo, atOne };
}

async function copyOf(t: Cleanup, database: string): Promise<{ site: Site; db: Db }> {
  const site = await makeSite(t, server, { ...shop, ...parcels });
  copyDatabase(server.address.socketPath!, database, site.database);
  return { site, db: await site.connect() };
}

/** 13: it is back at 0.1.0, and an `up` does not undo a rollback. */
const outcomes = { 0: model.atTwo, 13: model.atOne };

describe('a rollback', () => {
  for (const [name, codes] of [
    ['run.opened', [12]],
    ['run.changing', [23]],
    ['apply.journalled#3', [23]],
    ['apply.executed#7', [23]],
    ['run.changed', [23]],
  ] as const) {
    test(`whose connections are killed at ${name} says so, and one more up ends it`, async (t) => {
      const at = await copyOf(t, model.database);
      const strike = async (run: Running): Promise<void> => {
        await untilStopped(run);
        const others = await at.db.query<{ id: number }>(
          "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user = 'root' AND command <> 'Daemon'",
        );
        // Some end by themselves when another is gone.
        for (const { id } of others) await at.db.run(`KILL ${id}`).catch(() => {});
        run.child.kill('SIGCONT');
      };

      const first = await tryKill({
        ...{ ...at, args: rollback, failAt: `${name}=stop`, strike, outcomes },
        scenario: 'rollback, connections killed at a step, then up',
      });

      assert.ok((codes as readonly (number | null)[]).includes(first.code), first.stderr);
    });
  }

  for (const nth of [2, 6]) {
    test(`whose server is killed after its statement ${nth} is ended by one more up after the restart`, async (t) => {
      const at = await copyOf(t, model.database);
      const strike = async (run: Running): Promise<void> => {
        await untilStopped(run);
        await server.kill9();
        run.child.kill('SIGCONT');
        await run.ended;
        await server.start();
      };

      const first = await tryKill({
        ...{ ...at, args: rollback, failAt: `apply.executed#${nth}=stop`, strike, outcomes },
        ...{ scenario: 'rollback, server killed, then up', reconnect: () => at.site.connect() },
      });

      assert.equal(first.code, 23, first.stderr);
    });
  }

  test('given twice at once goes back once: the other is told to look again', async (t) => {
    const { site, db } = await copyOf(t, model.database);
    const first = site.start(rollback, { DEPLOY_FAIL_AT: 'run.changing=pause' });
    await untilPaused(first);
    const second = site.start(rollback);
    await until('the second waits', () => /waiting for the deploy lock/.test(second.stderr()));
    resume(first);

    const ended = [await first.ended, await second.ended];

    assert.deepEqual(
      ended.map(({ code }) => code),
      [0, 13],
      ended[1]!.stderr,
    );
    assert.match(ended[1]!.stderr, /NOT_CONFIRMED/);
    assert.deepEqual(await takePicture(db, site.database), model.atOne);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});
