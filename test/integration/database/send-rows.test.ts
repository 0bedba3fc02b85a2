import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../../src/database/connect.ts';
import { isConnectionLost, isMissingTable } from '../../../src/database/server-errors.ts';
import { startTestServer } from '../../support/server.ts';
import { until } from './support.ts';

const server = await startTestServer({ after });
const database = await server.createDatabase('send_rows');

test('sends its own rows for LOAD DATA LOCAL, whatever file the server asks for', async () => {
  const db = await connect(server.address, { database, sendsRows: true });
  const load = "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE sent";
  const values = async () => (await db.query<{ v: string }>('SELECT v FROM sent')).map((r) => r.v);
  await db.run('CREATE TABLE sent (v VARCHAR(100))');
  async function* rows(...pieces: string[]) {
    for (const piece of pieces) yield Buffer.from(piece);
  }

  await assert.rejects(db.run(load), /LOCAL INFILE/);
  assert.deepEqual(await values(), []);
  const { affectedRows, warnings } = await db.load(load, rows('o', 'ne\ntw', 'o\n'));
  assert.deepEqual({ affectedRows, warnings }, { affectedRows: 2, warnings: 0 });
  assert.deepEqual(await values(), ['one', 'two']);
  assert.equal((await db.load(load, rows('x'.repeat(101)))).warnings, 1);
  await assert.rejects(db.load(load.replace('sent', 'nowhere'), rows('three\n')), isMissingTable);
  await db.run('DELETE FROM sent');

  async function* broken() {
    yield Buffer.from('four\n');
    throw new RangeError('these rows end here');
  }
  await assert.rejects(db.load(load, broken()), RangeError);
  assert.deepEqual(await values(), ['four']);
  await db.close();
});

test('a connection that breaks or is cut while it sends rows ends their reading', async () => {
  const killer = await server.connect(database);
  await killer.run('CREATE TABLE endless (v VARCHAR(100))');
  for (const end of ['kill', 'cut'] as const) {
    const db = await connect(server.address, { database, sendsRows: true });
    const state = { read: 0, isLeft: false };
    async function* endless() {
      const piece = Buffer.from(`${'x'.repeat(99)}\n`.repeat(1000));
      try {
        for (;;) {
          if (++state.read === 20 && end === 'cut') db.destroy();
          if (state.read === 20 && end === 'kill') await killer.run(`KILL CONNECTION ${db.id}`);
          yield piece;
        }
      } finally {
        state.isLeft = true;
      }
    }
    const loading = db.load("LOAD DATA LOCAL INFILE 'x' INTO TABLE endless", endless());
    await assert.rejects(loading, isConnectionLost, end);
    await until('the rows are left', () => state.isLeft);
    assert.equal(db.lost() !== null, end === 'kill');
    db.destroy();
  }
});

test('rows that the server does not take are not read', async () => {
  const blocker = await server.connect(database);
  await blocker.run('CREATE TABLE blocked (id INT PRIMARY KEY, v TEXT)');
  await blocker.run('START TRANSACTION');
  await blocker.run("INSERT INTO blocked VALUES (1, '')");
  const db = await connect(server.address, { database, sendsRows: true });
  const state = { read: 0 };
  async function* many() {
    for (let id = 1; id <= 1000; id++) {
      state.read = id;
      yield Buffer.from(`${id}\t${'x'.repeat(60_000)}\n`);
    }
  }

  const loading = db.load("LOAD DATA LOCAL INFILE 'x' INTO TABLE blocked", many());
  for (let before = -1; state.read === 0 || state.read !== before; await sleep(300)) {
    before = state.read;
  }

  assert.ok(state.read < 500, `${state.read} of 1000 were read`);
  await blocker.run('ROLLBACK');
  assert.equal((await loading).affectedRows, 1000);
  await db.close();
});
