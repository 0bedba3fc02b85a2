import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import {
  type DataFunction,
  loadDataFunction,
  runDataFunction,
} from '../../../src/migrations/data-function.ts';
import { writeMigrations } from '../../support/migrations.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function makeDatabase(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await db.run('CREATE TABLE hero (id int PRIMARY KEY, name text)');
  await db.run("INSERT INTO hero VALUES (1, 'Anna'), (2, 'Bert?')");
  return db;
}

async function inTransaction(db: Db, fn: DataFunction): Promise<void> {
  await db.run('START TRANSACTION');
  await runDataFunction(db, fn, { rerunnable: false });
}

async function namesOf(db: Db): Promise<string[]> {
  const rows = await db.query<{ name: string }>('SELECT name FROM hero ORDER BY id');
  return rows.map(({ name }) => name);
}

function write(t: TestContext, source: string): string {
  return join(writeMigrations(t, { '0001_a.data.ts': source }), '0001_a.data.ts');
}

describe('loadDataFunction', () => {
  test('gives the two functions of a TypeScript file', async (t) => {
    const file = write(
      t,
      `export async function up(db: { run(s: string): Promise<unknown> }): Promise<void> {
        await db.run("UPDATE hero SET name = 'up'");
      }
      export async function down(db: { run(s: string): Promise<unknown> }): Promise<void> {
        await db.run("UPDATE hero SET name = 'down'");
      }`,
    );
    const db = await makeDatabase();

    const functions = await loadDataFunction(file);
    await inTransaction(db, functions.up);
    const after = await namesOf(db);
    await runDataFunction(db, functions.down, { rerunnable: false });

    assert.deepEqual(after, ['up', 'up']);
    assert.deepEqual(await namesOf(db), ['down', 'down']);
  });

  test('makes a missing down a migration that cannot be reverted', async (t) => {
    const functions = await loadDataFunction(write(t, 'export async function up() {}'), 'shown.ts');
    const db = await makeDatabase();

    await assert.rejects(inTransaction(db, functions.down), {
      code: 'NOT_REVERSIBLE',
      where: 'shown.ts',
    });
  });

  const wrong = {
    'exports no up': 'export async function down() {}',
    'exports an up that is no function': 'export const up = 1;',
    'exports a down that is no function': "export async function up() {}\nexport const down = 'x';",
    'is not well formed': 'export async function up( {',
    'throws when it is imported': "throw new Error('no');",
  };
  for (const [what, source] of Object.entries(wrong)) {
    test(`refuses a file that ${what}`, async (t) => {
      await assert.rejects(loadDataFunction(write(t, source), 'shown.ts'), {
        code: 'MIGRATION_FILE_INVALID',
        where: 'shown.ts',
      });
    });
  }
});

describe('runDataFunction', () => {
  test('reads and writes with values in the place of question marks', async () => {
    const db = await makeDatabase();

    await inTransaction(db, async (handle) => {
      const rows = await handle.query<{ id: number }>(
        "SELECT id FROM hero WHERE name = 'Bert?' AND id > ?",
        [0],
      );
      const { affectedRows } = await handle.run('UPDATE hero SET name = ? WHERE id = ?', [
        "O'Neill \\ ü",
        rows[0]?.id,
      ]);
      assert.equal(affectedRows, 1);
    });
    await db.run('COMMIT');

    assert.deepEqual(await namesOf(db), ['Anna', "O'Neill \\ ü"]);
  });

  test('leaves the end of the transaction to its caller', async () => {
    const db = await makeDatabase();

    await inTransaction(db, (handle) =>
      handle.run("UPDATE hero SET name = 'x'").then(() => undefined),
    );
    await db.run('ROLLBACK');

    assert.deepEqual(await namesOf(db), ['Anna', 'Bert?']);
  });

  test('accepts a function that writes nothing', async () => {
    await inTransaction(await makeDatabase(), async () => undefined);
  });

  const refused = [
    'ALTER TABLE hero ADD age int',
    'TRUNCATE TABLE hero',
    'CREATE TEMPORARY TABLE t (id int)',
    'COMMIT',
    'START TRANSACTION',
    'SET autocommit = 1',
    'CALL something()',
    "SELECT GET_LOCK('a', 1)",
    '/*! DROP TABLE hero */',
    'UPDATE deploy_lock SET epoch = 1',
  ];
  for (const statement of refused) {
    test(`refuses ${statement} before it reaches the server`, async () => {
      const db = await makeDatabase();

      const run = inTransaction(db, async (handle) => {
        await handle.run("UPDATE hero SET name = 'x'");
        await handle.query(statement);
      });

      await assert.rejects(run, { code: 'MIGRATION_FAILED' });
      await db.run('ROLLBACK');
      assert.deepEqual(await namesOf(db), ['Anna', 'Bert?']);
    });
  }

  test('refuses a number of values that does not fit', async () => {
    const db = await makeDatabase();

    const run = inTransaction(db, async (handle) => {
      await handle.query('SELECT ?, ?', [1]);
    });

    await assert.rejects(run, {
      code: 'MIGRATION_FAILED',
      message: 'a statement of the data function has 2 ?, and 1 values',
    });
  });

  test('passes on what the function throws', async () => {
    const db = await makeDatabase();

    const run = inTransaction(db, async () => {
      throw new RangeError('no hero is left');
    });

    await assert.rejects(run, { name: 'RangeError', message: 'no hero is left' });
  });

  test('finds a function that lacks an await: its statement would be left running', async () => {
    const db = await makeDatabase();

    const run = inTransaction(db, async (handle) => {
      void handle.query('SELECT SLEEP(0.2)');
    });

    await assert.rejects(run, {
      code: 'MIGRATION_FAILED',
      message: 'the data function ended before its statements had: it lacks an await',
    });
  });

  test('refuses a statement that comes after the function has ended', async () => {
    const db = await makeDatabase();
    let late: () => Promise<unknown> = async () => undefined;

    await inTransaction(db, async (handle) => {
      late = () => handle.query('SELECT 1');
    });

    await assert.rejects(late(), { code: 'MIGRATION_FAILED' });
  });

  test('finds a transaction that a deadlock has ended although the function hid the error', async () => {
    const db = await makeDatabase();
    const other = await server.connect();
    const row = await db.one<{ name: string }>('SELECT DATABASE() AS name');
    await other.run(`USE ${row!.name}`);
    await other.run('SET innodb_lock_wait_timeout = 20');
    await other.run('START TRANSACTION');
    // The server ends the transaction with fewer changes.
    await other.run('CREATE TEMPORARY TABLE t (id int)');
    await other.run("UPDATE hero SET name = 'much to undo' WHERE id = 2");

    const run = inTransaction(db, async (handle) => {
      await handle.run('SELECT id FROM hero WHERE id = 1 FOR UPDATE');
      const blocked = other.run("UPDATE hero SET name = 'other' WHERE id = 1");
      await handle.run('SELECT id FROM hero WHERE id = 2 FOR UPDATE').catch(() => undefined);
      await blocked;
      await handle.run("INSERT INTO hero VALUES (3, 'half')").catch(() => undefined);
    });

    await assert.rejects(run, {
      code: 'MIGRATION_FAILED',
      message: 'the transaction of the data function ended before the function did',
    });
    await other.run('ROLLBACK');
    assert.deepEqual(await namesOf(db), ['Anna', 'Bert?']);
  });
});
