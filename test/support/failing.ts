/**
 * Tests that fail while processes of theirs stand still or work: for the test of what is left behind
 * then. `FAIL_WHERE` says whether in a test, or in the file outside of one.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeSite } from './deploy.ts';
import { untilPaused, untilStopped } from './kill.ts';
import { inContainer } from './processes.ts';
import { type Cleanup, startTestServer } from './server.ts';
import { cities, openShop } from './shop.ts';

const server = await startTestServer({ after });
const FOUND_BY = { FAILING_RUN: process.env['FAILING_RUN'] };

async function start(t: Cleanup, how: 'pause' | 'stop', wrapper: readonly string[] = []) {
  const site = await makeSite(t, server);
  await openShop(site);
  await site.write(cities);
  const run = site.start(['up'], { ...FOUND_BY, DEPLOY_FAIL_AT: `apply.executed=${how}` }, wrapper);
  await (how === 'pause' ? untilPaused(run) : untilStopped(run));
  assert.deepEqual([run.child.exitCode, run.child.signalCode], [null, null], run.stderr());
}

if (process.env['FAIL_WHERE'] === 'file') {
  await start({ after }, 'pause', inContainer);
  assert.fail('on purpose');
}

test('while a run waits below a shell', async (t) => {
  await start(t, 'pause', ['sh', '-c', '"$@"; exit $?', 'sh']);
  assert.fail('on purpose');
});

test('while a run stands still', async (t) => {
  await start(t, 'stop');
  assert.fail('on purpose');
});

test('while a run waits in a container', async (t) => {
  await start(t, 'pause', inContainer);
  assert.fail('on purpose');
});
