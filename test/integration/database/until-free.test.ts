import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { pino } from 'pino';
import { describeBlockers, findBlockers } from '../../../src/database/blockers.ts';
import { connect, type Db } from '../../../src/database/connect.ts';
import { inTransaction } from '../../../src/database/transaction.ts';
import { type Patience, untilFree, waitBriefly } from '../../../src/database/until-free.ts';
import { waitLong } from '../../../src/migrations/carry-out.ts';
import { classify } from '../../../src/statements/classify.ts';
import { runStatement } from '../../../src/statements/run-statement.ts';
import { until } from '../../support/deploy.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after }, { tcp: 'loopback' });
const database = await server.createDatabase('busy');
const db = await server.connect(database);
const other = await server.connect(database);
await db.run('CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL)');
await db.run('INSERT INTO t SELECT seq, 0 FROM seq_1_to_100');
await db.run('CREATE TABLE ballast (id INT)');

function patience(on: Db, more: Partial<Patience> = {}): Patience & { readonly lines: string[] } {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  return { waitMs: 20_000, log, db: on, database, ...more, lines };
}

describe('untilFree', () => {
  test('runs a transaction again as a whole when the server ended it to break a deadlock', async () => {
    await other.run('START TRANSACTION');
    // The server ends the transaction that has changed less.
    await other.run('INSERT INTO ballast SELECT seq FROM seq_1_to_5000');
    await other.run('UPDATE t SET n = 100 WHERE id = 90');
    const tries: number[] = [];
    const mine = untilFree(patience(db), (triedBefore) => {
      tries.push(triedBefore);
      return inTransaction(db, async () => {
        await db.run('UPDATE t SET n = n + 1 WHERE id = 1');
        await db.run('UPDATE t SET n = n + 1 WHERE id = 90');
      });
    });
    await until('the transaction waits', async () => {
      // Whoever reads this table more often than every 100 ms is given the rows of the first time.
      await new Promise((resolve) => setTimeout(resolve, 150));
      const [row] = await other.query(
        `SELECT trx_state AS state FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = ${db.id}`,
      );
      return row?.['state'] === 'LOCK WAIT';
    });
    await other.run('UPDATE t SET n = 100 WHERE id = 1');
    await other.run('COMMIT');
    await mine;

    assert.deepEqual(tries, [0, 1]);
    const rows = await db.query('SELECT id, n FROM t WHERE n > 0 ORDER BY id');
    assert.deepEqual(
      rows.map((row) => [row['id'], row['n']]),
      [
        [1, 101],
        [90, 101],
      ],
    );
  });

  test('ends with TABLES_IN_USE when its time is over, and leaves every other error alone', async () => {
    await other.run('START TRANSACTION');
    await other.query('SELECT * FROM t LIMIT 1');
    await db.run('SET SESSION lock_wait_timeout = 1');

    const patient = patience(db, { waitMs: 1_500 });
    await assert.rejects(
      untilFree(patient, () => db.run('ALTER TABLE t ADD c INT')),
      { code: 'TABLES_IN_USE', facts: { connectionIds: [other.id] } },
    );
    await other.run('COMMIT');
    await assert.rejects(
      untilFree(patient, () => db.run('ALTER TABLE nowhere ADD c INT')),
      { errno: 1146 },
    );

    assert.ok(patient.lines.length > 0);
    assert.equal((await db.query("SHOW COLUMNS FROM t LIKE 'c'")).length, 0);
    await waitBriefly(db);
  });

  test('stops trying when the run is told to stop', async () => {
    await other.run('LOCK TABLES t READ');
    await db.run('SET SESSION lock_wait_timeout = 1');
    const stop = new AbortController();
    const mine = untilFree(patience(db, { signal: stop.signal }), () => db.run('TRUNCATE TABLE t'));
    stop.abort(new Error('told to stop'));

    await assert.rejects(mine, { message: 'told to stop' });

    await other.run('UNLOCK TABLES');
    await waitBriefly(db);
  });
});

describe('findBlockers', () => {
  test('names what runs in a transaction by its first word, without what is in it', async () => {
    const slow = await server.connect(database);
    await slow.run('START TRANSACTION');
    const sleeping = slow.query("SELECT 'a secret', SLEEP(2), n FROM t WHERE id = 1 FOR UPDATE");
    await until('it runs', async () => {
      const found = await findBlockers(db, database);
      return found !== 'unknown' && found.some(({ statement }) => statement === 'SELECT');
    });

    const text = describeBlockers(await findBlockers(db, database));

    assert.match(
      text,
      /^root from localhost \(connection \d+, running SELECT in a transaction for/,
    );
    assert.doesNotMatch(text, /secret/);
    await sleeping;
    await slow.run('COMMIT');
  });

  test('says that nobody knows where the account may not see other sessions', async () => {
    await db.run("CREATE USER blind@'%' IDENTIFIED BY 'pw'");
    await db.run("GRANT ALL ON busy.* TO blind@'%'");
    const blind = await connect(server.tcpAddress('blind', 'pw'), { database });

    const found = await findBlockers(blind, database);

    assert.equal(found, 'unknown');
    assert.match(describeBlockers(found), /may not see/);
    await blind.close();
  });
});

describe('a statement that is not repeated', () => {
  test('waits for its tables as long as others are repeated, and leaves the session as it was', async () => {
    const times = 'SELECT @@lock_wait_timeout AS a, @@innodb_lock_wait_timeout AS b';
    await waitBriefly(db);
    const before = await db.one(times);
    const during = await waitLong(db, 42_000, () => db.one(times));

    assert.deepEqual({ ...during }, { a: '42', b: '42' });
    assert.deepEqual(await db.one(times), before);
  });
});

describe('OPTIMIZE TABLE and its like', () => {
  const run = (text: string) => runStatement(db, { sql: text, classification: classify(text) });

  test('fail with what they only tell in a row: a table in use, a table that is missing', async () => {
    await other.run('START TRANSACTION');
    await other.query('SELECT * FROM t LIMIT 1');
    await db.run('SET SESSION lock_wait_timeout = 1');

    await assert.rejects(run('OPTIMIZE TABLE t'), { errno: 1205 });

    await other.run('COMMIT');
    await waitBriefly(db);
    await run('OPTIMIZE TABLE t');
    await run('ANALYZE TABLE t');
    await assert.rejects(run('CHECK TABLE nowhere'), /doesn't exist/);
  });
});
