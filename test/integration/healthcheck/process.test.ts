import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { until } from '../../support/deploy.ts';
import { writeMigrations } from '../../support/migrations.ts';
import type { Cleanup } from '../../support/server.ts';
import { shop } from '../../support/shop.ts';

const folder = path.resolve(import.meta.dirname, '../../../healthcheck');

type Program = {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null; output: string }>;
  output(): string;
};

function run(
  t: Cleanup,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  const [file = '', ...rest] = args;
  const { PATH, NODE_V8_COVERAGE } = process.env;
  const child = spawn(process.execPath, [path.join(folder, file), ...rest], {
    env: { PATH, ...(NODE_V8_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(async () => {
    child.kill('SIGKILL');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<{ code: number | null; signal: string | null; output: string }>(
    (resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })),
  );
  return { child, ended, output: () => output };
}

/** A port that accepts and says only what `greet` says. Gives its number. */
async function listen(t: Cleanup, greet: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

/** The rule is 2 s; one more is for a machine that does something else, too. */
function assertStopped(begunAt: number): void {
  const ms = performance.now() - begunAt;
  assert.ok(ms < 2_000 + 1_000, `${ms} ms`);
}

/** Starts the sidecar as a process, beside a database that nobody can reach. */
async function startProgram(t: Cleanup, env: Readonly<Record<string, string>> = {}) {
  const program = run(t, ['main.ts'], {
    ...{ DATABASE_URL: 'mysql://reader:very-secret@127.0.0.1:1/shop', LOG_FORMAT: 'json' },
    ...{ HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '0', LOG_LEVEL: 'debug' },
    ...{ MIGRATIONS_DIR: writeMigrations({ after: (fn) => t.after(async () => fn()) }, shop) },
    ...env,
  });
  await until(
    'it is up',
    () => /"url":"/.test(program.output()) || program.child.exitCode !== null,
  );
  const url = /"url":"([^"]+)"/.exec(program.output())?.[1];
  assert.ok(url !== undefined, program.output());
  return { ...program, url, port: new URL(url).port };
}

describe('npm run health', () => {
  test('starts and stays up without a database, and logs no secret', async (t) => {
    const { url, output } = await startProgram(t);

    const response = await fetch(`${url}/api/system/health?token=from-a-client`);

    assert.equal(response.status, 500);
    assert.equal(((await response.json()) as { state: string }).state, 'unreachable');
    await until('it is logged', () => output().includes('"status":500'));
    assert.match(output(), /Database cannot be reached/);
    assert.doesNotMatch(output(), /very-secret|from-a-client/);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`ends within 2 s on ${signal} with exit code 0, whatever its clients do`, async (t) => {
      const { url, port, child, ended } = await startProgram(t);
      await (await fetch(`${url}/livez`)).text();
      const slow = connect(Number(port), '127.0.0.1');
      slow.on('error', () => {});
      t.after(async () => {
        slow.destroy();
      });
      await new Promise((resolve) => slow.once('connect', resolve));
      slow.write('GET /livez HTTP/1.1\r\nHost: a\r\n');
      const begunAt = performance.now();

      child.kill(signal);
      await until('it has ended', () => child.exitCode !== null || child.signalCode !== null);
      const { code, output } = await ended;

      assert.equal(code, 0, output);
      assertStopped(begunAt);
    });
  }

  test('ends within 2 s also while a look at the database hangs', async (t) => {
    const connected = Promise.withResolvers<void>();
    const mute = await listen(t, () => connected.resolve());
    const { url, child, ended } = await startProgram(t, {
      DATABASE_URL: `mysql://reader:very-secret@127.0.0.1:${mute}/shop`,
    });
    const asked = fetch(`${url}/readyz`).catch(() => null);
    await connected.promise;
    const begunAt = performance.now();

    child.kill('SIGTERM');
    await until('it has ended', () => child.exitCode !== null || child.signalCode !== null);
    const { code, output } = await ended;

    assert.equal(code, 0, output);
    assertStopped(begunAt);
    await asked;
  });

  test('logs what was asked, but not each probe', async (t) => {
    const { url, output } = await startProgram(t, { LOG_LEVEL: 'info' });
    for (const path of ['/livez', '/readyz', '/metrics']) await (await fetch(url + path)).text();

    await (await fetch(`${url}/api/system/version?token=from-a-client`)).text();

    await until('it is logged', () => output().includes('"path":"/api/system/version"'));
    assert.doesNotMatch(output(), /"path":"\/(livez|readyz|metrics)"|from-a-client/);
    assert.equal(output().match(/Database cannot be reached/g)?.length, 1);
  });

  test('refuses wrong settings with exit code 10 and the problem', async (t) => {
    const { ended } = run(t, ['main.ts'], { HEALTH_PORT: 'http' });

    const { code, output } = await ended;

    assert.equal(code, 10, output);
    assert.match(output, /HEALTH_PORT/);
  });

  test('refuses a port that is taken with exit code 10', async (t) => {
    const { port } = await startProgram(t);
    const { ended } = run(t, ['main.ts'], {
      ...{ DATABASE_URL: 'mysql://a:b@127.0.0.1:1/shop', HEALTH_HOST: '127.0.0.1' },
      HEALTH_PORT: port,
    });

    const { code, output } = await ended;

    assert.equal(code, 10, output);
    assert.match(output, new RegExp(`port ${port}`));
  });
});

describe('the probe', () => {
  test('says 0 for a sidecar that lives and 1 for one that is not ready, with the reason', async (t) => {
    const { port } = await startProgram(t);
    const env = { HEALTH_PORT: port };

    const live = await run(t, ['probe.ts', 'live'], env).ended;
    const ready = await run(t, ['probe.ts', 'ready'], env).ended;

    assert.equal(live.code, 0, live.output);
    assert.equal(ready.code, 1);
    assert.match(ready.output, /503 .*unreachable/);
  });

  test('says 1 for an answer that comes drop by drop and never ends', async (t) => {
    const port = await listen(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
      const drops = setInterval(() => socket.write('.'), 200);
      socket.on('close', () => clearInterval(drops));
    });

    const probe = run(t, ['probe.ts', 'live'], { HEALTH_PORT: String(port) });
    await until('it gives up', () => probe.child.exitCode !== null);

    const { code, output } = await probe.ended;
    assert.equal(code, 1);
    assert.match(output, /no whole answer within 4000 ms/);
  });

  test('says 1 when there is no sidecar, and for a word that it does not know', async (t) => {
    const gone = await run(t, ['probe.ts', 'live'], { HEALTH_PORT: '1' }).ended;
    const unknown = await run(t, ['probe.ts', 'alive'], { HEALTH_PORT: '1' }).ended;

    assert.equal(gone.code, 1);
    assert.match(gone.output, /ECONNREFUSED/);
    assert.equal(unknown.code, 1);
    assert.match(unknown.output, /usage/);
  });
});
