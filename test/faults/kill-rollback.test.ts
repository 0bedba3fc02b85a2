import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { openDepot, parcelActions, parcels } from '../support/depot.ts';
import { assertOftenHit, killsInCi, makeRandom, passesInCi, tryKill } from '../support/kill.ts';
import { type Picture, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { copyDatabase, shop } from '../support/shop.ts';

/** Before the odd statements and after the even ones; `npm run faults` does both at each. */
const points: readonly (readonly [name: string, times: number, which?: 'odd' | 'even'])[] = [
  ['run.opened', 1],
  ['backup.proved', 1],
  ['run.changing', 1],
  ['apply.journalled', parcelActions.down, 'odd'],
  ['apply.executed', parcelActions.down, 'even'],
  ['run.changed', 1],
  ['run.record', 1],
];

const rollback = ['rollback', '--steps', '1', '--yes', '--accept-data-loss'];
const server = await startTestServer({ after });
const model = await makeModel();

/** A depot at 0.2.0 to copy from, and how the database looks there and after going back. */
async function makeModel(): Promise<{
  database: string;
  atTwo: Picture;
  atOne: Picture;
  tookMs: number;
}> {
  const site = await makeSite({ after }, server);
  const db = await openDepot(site);
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  const { database } = site;
  const copied = await copyOf({ after }, database);
  const atTwo = await takePicture(copied.db, copied.site.database);
  const begun = Date.now();
  const back = await copied.site.deploy(rollback);
  assert.equal(back.code, 0, back.stderr);
  const tookMs = Date.now() - begun;
  await db.close();
  const atOne = await takePicture(copied.db, copied.site.database);
  return { database, atTwo, atOne, tookMs };
}

async function copyOf(
  t: { after(fn: () => Promise<void>): void },
  database: string,
): Promise<{ site: Site; db: Db }> {
  const site = await makeSite(t, server, { ...shop, ...parcels });
  copyDatabase(server.address.socketPath!, database, site.database);
  return { site, db: await site.connect() };
}

describe('kill -9 and SIGTERM during a rollback', () => {
  for (const [name, times, which = 'all'] of points) {
    for (const nth of passesInCi(times, which)) {
      test(`at ${name}, time ${nth}: the rollback, repeated, goes back once`, async (t) => {
        await tryKill({
          ...(await copyOf(t, model.database)),
          scenario: 'rollback, killed at a step, then rollback',
          ...{ args: rollback, failAt: `${name}#${nth}=kill` },
          ...{ finish: rollback, isNew: model.atOne },
        });
      });
    }
  }

  test('while it backs up: an up that has nothing to do removes the unfinished set', async (t) => {
    await tryKill({
      ...(await copyOf(t, model.database)),
      scenario: 'rollback, killed in its backup, then up',
      // The third time: two rehearsals, before the lock and under it, prove a copy of their own.
      ...{ args: rollback, failAt: 'backup.proved#3=kill', isNew: model.atTwo },
    });
  });

  // 13: it is back at 0.1.0, and an `up` does not undo a rollback.
  const outcomes = { 0: model.atTwo, 20: model.atTwo, 13: model.atOne };
  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_118);
  const tally = { tried: 0, hit: 0 };
  for (const [signal, kills] of [
    ['SIGKILL', killsInCi(3)],
    ['SIGTERM', killsInCi(3)],
  ] as const) {
    for (let nth = 1; nth <= kills; nth++) {
      test(`${signal} at random moment ${nth} of seed ${seed}: up finds the version before, or after and says so`, async (t) => {
        const random = makeRandom(seed + nth);
        const first = await tryKill({
          ...(await copyOf(t, model.database)),
          scenario: `rollback, ${signal} at a random moment, then up`,
          ...{ args: rollback, afterMs: () => random() * model.tookMs, outcomes, tally, signal },
          firstCodes: [0, 16, 20, 23],
        });
        // 16 says that nothing was changed.
        if (first.code === 16) assert.doesNotMatch(first.stderr, /is between/);
      });
    }
  }

  test('some of these runs were hit before their end', () => assertOftenHit(tally));

  for (const [first, second] of [
    [2, 'apply.journalled#3'],
    [5, 'apply.executed#2'],
    [parcelActions.down, 'run.record'],
  ] as const) {
    test(`after action ${first}, and again at ${second} while an up finishes it: one more up says that it is back`, async (t) => {
      const at = await copyOf(t, model.database);
      const failAt = { DEPLOY_FAIL_AT: `apply.executed#${first}=kill` };
      const killed = await at.site.deploy(rollback, failAt);
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);

      await tryKill({
        ...at,
        scenario: 'rollback killed, its recovery killed at a step, then up',
        ...{ failAt: `${second}=kill`, outcomes: { 13: model.atOne } },
      });
    });
  }

  for (let nth = 1; nth <= killsInCi(2); nth++) {
    test(`half-way, and again at random moment ${nth} while an up finishes it: one more up says that it is back`, async (t) => {
      const at = await copyOf(t, model.database);
      const random = makeRandom(seed + nth);
      const killed = await at.site.deploy(rollback, {
        DEPLOY_FAIL_AT: `apply.executed#${1 + Math.floor(random() * parcelActions.down)}=kill`,
      });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);

      await tryKill({
        ...at,
        scenario: 'rollback killed, its recovery killed at a random moment, then up',
        ...{ afterMs: () => 200 + random() * 800, outcomes: { 13: model.atOne } },
      });
    });
  }
});
