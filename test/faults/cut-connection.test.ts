import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Running } from '../support/deploy.ts';
import { openDepot } from '../support/depot.ts';
import { killsInCi, makeRandom, tryKill, untilStopped } from '../support/kill.ts';
import { takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { citiesThatFail, openShop } from '../support/shop.ts';

/** A place in each step of a run, and with which exit codes the run may end that loses its connections there. */
const points: readonly (readonly [name: string, codes: readonly number[]])[] = [
  ['run.opened', [12]],
  ['fence.recorded', [12]],
  ['backup.begin', [12]],
  ['backup.hashed', [12, 14]],
  ['run.changing', [23]],
  ['apply.journalled#3', [23]],
  ['transaction.before-commit#3', [23]],
  ['run.reconciled', [23]],
  ['run.synced', [23]],
  ['run.changed', [23]],
  ['run.record', [23]],
];

const server = await startTestServer({ after });
const { expected, tookMs } = await makeExpected();

async function makeExpected() {
  const site = await makeSite({ after }, server);
  const db = await openDepot(site);
  const begun = Date.now();
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  return { tookMs: Date.now() - begun, expected: await takePicture(db, site.database) };
}

/** Ends every connection of the run to the server but the test's own. */
async function cutAll(db: Db): Promise<void> {
  const others = await db.query<{ id: number }>(
    `SELECT id FROM information_schema.processlist
     WHERE id <> CONNECTION_ID() AND user = 'root' AND command <> 'Daemon' ORDER BY id`,
  );
  for (const { id } of others) await db.run(`KILL ${id}`).catch(() => {});
}

describe('an administrator kills all connections of a run', () => {
  for (const [name, codes] of points) {
    test(`at ${name}: it says so, and one more up brings the new version`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openDepot(site);
      const strike = async (run: Running): Promise<void> => {
        await untilStopped(run);
        await cutAll(db);
        run.child.kill('SIGCONT');
      };

      const scenario = 'up, connections killed at a step';
      const first = await tryKill({
        ...{ site, db, scenario, strike },
        ...{ failAt: `${name}=stop`, isNew: expected, env: { FENCE: 'warn' } },
      });
      assert.ok(codes.includes(first.code ?? -1), `exit ${first.code}: ${first.stderr}`);
    });
  }

  for (const [name, codes] of [
    ['put-back.begun', [23]],
    ['restore.staged', [23]],
    ['restore.swapped', [23]],
    ['put-back.restored', [23]],
  ] as const) {
    test(`while it puts back, at ${name}: it says so, and one more up puts back`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openShop(site);
      await site.write(citiesThatFail);
      const isOld = await takePicture(db, site.database);
      const strike = async (run: Running): Promise<void> => {
        await untilStopped(run);
        await cutAll(db);
        run.child.kill('SIGCONT');
      };

      const scenario = 'up that fails, connections killed while it puts back';
      await tryKill({
        ...{ site, db, scenario, strike, isOld, firstCodes: codes },
        failAt: `${name}=stop`,
      });
    });
  }

  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_120);
  for (let nth = 1; nth <= killsInCi(2); nth++) {
    test(`at random moment ${nth} of seed ${seed}: one more up brings the new version`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openDepot(site);
      const random = makeRandom(seed + nth);
      const strike = async (run: Running): Promise<void> => {
        await Promise.race([
          new Promise((resolve) => setTimeout(resolve, random() * tookMs)),
          run.ended,
        ]);
        await cutAll(db);
      };

      const scenario = 'up, connections killed at a random moment';
      await tryKill({ site, db, scenario, strike, isNew: expected });
    });
  }
});
