import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeSite } from '../../support/deploy.ts';
import { startSidecar } from '../../support/health.ts';
import { startTestServer } from '../../support/server.ts';
import { openShop, shop } from '../../support/shop.ts';

const server = await startTestServer({ after });

test('a mounted folder that is corrected is read again: the sidecar says that the database fits', async (t) => {
  const site = await makeSite(t, server);
  await openShop(site);
  const file = Object.keys(shop).find((name) => name.endsWith('.up.sql'))!;
  await site.write({ [file]: `${shop[file]}\n-- other bytes than those that were applied\n` });
  const sidecar = await startSidecar(t, site);
  const before = await sidecar.ask();

  await site.write({ [file]: shop[file]! });
  // This look still has the files of the one before, and finds that they do not fit.
  await sidecar.ask();
  const { health, ready } = await sidecar.ask();

  assert.equal(before.health.body.state, 'unknown');
  assert.deepEqual([health.body.state, ready.code], ['as_required', 200]);
});
