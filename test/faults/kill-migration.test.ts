import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { killsInCi, makeRandom, tryKill } from '../support/kill.ts';
import { type Picture, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, openShop } from '../support/shop.ts';

/** Every place that a run passes between opening and closing itself, and how often. */
const points: readonly (readonly [name: string, times: number])[] = [
  ['run.opened', 1],
  ['backup.begin', 1],
  ['backup.dumped', 1],
  ['backup.proved', 1],
  ['run.changing', 1],
  ['apply.journalled', 7],
  ['transaction.before-commit', 3],
  ['apply.executed', 7],
  ['apply.record', 1],
  ['run.changed', 1],
  ['run.record', 1],
];

const server = await startTestServer({ after });
const expected = await makeExpected();

/** How the database looks after a run that nobody disturbed. */
async function makeExpected(): Promise<Picture> {
  const site = await makeSite({ after }, server);
  const db = await openShop(site);
  await site.write(cities);
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  return takePicture(db, site.database);
}

describe('kill -9 during a migration of six statements', () => {
  async function freshShop(t: {
    after(fn: () => Promise<void>): void;
  }): Promise<{ site: Site; db: Db }> {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    return { site, db };
  }

  for (const [name, times] of points) {
    for (let nth = 1; nth <= times; nth++) {
      test(`at ${name}, time ${nth}: one more up brings the new version`, async (t) => {
        const { site, db } = await freshShop(t);

        await tryKill({ site, db, failAt: `${name}#${nth}=kill`, isNew: expected });
      });
    }
  }

  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_116);
  for (let nth = 1; nth <= killsInCi(24); nth++) {
    test(`at random moment ${nth} of seed ${seed}: one more up brings the new version`, async (t) => {
      const { site, db } = await freshShop(t);
      const random = makeRandom(seed + nth);

      await tryKill({ site, db, afterMs: () => random() * 2500, isNew: expected });
    });
  }
});
