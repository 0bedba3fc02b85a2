import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import sql from 'sql-template-tag';
import { connect, withConnection } from '../../../src/database/connect.ts';
import { qualified, quoteName } from '../../../src/database/identifier.ts';
import {
  isConnectionLost,
  isDuplicateEntry,
  isMissingTable,
  serverText,
} from '../../../src/database/server-errors.ts';
import { diffSession, readSession, setFreshSession } from '../../../src/database/session.ts';
import { startTestServer } from '../../support/server.ts';
import { until } from './support.ts';

const server = await startTestServer({ after });
const database = await server.createDatabase('connect');

describe('connect', () => {
  test('gives BIGINT, DECIMAL, dates and JSON as the server writes them', async () => {
    const db = await server.connect(database);
    await db.run(
      'CREATE TABLE kinds (b BIGINT UNSIGNED, d DECIMAL(30,10), t DATETIME(6), z DATE, j JSON, i INT)',
    );
    await db.run("SET sql_mode=''");
    await db.run(
      `INSERT INTO kinds VALUES (18446744073709551615, 1.5, '2026-01-16 10:30:00.123456', '0000-00-00', '{"a": 1}', 7)`,
    );

    const row = await db.one('SELECT * FROM kinds');

    assert.deepEqual(
      { ...row },
      {
        b: '18446744073709551615',
        d: '1.5000000000',
        t: '2026-01-16 10:30:00.123456',
        z: '0000-00-00',
        j: '{"a": 1}',
        i: 7,
      },
    );
  });

  test('gives a DOUBLE to its last bit, in a query and in a stream', async () => {
    const db = await server.connect(database);
    const exact = [94.01399759223483, 1.7976931348623157e308, 5e-324, 0.1, -272.5801234567891];
    await db.run('CREATE TABLE exact (id INT PRIMARY KEY, d DOUBLE, f FLOAT)');
    for (const [id, d] of exact.entries())
      await db.run(`INSERT INTO exact VALUES (${id}, ${d}, ${id / 8})`);
    await db.run('INSERT INTO exact VALUES (9, NULL, NULL)');
    const wanted = [...exact.map((d, id) => ({ d, f: id / 8 })), { d: null, f: null }];
    const query = 'SELECT d, f FROM exact ORDER BY id';

    const streamed: object[] = [];
    for await (const row of db.stream(query)) streamed.push({ ...row });

    assert.deepEqual(streamed, wanted);
    assert.deepEqual(
      (await db.query(query)).map((row) => ({ ...row })),
      wanted,
    );
  });

  test('carries values and names with any character, also under NO_BACKSLASH_ESCAPES', async () => {
    const db = await server.connect(database);
    const nasty = 'a\\\'"`?;-- \n\0 ü 🐉 %_';
    const column = 'c`?\\';
    for (const mode of ['', 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES']) {
      await db.run(sql`SET SESSION sql_mode=${mode}`);
      const row = await db.one<Record<string, string>>(
        sql`SELECT ${nasty} AS ${quoteName(column)}, ${'?'} AS second`,
      );
      assert.equal(row?.[column], nasty);
      assert.equal(row?.['second'], '?');
    }
  });

  test('counts the rows that an UPDATE matched, changed or not', async () => {
    const db = await server.connect(database);
    await db.run('CREATE TABLE matched (id INT PRIMARY KEY AUTO_INCREMENT, v INT)');

    const inserted = await db.run('INSERT INTO matched (v) VALUES (1), (1)');
    const updated = await db.run('UPDATE matched SET v = 1');

    assert.equal(inserted.insertId, '1');
    assert.equal(updated.affectedRows, 2);
  });

  test('streams rows, can be left early, and can be used afterwards', async () => {
    const db = await server.connect(database);
    let count = 0;
    for await (const _row of db.stream('SELECT seq FROM seq_1_to_50000')) count += 1;
    for await (const _row of db.stream('SELECT seq FROM seq_1_to_50000')) break;

    assert.equal(count, 50_000);
    assert.deepEqual(await db.one('SELECT 1 AS one'), { one: 1 });
    await assert.rejects(async () => {
      for await (const _row of db.stream('SELECT nothing FROM nowhere')) break;
    }, isMissingTable);
  });

  test('runs one statement at a time and reads no local files', async () => {
    const db = await server.connect(database);
    await assert.rejects(db.query('SELECT 1; SELECT 2'), { errno: 1064 });
    await assert.rejects(db.run("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE matched"), {
      errno: 4166,
    });
  });

  test('keeps the statement and the values of rows out of its errors', async () => {
    const db = await server.connect(database);
    await db.run('CREATE TABLE secrets (s VARCHAR(20) PRIMARY KEY)');
    await db.run("INSERT INTO secrets VALUES ('hunter2')");

    const error = await db.run(sql`INSERT INTO secrets VALUES (${'hunter2'})`).catch((e) => e);

    assert.ok(isDuplicateEntry(error));
    assert.equal(serverText(error), "Duplicate entry … for key 'PRIMARY' (1062 ER_DUP_ENTRY)");
    const all = [...Object.values(error), error.message, error.stack].join('\n');
    assert.doesNotMatch(all, /hunter2|INSERT/);
  });

  test('names the errors by MariaDB’s list', async () => {
    const db = await server.connect(database);
    await db.run('CREATE TABLE checked (v INT CHECK (v > 0))');
    await assert.rejects(db.run('INSERT INTO checked VALUES (0)'), {
      errno: 4025,
      code: 'ER_CONSTRAINT_FAILED',
    });
  });

  test('tells that the connection broke, once, and rejects every call from then on', async () => {
    const db = await server.connect(database);
    const admin = await server.connect();
    const losses: unknown[] = [];
    db.onLost((error) => losses.push(error));
    const sleeping = db.query('SELECT SLEEP(30)');
    sleeping.catch(() => {});

    await admin.run(sql`KILL CONNECTION ${db.id}`);

    await assert.rejects(sleeping, isConnectionLost);
    await assert.rejects(db.query('SELECT 1'), isConnectionLost);
    await assert.rejects(db.run('SELECT 1'), isConnectionLost);
    assert.equal(losses.length, 1);
    assert.equal(db.lost(), losses[0]);
    let told: unknown;
    db.onLost((error) => {
      told = error;
    });
    assert.equal(told, losses[0]);
    await db.close();
  });

  test('notices the loss of a connection that does nothing', async () => {
    const db = await server.connect(database);
    const admin = await server.connect();
    await admin.run(sql`KILL CONNECTION ${db.id}`);
    await until('the loss', () => db.lost() !== null);
    assert.ok(isConnectionLost(db.lost()));
  });

  test('does not take its own end for a loss', async () => {
    const db = await server.connect(database);
    db.onLost(() => assert.fail('told of a loss'));
    await db.close();
    await db.close();
    await assert.rejects(db.query('SELECT 1'), isConnectionLost);
    assert.equal(db.lost(), null);
  });

  test('stays open though the server’s own time-out is a second', async (t) => {
    const admin = await server.connect();
    await admin.run('SET GLOBAL wait_timeout=1, GLOBAL interactive_timeout=1');
    t.after(() => admin.run('SET GLOBAL wait_timeout=DEFAULT, GLOBAL interactive_timeout=DEFAULT'));
    const db = await server.connect(database);
    const row = await db.one<{ s: number }>('SELECT @@wait_timeout AS s');
    assert.ok(Number(row?.s) > 86_400);
  });

  test('closes the connection also when the work throws', async () => {
    const admin = await server.connect();
    let id = 0;
    const failing = withConnection(server.address, {}, async (db) => {
      id = db.id;
      throw new Error('work failed');
    });
    await assert.rejects(failing, /work failed/);
    await until('it is closed', async () => {
      const rows = await admin.query(
        sql`SELECT id FROM information_schema.processlist WHERE id = ${id}`,
      );
      return rows.length === 0;
    });
  });

  test('gives up on a server that accepts and says nothing', async (t) => {
    const { createServer } = await import('node:net');
    const mute = createServer().listen(0, '127.0.0.1');
    t.after(() => mute.close());
    await until('it listens', () => mute.address());
    const address = mute.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await assert.rejects(
      connect(
        { host: '127.0.0.1', port, socketPath: null, user: 'x', password: '' },
        { connectTimeoutMs: 200 },
      ),
      { code: 'ETIMEDOUT' },
    );
  });
});

describe('setFreshSession', () => {
  test('undoes what a migration set, and keeps the named lock', async () => {
    const db = await server.connect(database);
    await setFreshSession(db, { collation: 'utf8mb4_general_ci' });
    const fresh = await readSession(db);
    await db.one("SELECT GET_LOCK('session test', 0)");
    await db.run(
      `SET SESSION sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES', foreign_key_checks=0, unique_checks=0,
         time_zone='+02:00', autocommit=0, sql_safe_updates=1, group_concat_max_len=4,
         sql_select_limit=1, tx_isolation='SERIALIZABLE', max_statement_time=1, timestamp=1`,
    );
    await db.run('SET NAMES latin1');
    const changed = diffSession(fresh, await readSession(db));

    await setFreshSession(db, { collation: 'utf8mb4_general_ci' });

    assert.ok(changed.length > 10);
    assert.deepEqual(diffSession(fresh, await readSession(db)), []);
    const lock = await db.one<{ own: number }>(
      "SELECT IS_USED_LOCK('session test') = CONNECTION_ID() AS own",
    );
    assert.equal(lock?.own, 1);
    const time = await db.one<{ year: number }>('SELECT YEAR(NOW()) AS year');
    assert.ok(Number(time?.year) > 2000);
  });

  test('is the same with a look at the lock as without', async () => {
    const db = await server.connect(database);
    await setFreshSession(db, { collation: 'utf8mb4_general_ci' });
    const fresh = await readSession(db);
    await db.run("SET SESSION sql_mode='', time_zone='+02:00', foreign_key_checks=0");

    await setFreshSession(db, { collation: 'utf8mb4_general_ci', guard: sql`(1 = 1)` });

    assert.deepEqual(diffSession(fresh, await readSession(db)), []);
  });

  test('takes the collation of a database that is not utf8mb4', async () => {
    const db = await server.connect();
    await setFreshSession(db, { collation: 'latin1_swedish_ci' });
    const row = await db.one<{ c: string }>('SELECT @@collation_connection AS c');
    assert.equal(row?.c, 'utf8mb4_general_ci');
  });
});

test('a qualified name reaches a table with backticks and question marks in its name', async () => {
  const db = await server.connect();
  const name = await server.createDatabase('odd `?` name');
  await db.run(sql`CREATE TABLE ${qualified(name, 't`?')} (id INT)`);
  await db.run(sql`INSERT INTO ${qualified(name, 't`?')} VALUES (${1})`);
  assert.equal((await db.query(sql`SELECT * FROM ${qualified(name, 't`?')}`)).length, 1);
});
