/** The engine starts again: it brings containers back by itself, and asks neither compose nor deploy. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rebootEngine, startOther } from '../engine.ts';
import { addColumn, makeRelease } from '../releases.ts';
import { until } from '../running.ts';
import { firstRelease } from '../settings.ts';
import { makeStack, succeeded } from '../stack.ts';

/** A backend that looks at nothing before it serves: only the gate keeps it out. */
const careless = `CMD ["node", "-e", "require('http').createServer((q, a) => a.end('{}')).listen(8180)"]\n`;

test('after a rollback and a reboot of the engine', async (t) => {
  const stack = await makeStack(t, 'reboot');
  succeeded(await stack.up());
  const files = addColumn('0.6.0', 12, 'nickname');
  const newRelease = await makeRelease(stack, '0.6.0', files, careless);
  await stack.set({ RELEASE: newRelease });
  succeeded(await stack.up());
  succeeded(await stack.deploy('rollback', '--steps', '1', '--yes', '--accept-data-loss'));

  await t.test('the gate keeps out the backend of the release that was left', async () => {
    assert.equal((await stack.get('backend', '/')).status, 200);
    const rebootedAt = new Date().toISOString();

    await rebootEngine(stack);

    await until('the backend waits', async () =>
      (await stack.compose('logs', '--since', rebootedAt, 'backend')).stdout.includes(
        'waiting up to',
      ),
    );
    const { status, body } = await stack.get('health', '/api/system/health');
    assert.deepEqual([status, body.compatible, body.actual_db_version], [200, false, '0.5.0']);
    await assert.rejects(stack.get('backend', '/'));
  });

  await t.test('the old release comes up, and stays with another reboot', async () => {
    await stack.set({ RELEASE: firstRelease });
    succeeded(await stack.up());
    const before = await stack.container('backend');

    await rebootEngine(stack);

    await until(
      'the backend serves',
      async () => (await stack.container('backend'))?.health === 'healthy',
    );
    const { body } = await stack.get('backend', '/');
    assert.deepEqual([body.release, body.database.actual_db_version], [firstRelease, '0.5.0']);
    const after = await stack.container('backend');
    assert.equal(after?.id, before?.id);
    assert.notEqual(after?.startedAt, before?.startedAt);
  });

  await t.test('an engine on which others have containers is left alone', async (subtest) => {
    const other = await startOther(subtest);

    await rebootEngine(stack);

    assert.equal(await other.startedAt(), other.began);
  });
});
