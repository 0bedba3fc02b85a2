import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import sql from 'sql-template-tag';
import type { Contents } from '../../../src/backup/contents.ts';
import { compareContents } from '../../../src/backup/differences.ts';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import { type RestoreState, restoreSet } from '../../../src/backup/restore.ts';
import type { Db } from '../../../src/database/connect.ts';
import { stagingSchemaName } from '../../../src/database/identifier.ts';
import { type DeployError, isDeployError } from '../../../src/errors/deploy-error.ts';
import {
  contentsOf,
  leftoverSchemas,
  makeBackupDir,
  makeLog,
  restore,
  take,
  withHold,
} from '../../support/backup/backups.ts';
import { forgeFile } from '../../support/backup/damage.ts';
import { kindsAfter, kindsBefore } from '../../support/kinds.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;

type Site = { database: string; db: Db; set: BackupSet; old: Contents; changed: Contents };

/** A database that was backed up and then changed. */
async function makeSite(t: TestContext): Promise<Site> {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  const runAll = async (statements: readonly string[]) => {
    for (const statement of statements) await db.run(statement);
  };
  await runAll([
    'CREATE SEQUENCE s',
    'CREATE TABLE t (id BIGINT DEFAULT NEXTVAL(s) PRIMARY KEY, v INT)',
    'INSERT INTO t (v) VALUES (1), (2)',
    'CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.v = NEW.v + 1',
    'CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t',
  ]);
  const old = await contentsOf(address, database);
  const set = await take(address, database, makeBackupDir(t));
  await runAll([
    'DROP TABLE t',
    'DROP SEQUENCE s',
    'CREATE TABLE u (id INT PRIMARY KEY, v INT)',
    'INSERT INTO u VALUES (1, 1)',
    'CREATE TABLE without_triggers (id INT)',
    'CREATE TRIGGER tr BEFORE INSERT ON u FOR EACH ROW SET NEW.v = 5',
    'CREATE TRIGGER before_tr BEFORE INSERT ON u FOR EACH ROW PRECEDES tr SET NEW.v = 6',
    'CREATE EVENT e2 ON SCHEDULE EVERY 2 DAY DO DELETE FROM u',
  ]);
  return { database, db, set, old, changed: await contentsOf(address, database) };
}

async function failureOf(work: Promise<unknown>): Promise<DeployError> {
  try {
    await work;
  } catch (error) {
    assert.ok(isDeployError(error), inspect(error));
    return error;
  }
  return assert.fail('it did not fail');
}

async function assertUntouched({ database, changed }: Site): Promise<void> {
  assert.deepEqual(compareContents(changed, await contentsOf(address, database)), []);
  assert.deepEqual(await leftoverSchemas(address, database), []);
}

for (const table of ['u', 'without_triggers']) {
  test(`a table that stays in use (${table}): given up, all as before, and it works once it is free`, async (t) => {
    const site = await makeSite(t);
    const reader = await server.connect(site.database);
    await reader.run('START TRANSACTION');
    await reader.query(`SELECT * FROM ${table}`);

    const states: RestoreState[] = [];
    const error = await failureOf(
      restore(address, site.database, site.set, {
        swapWaitMs: 1500,
        save: async (state) => {
          states.push(state);
        },
      }),
    );

    assert.equal(error.code, 'RESTORE_FAILED');
    assert.match(error.message, /could not be swapped in/);
    assert.equal(states.at(-1)?.phase, 'staging');
    await reader.run('COMMIT');
    await assertUntouched(site);
    await restore(address, site.database, site.set, { saved: states.at(-1) ?? null });
    assert.deepEqual(compareContents(site.old, await contentsOf(address, site.database)), []);
  });
}

test('a set that loads into something else than its manifest says: refused in the staging, nothing is changed', async (t) => {
  const site = await makeSite(t);
  await forgeFile(site.set.dir, 'rows-0001-t.sql.zst', (text) =>
    text.replace(/\((\d+),2\)/, '($1,3)'),
  );

  const error = await failureOf(restore(address, site.database, site.set));

  assert.equal(error.code, 'RESTORE_FAILED');
  assert.match(error.message, /table t: other values in its rows/);
  await assertUntouched(site);
});

test('tables of other databases that refer to ours: refused before anything is written', async (t) => {
  const site = await makeSite(t);
  const other = await server.createDatabase();
  await site.db.run(`CREATE TABLE \`${other}\`.r (id INT REFERENCES \`${site.database}\`.u (id))`);

  const error = await failureOf(restore(address, site.database, site.set));

  assert.equal(error.code, 'RESTORE_FAILED');
  assert.match(error.message, new RegExp(`refer to tables of .*: ${other}\\.r`));
  await assertUntouched(site);
});

test('a table with a DATA DIRECTORY: refused before anything is written', async (t) => {
  const site = await makeSite(t);
  const outside = join(makeBackupDir(t), 'data');
  mkdirSync(outside, { mode: 0o777 });
  await site.db.run(`CREATE TABLE outside (id INT) DATA DIRECTORY='${outside}'`);
  await site.db.run("CREATE TABLE inside (id INT) COMMENT 'not a DATA DIRECTORY=''/tmp'''");

  const error = await failureOf(restore(address, site.database, site.set));

  assert.equal(error.code, 'RESTORE_FAILED');
  assert.match(error.message, /cannot be swapped: outside$/);
  assert.deepEqual(await leftoverSchemas(address, site.database), []);
  // The server would make the folder again after it was removed.
  await site.db.run('DROP TABLE outside');
});

test('replaced tables of an earlier restore that nobody ended are not dropped: refused', async (t) => {
  const site = await makeSite(t);
  const old = stagingSchemaName(site.database, 'old');
  await site.db.run(`CREATE DATABASE \`${old}\``);
  await site.db.run(`CREATE TABLE \`${old}\`.precious (id INT)`);

  const error = await failureOf(restore(address, site.database, site.set));

  assert.equal(error.code, 'RESTORE_FAILED');
  assert.match(error.message, /holds tables of an earlier restore/);
  assert.equal((await site.db.query(`SHOW TABLES FROM \`${old}\``)).length, 1);
});

test('a table that took the name of a sequence: refused, nothing is changed', async (t) => {
  const site = await makeSite(t);
  await site.db.run('CREATE TABLE s (id INT)');
  const changed = await contentsOf(address, site.database);

  const error = await failureOf(restore(address, site.database, site.set));

  assert.equal(error.code, 'RESTORE_FAILED');
  assert.match(error.message, /have the names of sequences: s/);
  await assertUntouched({ ...site, changed });
});

test('rights on tables, columns, views and routines are what they were', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  const user = `${database}@localhost`;
  const code = [
    'CREATE OR REPLACE TABLE held (id INT PRIMARY KEY, v INT)',
    'CREATE OR REPLACE VIEW seen AS SELECT id FROM held',
    'CREATE OR REPLACE FUNCTION called() RETURNS INT RETURN 1',
    'CREATE OR REPLACE PROCEDURE run() SELECT 1',
    `CREATE USER ${user}`,
    `GRANT SELECT (id) ON held TO ${user}`,
    `GRANT SELECT ON seen TO ${user}`,
    `GRANT EXECUTE ON FUNCTION called TO ${user}`,
    `GRANT EXECUTE ON PROCEDURE run TO ${user}`,
    "SET sql_mode = 'ORACLE'",
    'CREATE PACKAGE pack AS PROCEDURE p; END',
    'CREATE PACKAGE BODY pack AS PROCEDURE p AS BEGIN SELECT 1; END; END',
    `GRANT EXECUTE ON PACKAGE pack TO ${user}`,
    `GRANT EXECUTE ON PACKAGE BODY pack TO ${user}`,
    'SET sql_mode = DEFAULT',
  ];
  for (const statement of code) await db.run(statement);
  const old = await contentsOf(address, database);
  const before = await db.query(`SHOW GRANTS FOR ${user}`);
  const set = await take(address, database, makeBackupDir(t));
  for (const statement of [
    "SET sql_mode = 'ORACLE'",
    'CREATE OR REPLACE PACKAGE pack AS PROCEDURE p2; END',
    'CREATE OR REPLACE PACKAGE BODY pack AS PROCEDURE p2 AS BEGIN SELECT 2; END; END',
    'CREATE PACKAGE newer_pack AS PROCEDURE p; END',
    'CREATE PACKAGE BODY newer_pack AS PROCEDURE p AS BEGIN SELECT 2; END; END',
    'SET sql_mode = DEFAULT',
    'ALTER TABLE held ADD COLUMN more INT',
    'CREATE OR REPLACE VIEW seen AS SELECT id + 1 AS id FROM held',
    'CREATE OR REPLACE FUNCTION called() RETURNS INT RETURN 2',
    'CREATE OR REPLACE PROCEDURE run() SELECT 2',
    'CREATE PROCEDURE newer() SELECT 2',
  ])
    await db.run(statement);

  await restore(address, database, set);

  assert.deepEqual(compareContents(old, await contentsOf(address, database)), []);
  assert.equal(before.length, 7);
  assert.deepEqual(await db.query(`SHOW GRANTS FOR ${user}`), before);
});

/** A database of which every kind of object has become another one, and a set of what it was. */
async function makeKinds(t: TestContext): Promise<Site> {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  for (const statement of kindsBefore) await db.run(statement);
  const old = await contentsOf(address, database);
  const set = await take(address, database, makeBackupDir(t));
  for (const statement of kindsAfter) await db.run(statement);
  return { database, db, set, old, changed: await contentsOf(address, database) };
}

for (const how of ['staged', 'in place'] as const) {
  test(`tables, views and sequences that have become one another are what they were (${how})`, async (t) => {
    const site = await makeKinds(t);

    await restore(address, site.database, site.set, { how, mayMoveAside: true });

    assert.deepEqual(compareContents(site.old, await contentsOf(address, site.database)), []);
    await site.db.run('INSERT INTO numbered_by (v) VALUES (3)');
    assert.deepEqual(await leftoverSchemas(address, site.database), []);
  });
}

test('what was moved aside for the staging has its name again when the restore is given up', async (t) => {
  const site = await makeKinds(t);
  const reader = await server.connect(site.database);
  await reader.run('START TRANSACTION');
  await reader.query('SELECT * FROM t_v_rows');

  const options = { mayMoveAside: true, swapWaitMs: 1500 };
  const error = await failureOf(restore(address, site.database, site.set, options));

  assert.match(error.message, /could not be swapped in/);
  await assertUntouched(site);
});

test('a signal before the swap ends the restore and leaves the database as it was', async (t) => {
  const site = await makeSite(t);
  const stop = new AbortController();

  const error = await failureOf(
    restore(address, site.database, site.set, {
      signal: stop.signal,
      onProgress: ({ phase }) => phase === 'load' && stop.abort(),
    }),
  );

  assert.equal(error.code, 'INTERRUPTED');
  await assertUntouched(site);
});

test('a restore that lost the lock changes nothing more, and the next one finishes', async (t) => {
  const site = await makeSite(t);
  let state: RestoreState | null = null;
  const error = await failureOf(
    withHold(address, site.database, (hold) =>
      restoreSet({
        ...{ hold, address, database: site.database, set: site.set, log: makeLog(), saved: null },
        save: async (next) => {
          state = next;
          // A take-over ends the working connection in exactly this way.
          if (next.phase === 'swapping') await site.db.run(`KILL CONNECTION ${hold.db.id}`);
        },
      }),
    ),
  );

  assert.match(error.code, /^(CONNECTION_LOST|LOCK_LOST)$/);
  assert.deepEqual(
    compareContents(
      site.changed,
      await contentsOf(address, site.database),
      (key) => key === 'sequence:s',
    ),
    [],
  );
  await restore(address, site.database, site.set, { saved: state });
  assert.deepEqual(compareContents(site.old, await contentsOf(address, site.database)), []);
  assert.deepEqual(await leftoverSchemas(address, site.database), []);
});

test('a swap that nobody noted is recognised, also when old and new tables share no name', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run('CREATE TABLE old_name (id INT)');
  await db.run('INSERT INTO old_name VALUES (1)');
  const old = await contentsOf(address, database);
  const set = await take(address, database, makeBackupDir(t));
  await db.run('RENAME TABLE old_name TO new_name');
  const states: RestoreState[] = [];
  const died = restore(address, database, set, {
    save: async (state) => {
      if (state.phase === 'swapped') throw new Error('died');
      states.push(state);
    },
  });
  await assert.rejects(died, /died/);

  await restore(address, database, set, { saved: states.at(-1) ?? null });

  assert.deepEqual(compareContents(old, await contentsOf(address, database)), []);
  assert.deepEqual(await leftoverSchemas(address, database), []);
});

test('an event whose only time is over comes back disabled and is said, one of the future comes back enabled', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  const log = makeLog();
  // As it was when the set was taken: nothing fired yet.
  await db.run('SET timestamp=1000000000');
  for (const [name, when, client] of [
    ['preserved', '2010-01-01', 'latin1'],
    ['kept', '2010-01-01', 'utf8mb4'],
    ['later', '2037-01-01', 'utf8mb4'],
  ]) {
    const create = `CREATE EVENT ${name} ON SCHEDULE AT '${when}' ON COMPLETION PRESERVE DO SELECT 'ENABLE Ä'`;
    await db.run(sql`SET @text=${create}`);
    await db.run(`SET SESSION character_set_client=${client}`);
    await db.run('EXECUTE IMMEDIATE @text');
    await db.run('SET NAMES utf8mb4');
  }
  await db.run('ALTER EVENT `kept` ON COMPLETION NOT PRESERVE');
  await db.run('SET timestamp=DEFAULT');
  const read = () =>
    db.query<{ name: string; status: string; body: string; charset: string }>(
      `SELECT event_name AS name, status AS status, event_definition AS body, character_set_client AS charset
       FROM information_schema.events WHERE event_schema = '${database}' ORDER BY event_name`,
    );
  const before = await read();
  const set = await take(address, database, makeBackupDir(t));
  await db.run('DROP EVENT `preserved`');
  await db.run('DROP EVENT `kept`');
  await db.run('SET GLOBAL event_scheduler=ON');
  t.after(() => db.run('SET GLOBAL event_scheduler=OFF').then(() => undefined));

  await restore(address, database, set, { log });

  assert.ok(before.every(({ status }) => status === 'ENABLED'));
  assert.deepEqual(
    await read(),
    before.map((event) => ({ ...event, status: event.name === 'later' ? 'ENABLED' : 'DISABLED' })),
  );
  for (const name of ['kept', 'preserved'])
    assert.match(log.lines.join('\n'), new RegExp(`time of the event ${name} is over`));
});

test('an unfinished restore is not gone on with from another set', async (t) => {
  const site = await makeSite(t);

  const saved = { phase: 'swapped', set: 'backup_20200101_000000' } as const;
  const error = await failureOf(restore(address, site.database, site.set, { saved }));

  assert.equal(error.code, 'RESTORE_FAILED');
  assert.match(error.message, /a restore of backup_20200101_000000 is unfinished/);
  await assertUntouched(site);
});

test('rows that somebody writes after the swap are said, and are no failure', async (t) => {
  const site = await makeSite(t);
  const log = makeLog();

  await restore(address, site.database, site.set, {
    log,
    save: async ({ phase }) => {
      if (phase === 'swapped') await site.db.run('INSERT INTO t (v) VALUES (77)');
    },
  });

  assert.match(log.lines.join('\n'), /somebody writes to .*table t: 2 rows expected, 3 found/);
  assert.deepEqual(await leftoverSchemas(address, site.database), []);
});

test('an object that somebody adds after the swap is named, and the replaced tables are kept', async (t) => {
  const site = await makeSite(t);
  const fail = restore(address, site.database, site.set, {
    save: async ({ phase }) => {
      if (phase === 'swapped') await site.db.run('CREATE TABLE sudden (id INT)');
    },
  });

  const error = await failureOf(fail);

  assert.equal(error.code, 'PUT_BACK_FAILED');
  assert.match(error.message, /table sudden: not expected/);
  const old = stagingSchemaName(site.database, 'old');
  assert.deepEqual(
    await leftoverSchemas(address, site.database).then((names) => names.includes(old)),
    true,
  );
});
