import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { makeSite, until } from '../../support/deploy.ts';
import { assertConforms, inTime, type Sidecar, startSidecar } from '../../support/health.ts';
import { type Cleanup, startTestServer } from '../../support/server.ts';
import { openShop, shop } from '../../support/shop.ts';

const server = await startTestServer({ after });
const health = '/api/system/health';

async function stateOf(sidecar: Sidecar): Promise<string> {
  return (await sidecar.get(health)).body.state;
}

/** Listens, accepts, and says nothing: what a firewall or a stopped server looks like. */
async function startMuteServer(t: Cleanup) {
  const open = new Set<Socket>();
  let most = 0;
  const mute = createServer((socket) => {
    open.add(socket);
    most = Math.max(most, open.size);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of open) socket.destroy();
    mute.close();
  });
  const { port } = mute.address() as { port: number };
  return { port, mostConnections: () => most };
}

/** Stands before the server: can swallow what a client says after its login, or hang up on it. */
async function startProxy(t: Cleanup, socketPath: string) {
  const open = new Set<Socket>();
  const state = { swallows: false, cutsNext: false, opened: 0, most: 0 };
  const proxy = createServer((client) => {
    const behind = connect(socketPath);
    open.add(client);
    state.opened += 1;
    state.most = Math.max(state.most, open.size);
    let said = 0;
    client.on('data', (chunk) => {
      said += 1;
      if (state.cutsNext) {
        state.cutsNext = false;
        client.destroy();
        return;
      }
      if (said === 1 || !state.swallows) behind.write(chunk);
    });
    behind.on('data', (chunk) => client.write(chunk));
    for (const socket of [client, behind]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(client);
        client.destroy();
        behind.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of open) socket.destroy();
    proxy.close();
  });
  return { port: (proxy.address() as { port: number }).port, state };
}

async function startBehindProxy(t: Cleanup) {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await db.run(`CREATE OR REPLACE USER tcp_reader@localhost IDENTIFIED BY 'w'`);
  await db.run(`GRANT SELECT ON ${site.database}.* TO tcp_reader@localhost`);
  const { port, state } = await startProxy(t, server.address.socketPath!);
  const sidecar = await startSidecar(t, site, {
    ...{ DB_HOST: '127.0.0.1', DB_PORT: String(port) },
    ...{ DB_USER: 'tcp_reader', DB_PASSWORD: 'w', HEALTH_CACHE_SECONDS: '0.1' },
  });
  return { sidecar, state };
}

describe('the sidecar, when the server', () => {
  test('hangs up on the next query, asks again at once', async (t) => {
    const { sidecar, state } = await startBehindProxy(t);
    assert.equal(await stateOf(sidecar), 'as_required');
    state.cutsNext = true;

    await until('it has asked again', async () => {
      assert.equal(await stateOf(sidecar), 'as_required');
      return state.opened === 2;
    });
  });

  test('falls silent after the login, does not pile connections up, and recovers', async (t) => {
    const { sidecar, state } = await startBehindProxy(t);
    state.swallows = true;

    await until('it has tried several times', async () => {
      assert.equal((await inTime(() => sidecar.getOnce(health))).body.state, 'unreachable');
      return state.opened >= 3;
    });

    assert.ok(state.most <= 2, `${state.most} connections`);
    state.swallows = false;
    await until('it is well again', async () => (await stateOf(sidecar)) === 'as_required');
  });

  test('is killed and started again, says error in between and recovers by itself', async (t) => {
    const own = await startTestServer(t);
    const site = await makeSite(t, own);
    await openShop(site);
    const sidecar = await startSidecar(t, site);
    assert.equal(await stateOf(sidecar), 'as_required');

    await own.kill9();
    assert.equal(await stateOf(sidecar), 'unreachable');
    assert.equal((await sidecar.get('/readyz')).code, 503);
    assert.equal((await sidecar.get('/livez')).code, 200);

    await own.start();
    assert.equal(await stateOf(sidecar), 'as_required');
  });

  test('is restarted between two looks, notices nothing', async (t) => {
    const own = await startTestServer(t);
    const site = await makeSite(t, own);
    await openShop(site);
    const sidecar = await startSidecar(t, site);
    assert.equal(await stateOf(sidecar), 'as_required');

    await own.restart();

    assert.equal(await stateOf(sidecar), 'as_required');
  });

  test('kills its idle connection, notices nothing', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site);
    assert.equal(await stateOf(sidecar), 'as_required');
    const own = `SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = '${site.database}'`;

    for (const { id } of await db.query<{ id: string }>(own)) {
      await db.run(`KILL ${id}`).catch(() => {});
    }

    assert.equal(await stateOf(sidecar), 'as_required');
  });

  test('accepts and never answers, is called unreachable within 3 s, with 2 connections at most', async (t) => {
    const mute = await startMuteServer(t);
    const site = await makeSite(t, server, shop);
    const env = { DB_HOST: '127.0.0.1', DB_PORT: String(mute.port) };
    const sidecar = await startSidecar(t, site, env);

    for (let round = 0; round < 2; round++) {
      const asked = Array.from({ length: 20 }, () => inTime(() => sidecar.getOnce(health)));
      for (const { body } of await Promise.all(asked)) assert.equal(body.state, 'unreachable');
    }

    assert.ok(mute.mostConnections() >= 1);
    assert.ok(mute.mostConnections() <= 2, `${mute.mostConnections()} connections`);
  });

  test('holds the version table locked, is waited for no longer than 3 s, and recovers', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site);
    await db.run('LOCK TABLES migration_history WRITE');

    const { body } = await inTime(() => sidecar.getOnce(health));

    assert.equal(body.state, 'unreadable');
    await db.run('UNLOCK TABLES');
    assert.equal(await stateOf(sidecar), 'as_required');
  });

  test('is slow, answers with the last look, its age, and that it is stale', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site);
    assert.equal(await stateOf(sidecar), 'as_required');
    await db.run('LOCK TABLES migration_history WRITE');

    const value = await inTime(() => sidecar.getOnce(health));

    assert.equal(value.code, 200);
    assert.equal(value.body.state, 'as_required');
    assert.equal(value.body.stale, true);
    assert.ok(value.body.sample_age_seconds >= 0.4);
    await until('the slow look has ended', async () => {
      return (await sidecar.getOnce(health)).body.state === 'unreadable';
    });
    await db.run('UNLOCK TABLES');
    await until('it is well again', async () => (await stateOf(sidecar)) === 'as_required');
    const { ready } = await sidecar.ask();
    assert.equal(ready.code, 200);
  });

  test('is slow, opens no gate by its last look, while /version says that it is stale', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site);
    assert.equal((await sidecar.get('/readyz')).code, 200);
    await db.run('LOCK TABLES migration_history WRITE');

    const [ready, version] = await Promise.all([
      inTime(() => sidecar.getOnce('/readyz')),
      inTime(() => sidecar.getOnce('/api/system/version')),
    ]);

    await assertConforms('ready', ready.body);
    await assertConforms('version', version.body);
    assert.deepEqual([ready.code, ready.body.state, ready.body.stale], [503, 'unreadable', false]);
    assert.deepEqual([version.body.compatibility.compatible, version.body.stale], [true, true]);
    assert.ok(version.body.sample_age_seconds >= 0.4);
  });
});

describe('the sidecar', () => {
  test('says that it deploys while a run keeps the version table locked', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site);
    await db.run(`DO GET_LOCK('deploy:${site.database}', 0)`);
    await db.run(`UPDATE deploy_run SET state = 'changing', finished_at = NULL, outcome = NULL`);
    await db.run('LOCK TABLES migration_history WRITE');

    const { code, body } = await inTime(() => sidecar.getOnce(health));

    assert.deepEqual([code, body.state], [200, 'deploying']);
    assert.equal(body.actual_db_version, null);
  });

  test('does not wait for the deploy lock, and a lock without a run is no deploy', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site);
    await db.run(`DO GET_LOCK('deploy:${site.database}', 0)`);

    const { body } = await inTime(() => sidecar.getOnce(health));

    assert.equal(body.state, 'as_required');
  });

  test('needs an account that can only read', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run(`CREATE OR REPLACE USER watcher@localhost IDENTIFIED BY 'w'`);
    await db.run(`GRANT SELECT ON ${site.database}.* TO watcher@localhost`);
    const sidecar = await startSidecar(t, site, { DB_USER: 'watcher', DB_PASSWORD: 'w' });

    assert.equal(await stateOf(sidecar), 'as_required');
  });

  test('needs no row of the application: the rights that compose grants are enough', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const tables = ['schema_version', 'migration_history'];
    await db.run(`CREATE OR REPLACE USER history@localhost IDENTIFIED BY 'w'`);
    await db.run(`GRANT SHOW VIEW ON ${site.database}.* TO history@localhost`);
    for (const table of [...tables, 'deploy_lock', 'deploy_run', 'deploy_journal']) {
      await db.run(`GRANT SELECT ON ${site.database}.${table} TO history@localhost`);
    }
    const sidecar = await startSidecar(t, site, { DB_USER: 'history', DB_PASSWORD: 'w' });

    const { health: asked } = await sidecar.ask();

    assert.equal(asked.body.state, 'as_required');
    assert.equal(asked.body['last_run'].outcome, 'done');
    await db.run('DELETE FROM migration_history');
    await until('it sees that there are tables without history', async () => {
      return (await stateOf(sidecar)) === 'unknown';
    });
  });

  for (const hidden of ['deploy_run', 'deploy_journal', 'deploy_lock', 'migration_history']) {
    test(`does not take ${hidden} for missing when its account may not read it`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openShop(site);
      await db.run(`CREATE OR REPLACE USER halfblind@localhost IDENTIFIED BY 'w'`);
      const tables = ['schema_version', 'migration_history', 'deploy_lock', 'deploy_run'];
      const grant = (table: string) =>
        db.run(`GRANT SELECT ON ${site.database}.${table} TO halfblind@localhost`);
      for (const table of [...tables, 'deploy_journal']) if (table !== hidden) await grant(table);
      const sidecar = await startSidecar(t, site, { DB_USER: 'halfblind', DB_PASSWORD: 'w' });

      const { health: asked, ready } = await sidecar.ask();

      assert.deepEqual([asked.code, asked.body.state, ready.code], [500, 'access_denied', 503]);
      await grant(hidden);
      assert.equal(await stateOf(sidecar), 'as_required');
    });
  }

  test('calls a run alive while its lease has not run out: the lock may be held at another node', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site);
    await db.run(`UPDATE deploy_run SET state = 'changing', finished_at = NULL, outcome = NULL`);
    assert.equal(await stateOf(sidecar), 'cut_off');
    const expires = (sign: '+' | '-') =>
      db.run(`UPDATE deploy_lock SET owner = 'somebody',
        expires_at = UTC_TIMESTAMP(3) ${sign} INTERVAL 1 HOUR`);

    await expires('+');
    assert.equal(await stateOf(sidecar), 'deploying');

    await expires('-');
    assert.equal(await stateOf(sidecar), 'cut_off');
  });

  test('looks once for a thousand requests within the cache time, over one connection', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site, { HEALTH_CACHE_SECONDS: '60' });
    const before = await readCounters(db);

    for (let round = 0; round < 20; round++) {
      const asked = Array.from({ length: 50 }, () => sidecar.get('/readyz'));
      for (const { code } of await Promise.all(asked)) assert.equal(code, 200);
    }

    const now = await readCounters(db);
    assert.ok(now.queries - before.queries < 15, `${now.queries - before.queries} queries`);
    assert.equal(now.connections - before.connections, 1);
    const { body } = await sidecar.get(health);
    assert.ok(body.sample_age_seconds > 0 && body.sample_age_seconds < 60);
  });

  test('takes one query for a look, also while a deploy runs, and two at an empty database', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const bare = await makeSite(t, server, shop);
    const look = async (sidecar: Sidecar, state: string) => {
      const before = await readCounters(db);
      assert.equal(await stateOf(sidecar), state);
      // The counting itself is one.
      return (await readCounters(db)).queries - before.queries - 1;
    };
    const sidecar = await startSidecar(t, site);
    const atEmpty = await startSidecar(t, bare);
    await look(sidecar, 'as_required');
    await look(atEmpty, 'empty');

    assert.equal(await look(sidecar, 'as_required'), 1);
    assert.ok((await look(atEmpty, 'empty')) <= 2);
    await db.run(`DO GET_LOCK('deploy:${site.database}', 0)`);
    await db.run(`UPDATE deploy_run SET state = 'changing', finished_at = NULL, outcome = NULL`);
    await look(sidecar, 'deploying');
    assert.equal(await look(sidecar, 'deploying'), 1);
  });
});

/** Of the whole server: everything that was asked, and by whom. */
async function readCounters(db: Db) {
  const rows = await db.query<{ Variable_name: string; Value: string }>(
    `SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Connections')`,
  );
  const value = (name: string) => Number(rows.find((row) => row.Variable_name === name)?.Value);
  return { queries: value('Questions'), connections: value('Connections') };
}
