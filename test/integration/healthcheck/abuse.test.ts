import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { makeSite, until } from '../../support/deploy.ts';
import { inTime, type Sidecar, startSidecar } from '../../support/health.ts';
import { malformedRequests } from '../../support/malformed-requests.ts';
import { type Cleanup, startTestServer } from '../../support/server.ts';
import { openShop } from '../../support/shop.ts';
import { startSilentPort } from '../../support/silent-port.ts';

const server = await startTestServer({ after });
const site = await makeSite({ after }, server);
const db = await openShop(site);
await db.run(`CREATE OR REPLACE USER abused@localhost IDENTIFIED BY 'w'`);
await db.run(`GRANT SELECT ON ${site.database}.* TO abused@localhost`);

/** Sends what a client may send, and gives the socket when it is open. */
async function send(t: Cleanup, url: string, text: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  t.after(async () => {
    socket.destroy();
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(text);
  return socket;
}

/** All endpoints at once, by several clients; each answer within 3 s. Gives the health bodies. */
async function askAll(sidecar: Sidecar) {
  const paths = ['/api/system/health', '/api/system/version', '/readyz', '/livez', '/metrics'];
  const asked = await Promise.all(
    Array.from({ length: 25 }, (_, nth) =>
      inTime(() => sidecar.getOnce(paths[nth % paths.length]!)),
    ),
  );
  return asked.filter((_, nth) => nth % paths.length === 0);
}

describe('the sidecar, when the port of the database begins to drop packets', () => {
  test('answers within 3 s, first with what it saw and that it is stale, then that nobody answers', async (t) => {
    const way = await startSilentPort(t, server.address.socketPath!);
    const sidecar = await startSidecar(t, site, {
      ...{ DB_HOST: '127.0.0.1', DB_PORT: String(way.port), HEALTH_CACHE_SECONDS: '0.2' },
      ...{ DB_USER: 'abused', DB_PASSWORD: 'w' },
    });
    assert.equal((await sidecar.get('/api/system/health')).body.state, 'as_required');
    await way.dropPackets();
    await until('it says what it saw, and that it is stale', async () => {
      const { body } = await inTime(() => sidecar.getOnce('/api/system/health'));
      assert.equal(body.state, 'as_required');
      return body.stale === true;
    });

    // On a slow machine the first look may have ended by now.
    for (const { body } of await askAll(sidecar)) {
      assert.ok(body.state === 'unreachable' || body.stale === true, body.state);
    }
    await until('it says so', async () => {
      const { body } = await inTime(() => sidecar.getOnce('/api/system/health'));
      return body.state === 'unreachable';
    });
    let most = 0;
    for (let round = 0; round < 3; round++) {
      for (const { code, body } of await askAll(sidecar)) {
        assert.deepEqual([code, body.state], [500, 'unreachable']);
      }
      assert.equal((await sidecar.get('/readyz')).code, 503);
      assert.equal((await sidecar.get('/livez')).code, 200);
      most = Math.max(most, way.connections());
    }
    assert.ok(most <= 2, `${most} connections`);

    way.recover();
    await until('it is well again', async () => {
      return (await sidecar.get('/api/system/health')).body.state === 'as_required';
    });
    assert.equal(way.connections(), 1);
  });
});

describe('the sidecar, when a client', () => {
  test('sends what is no request, a thousand times, answers others as before', async (t) => {
    const sidecar = await startSidecar(t, site, { HEALTH_CACHE_SECONDS: '60' });
    const before = (await sidecar.get('/api/system/health')).body;

    const { answered } = await malformedRequests(sidecar.url, 1_000);

    const { sample_age_seconds, timestamp, ...after } = (await sidecar.get('/api/system/health'))
      .body;
    assert.ok(sample_age_seconds >= 0 && timestamp > before.timestamp);
    assert.deepEqual({ ...before, ...after }, before);
    assert.deepEqual(Object.keys(answered).sort(), ['400', '404', '431']);
  });

  test('sends a body or headers drop by drop, is cut off while others are answered', async (t) => {
    const sidecar = await startSidecar(t, site);
    const head =
      'POST /api/system/health HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
    const slow = await Promise.all([
      ...Array.from({ length: 10 }, () =>
        send(t, sidecar.url, `${head}Content-Length: 500\r\n\r\n`),
      ),
      ...Array.from({ length: 10 }, () => send(t, sidecar.url, 'GET /livez HTTP/1.1\r\nHo')),
    ]);
    const drops = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write(' ');
    }, 200);
    t.after(() => clearInterval(drops));

    assert.equal((await inTime(() => sidecar.getOnce('/readyz'))).code, 200);
    await until('all of them are cut off', () => slow.every(({ closed }) => closed));
  });

  test('keeps a thousand connections open and idle, answers others, and still stops in time', async (t) => {
    const sidecar = await startSidecar(t, site);
    const answers = new Set<string>();
    const idle = await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const socket = await send(t, sidecar.url, 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
        const chunk = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
        answers.add(chunk.toString().slice(0, 15));
        return socket;
      }),
    );
    assert.deepEqual([...answers], ['HTTP/1.1 200 OK']);
    assert.ok(idle.every(({ destroyed }) => !destroyed));

    assert.equal((await inTime(() => sidecar.getOnce('/readyz'))).code, 200);
    await inTime(() => sidecar.stop(), 2_000);
  });

  test('opens connections without end, is hung up on, and others are answered once it is gone', async (t) => {
    const sidecar = await startSidecar(t, site);
    const sockets: Socket[] = [];
    const ends = await Promise.all(
      Array.from({ length: 1_505 }, async () => {
        const socket = await send(t, sidecar.url, 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
        sockets.push(socket);
        return new Promise<string>((resolve) => {
          socket.once('data', () => resolve('answered'));
          socket.once('close', () => resolve('hung up on'));
        });
      }),
    );

    assert.equal(ends.filter((end) => end === 'hung up on').length, 5);
    for (const socket of sockets) socket.destroy();
    await until('others are answered', async () => {
      return (await sidecar.getOnce('/readyz').catch(() => null))?.code === 200;
    });
  });
});
