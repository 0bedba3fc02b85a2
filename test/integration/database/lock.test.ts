import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import sql from 'sql-template-tag';
import { connect, type Db } from '../../../src/database/connect.ts';
import { breakLock, type Hold, holdLock, lockName, readLock } from '../../../src/database/lock.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { startTestServer } from '../../support/server.ts';
import { type Child, collectLog, startChild, until } from './support.ts';

const server = await startTestServer({ after });

const timing = { leaseMs: 2_000, heartbeatMs: 400 };

type Setting = { database: string; db: Db; open: () => Promise<Db> };

async function newDatabase(name?: string): Promise<Setting> {
  const database = await server.createDatabase(name);
  const open = () => connect(server.address, { database });
  return { database, db: await server.connect(database), open };
}

function optionsFor(database: string, more: Partial<Parameters<typeof holdLock>[1]> = {}) {
  return { database, waitMs: 30_000, runId: 'run-1', log: collectLog().log, timing, ...more };
}

async function hold(
  t: { after(fn: () => Promise<void>): void },
  { database, open }: Setting,
  more: Partial<Parameters<typeof holdLock>[1]> = {},
): Promise<Hold> {
  const { hold } = await holdLock(open, optionsFor(database, more));
  t.after(() => hold.release());
  return hold;
}

async function startHolder(
  t: { after(fn: () => void): void },
  { database }: Setting,
  leaseMs = timing.leaseMs,
): Promise<{ child: Child; connectionId: number; otherId: number; epoch: number }> {
  const args = [server.address.socketPath ?? '', database, 'child-run', String(leaseMs)];
  const child = startChild(t, './lock-holder.ts', args);
  const { connectionId, otherId, epoch } = await child.next();
  return {
    child,
    connectionId: Number(connectionId),
    otherId: Number(otherId),
    epoch: Number(epoch),
  };
}

async function isOpen(db: Db, id: number): Promise<boolean> {
  const rows = await db.query(sql`SELECT id FROM information_schema.processlist WHERE id = ${id}`);
  return rows.length > 0;
}

describe('holdLock', () => {
  test('lets ten runs that start at once work one at a time', async () => {
    const setting = await newDatabase();
    await setting.db.run('CREATE TABLE working (id INT PRIMARY KEY)');
    const epochs: number[] = [];
    const waits: boolean[] = [];

    await Promise.all(
      Array.from({ length: 10 }, async (_value, index) => {
        const { hold, waited } = await holdLock(
          setting.open,
          optionsFor(setting.database, { runId: `run-${index}` }),
        );
        // A second run at work would fail with a duplicate key.
        await hold.db.run('INSERT INTO working VALUES (1)');
        await hold.db.run('DO SLEEP(0.02)');
        await hold.db.run('DELETE FROM working');
        epochs.push(hold.epoch);
        waits.push(waited);
        await hold.release();
      }),
    );

    assert.deepEqual(epochs, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.equal(waits.filter((waited) => !waited).length, 1);
  });

  test('does not wait for the lock of another database', async (t) => {
    const one = await newDatabase();
    const other = await newDatabase();
    await hold(t, one);

    const second = await holdLock(other.open, optionsFor(other.database, { waitMs: 0 }));
    t.after(() => second.hold.release());

    assert.equal(second.waited, false);
  });

  test('keeps databases apart whose names are 64 characters long or look alike', async (t) => {
    const long = 'a'.repeat(63);
    const names = [`${long}b`, `${long}c`, 'größe', 'grösse', 'grosse'];
    for (const name of names) {
      const setting = await newDatabase(name);
      await hold(t, setting, { waitMs: 0 });
    }
    assert.equal(new Set(names.map(lockName)).size, names.length);
  });

  test('keeps databases apart that differ only in capitals: neither waits for the other or ends it', async (t) => {
    const one = await newDatabase('Shop');
    const other = await newDatabase('shop');
    const held = await hold(t, one, { waitMs: 0 });

    const second = await holdLock(other.open, optionsFor('shop', { waitMs: 0 }));
    t.after(() => second.hold.release());

    assert.equal(second.waited, false);
    await held.assertHeld();
    assert.equal((await readLock(one.db, 'Shop'))?.heldBy, held.db.id);
    assert.equal((await readLock(other.db, 'shop'))?.heldBy, second.hold.db.id);
  });

  test('is one lock for both spellings where the server takes them for one database', async (t) => {
    const folding = await startTestServer(t, { args: ['--lower-case-table-names=1'] });
    await folding.createDatabase('Shop');
    const open = () => connect(folding.address, { database: 'Shop' });
    const { hold: held } = await holdLock(open, optionsFor('Shop'));
    t.after(() => held.release());

    const second = holdLock(open, optionsFor('shop', { waitMs: 0 }));

    await assert.rejects(second, { code: 'LOCK_HELD' });
    await held.assertHeld();
  });

  test('names the holder when it gives up waiting', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting, { runId: 'run-a' });

    await assert.rejects(
      holdLock(setting.open, optionsFor(setting.database, { waitMs: 0, runId: 'run-b' })),
      (error) => {
        assert.ok(isDeployError(error, 'LOCK_HELD'));
        assert.equal(error.facts['owner'], 'run-a');
        assert.equal(error.facts['connectionId'], holder.db.id);
        assert.equal(error.facts['pid'], process.pid);
        assert.match(error.next?.join(' ') ?? '', new RegExp(`KILL CONNECTION ${holder.db.id};`));
        return true;
      },
    );
  });

  test('names the holder in the log while it waits', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting, { runId: 'run-a' });
    const { log, lines } = collectLog();

    const waiting = holdLock(setting.open, optionsFor(setting.database, { log, runId: 'run-b' }));
    await until('a log line', () => lines.some((line) => line.includes('run run-a on host')));
    await holder.release();
    const { hold: second, waited } = await waiting;
    t.after(() => second.release());

    assert.equal(waited, true);
    assert.equal(second.epoch, holder.epoch + 1);
  });

  test('stops waiting when it is told to', async (t) => {
    const setting = await newDatabase();
    await hold(t, setting);
    const stop = new AbortController();
    const reason = new Error('told to stop');

    const waiting = holdLock(setting.open, optionsFor(setting.database, { signal: stop.signal }));
    stop.abort(reason);

    await assert.rejects(waiting, reason);
  });

  test('does not take a failed GET_LOCK for the lock', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting);
    const { database } = setting;
    let waiterId = 0;
    const open = async () => {
      const db = await setting.open();
      waiterId = db.id;
      return db;
    };

    const waiting = holdLock(open, optionsFor(database, { waitMs: 3_000 }));
    // KILL QUERY makes a GET_LOCK that waits return NULL.
    await until('the waiter waits in GET_LOCK', async () => {
      const rows = await setting.db.query(
        sql`SELECT id FROM information_schema.processlist WHERE id = ${waiterId} AND state = 'User lock'`,
      );
      return rows.length > 0;
    });
    await setting.db.run(sql`KILL QUERY ${waiterId}`);

    await assert.rejects(waiting, { code: 'LOCK_HELD' });
    await holder.assertHeld();
  });

  test('connects again when its connection breaks while it waits', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting);
    const { log, lines } = collectLog();
    const ids: number[] = [];
    const open = async () => {
      const db = await setting.open();
      ids.push(db.id);
      return db;
    };

    const waiting = holdLock(open, optionsFor(setting.database, { log }));
    await until('the waiter waits', () => lines.length > 0);
    await setting.db.run(sql`KILL CONNECTION ${ids[0] ?? 0}`);
    await until('it connected again', () => ids.length > 1);
    await holder.release();
    const second = await waiting;
    t.after(() => second.hold.release());

    assert.equal(second.waited, true);
  });

  test('says that a table deploy_lock with other columns cannot be read', async () => {
    const setting = await newDatabase();
    await setting.db.run('CREATE TABLE deploy_lock (id INT PRIMARY KEY)');

    await assert.rejects(holdLock(setting.open, optionsFor(setting.database)), {
      code: 'HISTORY_UNREADABLE',
    });
  });
});

describe('a hold', { concurrency: 3 }, () => {
  test('keeps its lease alive while its connection is busy, and while a transaction is open', async (t) => {
    const setting = await newDatabase();
    await setting.db.run('CREATE TABLE rows_ (id INT PRIMARY KEY)');
    const holder = await hold(t, setting);
    await holder.db.run('START TRANSACTION');
    await holder.db.run(sql`INSERT INTO rows_ SELECT 1 FROM DUAL WHERE ${holder.guard}`);

    await holder.db.run('DO SLEEP(3)');

    const facts = await readLock(setting.db, setting.database);
    assert.equal(facts?.expired, false);
    assert.equal(holder.signal.aborted, false);
    await holder.db.run('COMMIT');
    await holder.assertHeld();
  });

  test('survives statements that commit by themselves', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting);

    for (const statement of [
      'CREATE TABLE t (id INT)',
      'ALTER TABLE t ADD c INT',
      'LOCK TABLES t WRITE',
      'UNLOCK TABLES',
      'TRUNCATE t',
      'DROP TABLE t',
    ]) {
      await holder.db.run(statement);
    }

    await holder.assertHeld();
  });

  test('ends with CONNECTION_LOST when its working connection is killed, and the next run gets in', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting);
    await setting.db.run(sql`KILL CONNECTION ${holder.db.id}`);

    await until('the signal', () => holder.signal.aborted);
    const next = await hold(t, setting, { waitMs: 5_000 });

    assert.ok(isDeployError(holder.signal.reason, 'CONNECTION_LOST'));
    await assert.rejects(holder.assertHeld(), { code: 'LOCK_LOST' });
    await assert.rejects(holder.register(1), { code: 'LOCK_LOST' });
    assert.equal(next.epoch, holder.epoch + 1);
    await holder.release();
    await next.assertHeld();
  });

  test('goes on when only its heartbeat connection is killed', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting);
    const heartbeat = async () =>
      (await readLock(setting.db, setting.database))?.otherConnections[0] ?? 0;
    const first = await heartbeat();
    await setting.db.run(sql`KILL CONNECTION ${first}`);

    const second = await until('a new heartbeat connection', async () => {
      const id = await heartbeat();
      return id !== first && id;
    });

    assert.equal(await isOpen(setting.db, Number(second)), true);
    assert.equal(holder.signal.aborted, false);
    await holder.assertHeld();
  });

  test('ends with LOCK_LOST when the lock is released behind its back', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting);
    await holder.db.run('DO RELEASE_ALL_LOCKS()');

    await assert.rejects(holder.assertHeld(), { code: 'LOCK_LOST' });
    await until('the signal', () => holder.signal.aborted);

    assert.ok(isDeployError(holder.signal.reason, 'LOCK_LOST'));
  });

  test('ends with LOCK_LOST when its lease cannot be renewed in time', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting);
    await setting.db.run('START TRANSACTION');
    await setting.db.run('SELECT * FROM deploy_lock WHERE id = 2 FOR UPDATE');

    await until('the signal', () => holder.signal.aborted);

    assert.ok(isDeployError(holder.signal.reason, 'LOCK_LOST'));
    await setting.db.run('ROLLBACK');
  });

  test('writes nothing under its guard once another epoch has begun', async (t) => {
    const setting = await newDatabase();
    await setting.db.run('CREATE TABLE written (line VARCHAR(50))');
    const holder = await hold(t, setting);
    const insert = sql`INSERT INTO written SELECT 'x' FROM DUAL WHERE ${holder.guard}`;

    const before = await holder.db.run(insert);
    await setting.db.run('UPDATE deploy_lock SET epoch = epoch + 1');
    const afterwards = await holder.db.run(insert);

    assert.equal(before.affectedRows, 1);
    assert.equal(afterwards.affectedRows, 0);
  });

  test('leaves the lock free, its connections closed and its transaction undone when released', async (t) => {
    const setting = await newDatabase();
    await setting.db.run('CREATE TABLE rows_ (id INT PRIMARY KEY)');
    const holder = await hold(t, setting);
    await holder.db.run('START TRANSACTION');
    await holder.db.run('INSERT INTO rows_ VALUES (1)');

    await holder.release();
    await holder.release();

    const facts = await readLock(setting.db, setting.database);
    assert.deepEqual(
      { owner: facts?.owner, held: facts?.held, expired: facts?.expired },
      { owner: '', held: false, expired: false },
    );
    assert.deepEqual(await setting.db.query('SELECT * FROM rows_'), []);
    await until(
      'its connections are closed',
      async () => !(await isOpen(setting.db, holder.db.id)),
    );
  });
});

describe('a take-over', { concurrency: 3 }, () => {
  test('ends a frozen run, whose connections are dead and change nothing when it wakes', async (t) => {
    const setting = await newDatabase();
    await setting.db.run('CREATE TABLE written (line VARCHAR(50))');
    const frozen = await startHolder(t, setting);
    frozen.child.tell('write');
    assert.deepEqual(await frozen.child.next(), { written: Array(3).fill('fulfilled') });
    const beforehand = await setting.db.query('SELECT line FROM written');
    frozen.child.process.kill('SIGSTOP');
    const { log, lines } = collectLog();

    const next = await hold(t, setting, { log });

    assert.equal(next.epoch, frozen.epoch + 1);
    assert.ok(lines.some((line) => line.includes('taking the deploy lock over: run child-run')));
    assert.equal(await isOpen(setting.db, frozen.connectionId), false);
    assert.equal(await isOpen(setting.db, frozen.otherId), false);
    frozen.child.process.kill('SIGCONT');
    frozen.child.tell('write');
    const said = [await frozen.child.next(), await frozen.child.next()];
    assert.ok(said.some((line) => line['aborted'] !== undefined));
    const written = said.find((line) => line['written'] !== undefined);
    assert.deepEqual(written, { written: Array(3).fill('rejected') });
    assert.deepEqual(await setting.db.query('SELECT line FROM written'), beforehand);
    await next.assertHeld();
  });

  test('by two waiters at once gives the lock to one after the other', async (t) => {
    const setting = await newDatabase();
    const frozen = await startHolder(t, setting);
    frozen.child.process.kill('SIGSTOP');

    const epochs = await Promise.all(
      ['a', 'b', 'c'].map(async (runId) => {
        const { hold } = await holdLock(setting.open, optionsFor(setting.database, { runId }));
        await hold.assertHeld();
        await hold.release();
        return hold.epoch;
      }),
    );

    assert.deepEqual(epochs.sort(), [2, 3, 4]);
  });

  test('leaves a run alone that lives', async (t) => {
    const setting = await newDatabase();
    const living = await startHolder(t, setting);

    await assert.rejects(holdLock(setting.open, optionsFor(setting.database, { waitMs: 5_000 })), {
      code: 'LOCK_HELD',
    });

    assert.equal(await isOpen(setting.db, living.connectionId), true);
  });

  test('leaves a run alone whose lease looks expired because the clock of the server was set', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting);
    const waiting = holdLock(setting.open, optionsFor(setting.database, { waitMs: 3_000 }));
    await setting.db.run(
      `UPDATE deploy_lock SET heartbeat_at = heartbeat_at - INTERVAL 1 DAY,
         expires_at = expires_at - INTERVAL 1 DAY WHERE id = 2`,
    );

    await assert.rejects(waiting, { code: 'LOCK_HELD' });
    await holder.assertHeld();
  });

  test('of a killed run needs no waiting for its lease, and ends what it left open', async (t) => {
    const setting = await newDatabase();
    const killed = await startHolder(t, setting, 60_000);
    const leftOver = await server.connect(setting.database);
    await setting.db.run(
      sql`UPDATE deploy_lock SET connections = CONCAT_WS(',', connections, ${leftOver.id}) WHERE id = 1`,
    );
    killed.child.process.kill('SIGKILL');

    const next = await hold(t, setting, { waitMs: 5_000 });

    assert.equal(next.epoch, killed.epoch + 1);
    assert.notEqual(leftOver.lost(), null);
  });

  test('waits for the statement that a killed run left behind, and does not kill it', async (t) => {
    const setting = await newDatabase();
    await setting.db.run('CREATE TABLE finished (id INT)');
    const killed = await startHolder(t, setting, 500);
    // Seconds of work in which the server does not look whether the client is still there.
    killed.child.tell('run INSERT INTO finished SELECT BENCHMARK(150000000, 1 + 1)');
    await until('the statement runs', async () => {
      const rows = await setting.db.query(
        sql`SELECT id FROM information_schema.processlist
            WHERE id = ${killed.connectionId} AND info LIKE 'INSERT%'`,
      );
      return rows.length > 0;
    });
    killed.child.process.kill('SIGKILL');
    const { log, lines } = collectLog();

    const { hold: next } = await holdLock(setting.open, optionsFor(setting.database, { log }));
    t.after(() => next.release());

    const waited = 'waiting for the statement of a lost connection to end';
    assert.ok(lines.some((line) => line.includes(waited)));
    assert.equal((await setting.db.query('SELECT id FROM finished')).length, 1);
    assert.equal(next.epoch, killed.epoch + 1);
  });

  test('ends a run that froze after GET_LOCK and before it was recorded', async (t) => {
    const setting = await newDatabase();
    const unrecorded = await server.connect(setting.database);
    await unrecorded.one(sql`SELECT GET_LOCK(${lockName(setting.database)}, 0)`);

    const next = await hold(t, setting);

    assert.equal(next.epoch, 1);
    assert.notEqual(unrecorded.lost(), null);
  });

  test('is refused with the KILL statements when the frozen run has another account', async (t) => {
    const setting = await newDatabase();
    const { database } = setting;
    await setting.db.run(`CREATE USER IF NOT EXISTS weak@localhost`);
    await setting.db.run(`GRANT ALL ON \`${database}\`.* TO weak@localhost`);
    const frozen = await startHolder(t, setting);
    frozen.child.process.kill('SIGSTOP');
    const open = () => connect({ ...server.address, user: 'weak' }, { database });

    await assert.rejects(holdLock(open, optionsFor(database, { waitMs: 6_000 })), (error) => {
      assert.ok(isDeployError(error, 'LOCK_HELD'));
      const next = error.next?.join(' ') ?? '';
      assert.match(next, new RegExp(`KILL CONNECTION ${frozen.connectionId};`));
      assert.match(next, new RegExp(`KILL CONNECTION ${frozen.otherId};`));
      return true;
    });
  });

  test('after a restart of the server kills nobody whose connection has an old number', async (t) => {
    const own = await startTestServer(t);
    const database = await own.createDatabase();
    const open = () => connect(own.address, { database });
    const { hold: lost } = await holdLock(open, optionsFor(database));
    for (let count = 0; count < 5; count++) await lost.register(count + 1);
    const restarted = own.restart();
    await until('the signal', () => lost.signal.aborted);
    await restarted;
    const bystanders = await Promise.all(Array.from({ length: 8 }, () => own.connect(database)));

    const { hold: next } = await holdLock(open, optionsFor(database));

    assert.deepEqual(
      bystanders.map((db) => db.lost()),
      Array(8).fill(null),
    );
    assert.equal(next.epoch, lost.epoch + 1);
    await next.release();
    await lost.release();
  });
});

describe('on a node of a Galera cluster', () => {
  test('the time for waiting also counts while the holder is on another node, and the log names it', async (t) => {
    const node = await startTestServer(t, { args: ['--wsrep-on=ON'] });
    const database = await node.createDatabase();
    const open = () => connect(node.address, { database });
    const first = await holdLock(open, optionsFor(database, { runId: 'run-a' }));
    await first.hold.release();
    const db = await node.connect(database);
    // As the other node writes it; GET_LOCK is not seen across nodes.
    await db.run("UPDATE deploy_lock SET owner = 'run-b', host = 'node-b' WHERE id = 1");
    await db.run('UPDATE deploy_lock SET expires_at = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR');
    const { log, lines } = collectLog();

    const signal = AbortSignal.timeout(20_000);
    const late = holdLock(open, optionsFor(database, { waitMs: 100, log, signal }));

    await assert.rejects(late, (error) => {
      assert.ok(isDeployError(error, 'LOCK_HELD'), String(error));
      assert.equal(error.facts['owner'], 'run-b');
      assert.doesNotMatch(error.next?.join() ?? '', /KILL/);
      return true;
    });
    assert.ok(lines.some((line) => /waiting for the deploy lock: held by run run-b/.test(line)));
    await db.run('UPDATE deploy_lock SET expires_at = UTC_TIMESTAMP(3)');
    const next = await holdLock(open, optionsFor(database));
    assert.equal(next.hold.epoch, 2);
    await next.hold.release();
  });
});

describe('readLock', () => {
  test('gives null where no run has ever been', async () => {
    const setting = await newDatabase();
    assert.equal(await readLock(setting.db, setting.database), null);
  });

  test('tells who holds the lock, and since when', async (t) => {
    const setting = await newDatabase();
    const holder = await hold(t, setting, { runId: 'run-x' });

    const facts = await readLock(setting.db, setting.database);

    assert.equal(facts?.owner, 'run-x');
    assert.equal(facts.held, true);
    assert.equal(facts.heldBy, holder.db.id);
    assert.equal(facts.pid, process.pid);
    assert.match(facts.acquiredAt ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});

describe('breakLock', () => {
  test('frees the lock of a frozen run and ends its other connections', async (t) => {
    const setting = await newDatabase();
    const frozen = await startHolder(t, setting, 60_000);
    frozen.child.process.kill('SIGSTOP');
    const facts = await readLock(setting.db, setting.database);
    assert.ok(facts);

    await breakLock(setting.db, facts);

    assert.equal((await readLock(setting.db, setting.database))?.held, false);
    await until(
      'the other connection ends',
      async () => !(await isOpen(setting.db, frozen.otherId)),
    );
  });

  test('does nothing to a run that holds the lock by now', async (t) => {
    const setting = await newDatabase();
    const first = await hold(t, setting);
    const facts = await readLock(setting.db, setting.database);
    assert.ok(facts);
    await first.release();
    const second = await hold(t, setting);

    await breakLock(setting.db, facts);

    await second.assertHeld();
    assert.equal(second.signal.aborted, false);
  });
});
