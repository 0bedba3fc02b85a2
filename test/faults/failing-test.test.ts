/** What a test that fails leaves behind: nothing that runs on. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { until } from '../support/deploy.ts';
import { endGroup, startGroup } from '../support/processes.ts';
import type { Cleanup } from '../support/server.ts';

const file = path.resolve(import.meta.dirname, '../support/failing.ts');

for (const [where, failures] of [
  ['test', 3],
  ['file', 1],
] as const) {
  test(`a failure in a ${where} ends the servers and the runs that it began`, async (t) => {
    const id = randomUUID();
    const run = startTests(t, { FAILING_RUN: id, FAIL_WHERE: where });
    await until('it has begun', () => run.over() || runningWith(id).length > 1);

    await until('the tests end', run.over, 60_000);

    assert.match(run.text(), /on purpose/);
    assert.match(run.text(), new RegExp(`^ℹ fail ${failures}$`, 'm'));
    await until('nothing of it runs', () => runningWith(id).length === 0);
  });
}

/** Runs tests that fail, as `npm test` would. */
function startTests(t: Cleanup, more: Readonly<Record<string, string>>) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = startGroup([process.execPath, '--test', '--test-reporter=spec', file], {
    ...env,
    ...more,
  });
  t.after(() => endGroup(child));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { over: () => child.exitCode !== null, text: () => text };
}

/** Processes that have the id in their environment: whoever has it handed it on to all that it started. */
function runningWith(id: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(id);
    } catch {
      // It has ended, or is somebody else's.
      return false;
    }
  });
}
