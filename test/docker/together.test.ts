/** Several people deploy at the same time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addColumn, mountMigrations } from './releases.ts';
import { makeStack, succeeded } from './stack.ts';

test('one up and two runs at once: one of them works, and all three succeed', async (t) => {
  const stack = await makeStack(t, 'together');
  succeeded(await stack.up());
  await stack.override(await mountMigrations(stack, addColumn('0.6.0', 12, 'nickname')));

  const ended = await Promise.all([
    stack.up(),
    stack.deploy('up'),
    stack.deploy('up'),
    stack.deploy('status'),
  ]);

  for (const one of ended.slice(0, 3)) succeeded(one);
  assert([0, 30].includes(ended[3]!.code), ended[3]!.stderr);
  assert.equal((await stack.get('health', '/api/system/health')).body.actual_db_version, '0.6.0');
  assert.equal((await stack.container('backend'))?.status, 'running');
  const worked = await stack.sql(
    "SELECT COUNT(*) AS runs FROM deploy_run WHERE to_version = '0.6.0'",
  );
  assert.equal(worked, 'runs\n1\n');
});
