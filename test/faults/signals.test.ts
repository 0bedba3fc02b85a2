import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite, type Running } from '../support/deploy.ts';
import { openDepot } from '../support/depot.ts';
import { killsInCi, makeRandom, tryKill } from '../support/kill.ts';
import { takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';

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

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('SIGTERM', () => {
  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_122);

  for (let nth = 1; nth <= killsInCi(8); nth++) {
    const signals = nth % 2 === 0 ? ['SIGTERM', 'SIGINT'] : ['SIGTERM'];
    test(`${signals.join(', then ')} at random moment ${nth} of seed ${seed}: exit 16, 23 or done, and one more up brings the new version`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openDepot(site);
      const random = makeRandom(seed + nth);
      const strike = async (run: Running): Promise<void> => {
        await Promise.race([sleep(300 + random() * tookMs), run.ended]);
        for (const signal of signals) {
          run.child.kill(signal as NodeJS.Signals);
          await sleep(random() * 30);
        }
      };

      const scenario = `up, ${signals.join(' and ')} at a random moment`;
      const first = await tryKill({ site, db, scenario, strike, isNew: expected });
      const codes = [0, 16, 23];
      assert.ok(codes.includes(first.code ?? -1), `exit ${first.code}: ${first.stderr}`);
    });
  }
});
