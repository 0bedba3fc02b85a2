/** Several people deploy at the same time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addColumn, mountMigrations } from './releases.ts';
import { makeStack, succeeded } from './stack.ts';

test('several at once', async (t) => {
  const stack = await makeStack(t, 'together');
  succeeded(await stack.up());

  await t.test('one up and two runs: one of them works, and all three succeed', async () => {
    await stack.override(await mountMigrations(stack, addColumn('0.6.0', 12, 'nickname')));

    const ended = await Promise.all([
      stack.up(),
      stack.deploy('up'),
      stack.deploy('up'),
      stack.deploy('status'),
    ]);

    for (const one of ended.slice(0, 3)) succeeded(one);
    assert([0, 30].includes(ended[3]!.code), ended[3]!.stderr);
    await cameByOneRun('0.6.0');
  });

  await t.test('two ups: the database is migrated once, and the backend runs', async () => {
    await stack.override(await mountMigrations(stack, addColumn('0.7.0', 13, 'motto')));

    const ended = await Promise.all([stack.up(), stack.up()]);

    // Both make the container of deploy anew, and compose itself may stumble over the other's.
    if (ended.some(({ code }) => code !== 0)) succeeded(await stack.up());
    await cameByOneRun('0.7.0');
  });

  async function cameByOneRun(version: string): Promise<void> {
    const { body } = await stack.get('health', '/api/system/health');
    assert.equal(body.actual_db_version, version);
    assert.equal((await stack.container('backend'))?.status, 'running');
    const worked = await stack.sql(
      `SELECT outcome FROM deploy_run WHERE to_version = '${version}'`,
    );
    assert.equal(worked, 'outcome\ndone\n');
  }
});
