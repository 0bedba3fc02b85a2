import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeLink } from '../../../healthcheck/link.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

describe('the connection of the sidecar', () => {
  test('cannot write, whatever its account may do', async (t) => {
    const database = await server.createDatabase();
    const root = await server.connect(database);
    await root.run('CREATE TABLE here (id INT PRIMARY KEY)');
    const link = makeLink(server.address, database);
    t.after(() => link.drop());
    const { db } = await link.use();

    for (const statement of [
      'INSERT INTO here VALUES (1)',
      'CREATE TABLE there (id INT)',
      'ALTER TABLE here ADD name TEXT',
      'TRUNCATE here',
      'DROP TABLE here',
    ]) {
      await assert.rejects(db.run(statement), { errno: 1792 }, statement);
    }
    assert.deepEqual(await db.query('SELECT * FROM here'), []);
  });

  test('ends a statement after 2 s and a wait for a table, too', async (t) => {
    const database = await server.createDatabase();
    const root = await server.connect(database);
    await root.run('CREATE TABLE here (id INT PRIMARY KEY)');
    const link = makeLink(server.address, database);
    t.after(() => link.drop());
    const { db } = await link.use();

    // Without a limit it would end well, after ten.
    await assert.rejects(db.query('SELECT SLEEP(10)'), { errno: 1969 });

    await root.run('LOCK TABLES here WRITE');
    const unlimited = 'SET STATEMENT max_statement_time=0 FOR SELECT * FROM here';
    await assert.rejects(db.query(unlimited), { errno: 1205 });
  });

  test('is opened once and used again, until it is dropped', async (t) => {
    const database = await server.createDatabase();
    const link = makeLink(server.address, database);
    t.after(() => link.drop());

    const first = await link.use();
    const second = await link.use();
    link.drop();
    const third = await link.use();

    assert.deepEqual([first.isNew, second.isNew, third.isNew], [true, false, true]);
    assert.equal(second.db.id, first.db.id);
    assert.notEqual(third.db.id, first.db.id);
  });
});
