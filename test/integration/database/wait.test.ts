import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, describe, test } from 'node:test';
import type { ServerAddress } from '../../../src/config/config.ts';
import type { Db } from '../../../src/database/connect.ts';
import { waitForServer } from '../../../src/database/wait.ts';
import { startTestServer } from '../../support/server.ts';
import { collectLog, until } from './support.ts';

const server = await startTestServer({ after }, { tcp: 'loopback' });
const database = await server.createDatabase('waited');
const admin = await server.connect();
await admin.run("CREATE USER app@'%' IDENTIFIED BY 'right'");
await admin.run("GRANT SELECT ON waited.* TO app@'%'");

function waitFor(
  address: ServerAddress,
  more: Partial<Parameters<typeof waitForServer>[1]> = {},
): ReturnType<typeof waitForServer> {
  const options = { waitMs: 300, log: collectLog().log, database, ...more };
  return waitForServer({ ...address, name: database }, options);
}

describe('waitForServer', { concurrency: true }, () => {
  test('gives a connection that uses the database', async () => {
    const db = await waitFor(server.tcpAddress('app', 'right'));
    assert.deepEqual(await db.one('SELECT DATABASE() AS name'), { name: database });
    await db.close();
  });

  test('tells that nobody answers', async () => {
    const nobody = { ...server.tcpAddress('app', 'right'), port: 1 };
    await assert.rejects(waitFor(nobody), { code: 'SERVER_UNREACHABLE' });
  });

  test('tells that the host does not exist', async () => {
    const nobody = { ...server.tcpAddress('app', 'right'), host: 'no-such-host.invalid' };
    await assert.rejects(waitFor(nobody), { code: 'SERVER_UNREACHABLE' });
  });

  test('tells that the socket does not exist', async () => {
    const nobody = { ...server.address, socketPath: '/tmp/no-such-socket' };
    await assert.rejects(waitFor(nobody), { code: 'SERVER_UNREACHABLE' });
  });

  test('tells that the password is wrong, after three seconds and not after all of the time', async () => {
    const begun = performance.now();
    await assert.rejects(waitFor(server.tcpAddress('app', 'wrong'), { waitMs: 60_000 }), {
      code: 'ACCESS_DENIED',
    });
    const took = performance.now() - begun;
    assert.ok(took > 2_900 && took < 30_000, `took ${took} ms`);
  });

  test('tells that the account is locked', async () => {
    await admin.run("CREATE USER locked_@'%' IDENTIFIED BY 'right' ACCOUNT LOCK");
    await assert.rejects(waitFor(server.tcpAddress('locked_', 'right')), { code: 'ACCESS_DENIED' });
  });

  test('tells that the database is missing, or may not be used', async () => {
    const address = server.tcpAddress('app', 'right');
    await assert.rejects(waitFor(server.address, { database: 'nowhere' }), {
      code: 'DATABASE_MISSING',
    });
    await assert.rejects(waitFor(address, { database: 'nowhere' }), { code: 'DATABASE_MISSING' });
  });

  test('never shows the password', async () => {
    const error = await waitFor(server.tcpAddress('app', 'hunter2')).catch((e) => e);
    const all = JSON.stringify([error.message, error.facts, error.cause?.message, error.next]);
    assert.doesNotMatch(all, /hunter2/);
  });

  test('waits for a database that is created meanwhile', async () => {
    const waiting = waitFor(server.address, { waitMs: 60_000, database: 'late' });
    await server.createDatabase('late');
    await (await waiting).close();
  });

  test('waits for an account that is created meanwhile', async () => {
    const waiting = waitFor(server.tcpAddress('late', 'right'), { waitMs: 60_000 });
    await admin.run("CREATE USER late@'%' IDENTIFIED BY 'right'");
    await admin.run("GRANT SELECT ON waited.* TO late@'%'");
    await (await waiting).close();
  });

  test('tells that the server closes every connection, and says so in the log meanwhile', async (t) => {
    const closing = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    t.after(() => closing.close());
    await until('it listens', () => closing.address());
    const bound = closing.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const { log, lines } = collectLog();

    await assert.rejects(
      waitFor({ ...server.tcpAddress('app', 'right'), port }, { waitMs: 6_000, log }),
      { code: 'SERVER_STARTING' },
    );

    assert.ok(lines.some((line) => line.includes('accepts a connection and closes it again')));
  });

  test('stops when it is told to', async () => {
    const stop = new AbortController();
    const reason = new Error('told to stop');
    const nobody = { ...server.tcpAddress('app', 'right'), port: 1 };
    const waiting = waitFor(nobody, { waitMs: 60_000, signal: stop.signal });
    stop.abort(reason);
    await assert.rejects(waiting, reason);
  });
});

describe('waitForServer with a server of its own', () => {
  test('waits while the server restarts', async (t) => {
    const own = await startTestServer(t);
    await own.kill9();
    const waiting = waitFor(own.address, { waitMs: 60_000, database: null });
    await own.start();
    await (await waiting).close();
  });

  test('tells that the server has no free connection', async (t) => {
    const own = await startTestServer(t, { tcp: 'loopback', args: ['--max-connections=10'] });
    const root = await own.connect();
    await root.run("CREATE USER many@'%'");
    const address = own.tcpAddress('many', '');
    const open: Db[] = [];
    for (let count = 0; count < 12; count++) {
      const db = await waitFor(address, { waitMs: 0, database: null }).catch(() => null);
      if (db !== null) open.push(db);
    }
    t.after(() => Promise.all(open.map((db) => db.close())).then(() => {}));

    const refused = await waitFor(address, { database: null }).catch((e) => e);

    assert.equal(refused.code, 'SERVER_UNREACHABLE');
    assert.match(refused.message, /no free connection/);
  });

  test('tells the temporary server of the image’s first start from one that has no network on purpose', async (t) => {
    // The options of docker-entrypoint.sh; a scratch server neither loads nor saves the pool.
    const temporary = await startTestServer(t, {
      args: ['--innodb-buffer-pool-load-at-startup=0', '--innodb-buffer-pool-dump-at-shutdown=1'],
    });
    const scratch = await startTestServer(t);

    await assert.rejects(waitFor(temporary.address, { database: null }), {
      code: 'SERVER_STARTING',
    });
    await (await waitFor(scratch.address, { database: null })).close();
  });
});
