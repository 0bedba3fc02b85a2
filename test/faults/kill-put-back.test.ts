import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Running, type Site } from '../support/deploy.ts';
import {
  assertOftenHit,
  killsInCi,
  makeRandom,
  resume,
  tryKill,
  untilPaused,
} from '../support/kill.ts';
import { kindsAfter, kindsBefore } from '../support/kinds.ts';
import { type Picture, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { citiesThatFail, openShop } from '../support/shop.ts';

const points = [
  'put-back.begun',
  'restore.moved-aside',
  'restore.staged',
  'restore.placeholders-dropped#2',
  'restore.compared-staging',
  'restore.before-swap',
  'restore.triggers-dropped',
  'restore.swapped',
  'restore.objects-created',
  'restore.compared',
  'restore.dropped-old',
  'put-back.restored',
] as const;

const server = await startTestServer({ after }, { durable: 'full' });
const tookMs = await measure();

async function failingShop(t: Cleanup): Promise<{ site: Site; db: Db; isOld: Picture }> {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await db.run(
    'CREATE VIEW totals AS SELECT customer_id, SUM(cents) AS cents FROM purchase GROUP BY customer_id',
  );
  await db.run(
    'CREATE TRIGGER no_negative BEFORE INSERT ON purchase FOR EACH ROW SET NEW.cents = GREATEST(NEW.cents, 0)',
  );
  for (const statement of kindsBefore) await db.run(statement);
  const file = '0.2.0/0002_cities.up.sql';
  await site.write({
    ...citiesThatFail,
    [file]: citiesThatFail[file]!.replace(/(?=CREATE TABLE city)/, `${kindsAfter.join(';\n')};\n`),
  });
  return { site, db, isOld: await takePicture(db, site.database) };
}

/** How long a run takes that nobody disturbs. */
async function measure(): Promise<number> {
  const { site } = await failingShop({ after });
  const begun = Date.now();
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 20, ended.stderr);
  return Date.now() - begun;
}

const scenario = 'up that fails, killed in its second half';

describe('kill -9 while a failed migration is put back', () => {
  for (const point of points) {
    test(`at ${point}: one more up leaves it exactly as before`, async (t) => {
      const { site, db, isOld } = await failingShop(t);

      await tryKill({ site, db, scenario, failAt: `${point}=kill`, isOld });
    });
  }

  // The second half of a run. kill-backup.test.ts has more random moments of a restore.
  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_117);
  const tally = { tried: 0, hit: 0 };
  for (let nth = 1; nth <= killsInCi(4); nth++) {
    test(`at random moment ${nth} of seed ${seed}: one more up leaves it exactly as before`, async (t) => {
      const { site, db, isOld } = await failingShop(t);
      const random = makeRandom(seed + nth);

      const afterMs = () => (0.4 + random() * 0.6) * tookMs;
      await tryKill({ site, db, scenario, afterMs, isOld, tally });
    });
  }

  test('some of these runs were hit before their end', () => assertOftenHit(tally));

  for (let nth = 1; nth <= Math.min(killsInCi(2), 20); nth++) {
    test(`of the server, at random moment ${nth} of seed ${seed}: one more up leaves it exactly as before`, async (t) => {
      const { site, db, isOld } = await failingShop(t);
      await db.close();
      const random = makeRandom(seed + 1000 + nth);
      const strike = async (run: Running): Promise<void> => {
        await untilPaused(run);
        resume(run);
        // From the first change of the state in deploy_run to the last.
        await Promise.race([delay(random() * 0.4 * tookMs), run.ended]);
        await server.kill9();
        await run.ended;
        await server.start();
      };

      await tryKill({
        ...{ site, db, failAt: 'put-back.begun=pause', strike, isOld },
        ...{ reconnect: site.connect, scenario: 'up, server killed while it puts back' },
      });
    });
  }

  test('twice, also while putting back goes on: one more up leaves it exactly as before', async (t) => {
    const { site, db, isOld } = await failingShop(t);
    const first = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'restore.swapped=kill' });
    assert.equal(first.signal, 'SIGKILL');

    await tryKill({ site, db, scenario, failAt: 'restore.objects-created=kill', isOld });
  });
});
