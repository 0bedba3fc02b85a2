import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import { openDepot, parcelActions } from '../support/depot.ts';
import { killsInCi, makeRandom, tryKill } from '../support/kill.ts';
import { takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';

const server = await startTestServer({ after });
const expected = await makeExpected();

async function makeExpected() {
  const site = await makeSite({ after }, server);
  const db = await openDepot(site);
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  return takePicture(db, site.database);
}

describe('kill -9 while a killed run is being finished', () => {
  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_119);
  const random = makeRandom(seed);
  const pick = (count: number): number => 1 + Math.floor(random() * count);

  for (let nth = 1; nth <= killsInCi(4); nth++) {
    const first = pick(parcelActions.up);
    const second = `apply.executed#${pick(Math.max(1, parcelActions.up - first))}`;
    test(`after statement ${first}, then at ${second}: one more up brings the new version`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openDepot(site);
      const failAt = `apply.executed#${first}=kill`;
      const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: failAt });
      assert.equal(killed.signal, 'SIGKILL');

      const scenario = 'recovery, killed at a step';
      const late = first === parcelActions.up ? 'run.record' : second;
      await tryKill({ site, db, scenario, failAt: `${late}=kill`, isNew: expected });
    });
  }

  for (let nth = 1; nth <= killsInCi(2); nth++) {
    const first = `apply.journalled#${pick(parcelActions.up)}`;
    test(`at ${first}, then at random moment ${nth} of seed ${seed}: one more up brings the new version`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openDepot(site);
      const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: `${first}=kill` });
      assert.equal(killed.signal, 'SIGKILL');
      const moment = makeRandom(seed + nth);

      const scenario = 'recovery, killed at a random moment';
      const afterMs = (): number => 300 + moment() * 1000;
      await tryKill({ site, db, scenario, afterMs, isNew: expected });
    });
  }
});
