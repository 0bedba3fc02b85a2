/** The gate before a backend: docker/wait-for-ready.sh, with nothing but a shell and one program. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';

const gate = path.resolve(import.meta.dirname, '../../docker/wait-for-ready.sh');
const folders = ['/usr/bin', '/bin'];
const find = (name: string) => folders.map((dir) => path.join(dir, name)).find(existsSync);

// bash is on every machine that runs these tests; the others where they are installed.
for (const tool of ['bash', 'curl', 'wget'].filter(find)) {
  test(`with ${tool}, the command starts as soon as the sidecar answers 200`, async (t) => {
    const sidecar = await startSidecar(t, [503, 503, 200]);

    const { code, stdout, stderr } = await runGate(t, [tool], { READY_URL: sidecar.url });

    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'started\n');
    assert.equal(sidecar.asked(), 3);
    assert.match(stderr, /^wait-for-ready: waiting up to 300 s for http:.*readyz\n$/);
  });

  test(`with ${tool}, the command does not start when the limit is over`, async (t) => {
    const { url } = await startSidecar(t, [503]);
    const limit = { READY_URL: url, READY_TIMEOUT_SECONDS: '1' };

    const { code, stdout, stderr } = await runGate(t, [tool], limit);

    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /not ready after 1 s .*\/api\/system\/health\); echo is not started\n$/);
  });

  test(`with ${tool}, a sidecar that is not there is waited for`, async (t) => {
    const limit = { READY_URL: 'http://127.0.0.1:1/readyz', READY_TIMEOUT_SECONDS: '1' };

    assert.equal((await runGate(t, [tool], limit)).code, 1);
  });
}

test('an image with nothing that could ask is told so at once', async (t) => {
  const { code, stderr } = await runGate(t, [], {});

  assert.equal(code, 2);
  assert.equal(
    stderr,
    'wait-for-ready: needs curl, wget or bash, and this image has none of them\n',
  );
});

test('told to stop while it waits, it ends at once', async (t) => {
  const { url } = await startSidecar(t, [503]);
  const limit = { READY_URL: url, READY_TIMEOUT_SECONDS: '60' };

  const { code } = await runGate(t, ['bash'], limit, (stop) => setTimeout(stop, 500));

  assert.equal(code, 143);
});

/** Answers with these statuses in turn, and then with the last one. */
async function startSidecar(t: TestContext, statuses: readonly number[]) {
  let asked = 0;
  const server = createServer((request, response) => {
    const status =
      request.url === '/readyz' ? statuses[Math.min(asked++, statuses.length - 1)] : 404;
    response.writeHead(status!).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/readyz`, asked: () => asked };
}

/** Runs the gate before `echo started`, with a PATH on which only these programs are. */
async function runGate(
  t: TestContext,
  tools: readonly string[],
  env: Readonly<Record<string, string>>,
  whileRunning: (stop: () => void) => void = () => {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const dir = await mkdtemp('/tmp/gate-');
  t.after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(path.join(dir, 'bin'));
  for (const name of ['sh', 'date', 'sleep', 'echo', ...tools]) {
    await symlink(find(name)!, path.join(dir, 'bin', name));
  }
  return new Promise((resolve) => {
    const options = { env: { ...env, PATH: path.join(dir, 'bin') } };
    const child = execFile('/bin/sh', [gate, 'echo', 'started'], options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    whileRunning(() => child.kill('SIGTERM'));
  });
}
