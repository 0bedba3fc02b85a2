import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareContents } from '../../../src/backup/differences.ts';
import { quoteNameText } from '../../../src/database/identifier.ts';
import {
  contentsOf,
  leftoverSchemas,
  makeBackupDir,
  restore,
  take,
} from '../../support/backup/backups.ts';
import { askServer } from '../../support/backup/oracle.ts';
import { fillWithTorture } from '../../support/backup/torture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;

test('a backup of one of everything is proven, and a restore over a changed database brings all of it back', async (t) => {
  const database = await server.createDatabase('to`rt "x"', { collation: 'utf8mb4_german2_ci' });
  const db = await server.connect(database);
  await fillWithTorture(db);
  const before = await contentsOf(address, database);
  const asked = await askServer(db);
  const set = await take(address, database, makeBackupDir(t));
  assert.equal(set.manifest.proof?.tables, before.tables.length);
  assert.equal(
    set.manifest.proof?.rows,
    before.tables.reduce((sum, { rows }) => sum + rows, 0),
  );

  for (const statement of [
    'SET foreign_key_checks = 0',
    'DROP TABLE child',
    'DROP SEQUENCE `seq 1`',
    'ALTER TABLE parent ADD COLUMN more INT, AUTO_INCREMENT = 4100000000',
    'UPDATE types SET d = 1 WHERE d IS NOT NULL',
    'UPDATE no_key SET a = 2 LIMIT 1',
    'RENAME TABLE audit TO audit2',
    'CREATE TABLE new_table (id INT PRIMARY KEY, t VARCHAR(10))',
    'CREATE TRIGGER new_trigger BEFORE INSERT ON new_table FOR EACH ROW SET NEW.t = 1',
    'CREATE VIEW new_view AS SELECT 1 AS one',
    'CREATE OR REPLACE VIEW a_top AS SELECT 2 AS two',
    'CREATE PROCEDURE new_procedure() SELECT 1',
    'CREATE OR REPLACE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 3',
    'DROP PROCEDURE modes',
    'DROP TRIGGER first_',
    'CREATE EVENT new_event ON SCHEDULE EVERY 1 DAY DO SELECT 1',
    'DROP EVENT disabled_event',
    'CREATE SEQUENCE new_sequence',
    `ALTER DATABASE ${quoteNameText(database)} CHARACTER SET latin1 COMMENT 'changed'`,
    'INSERT INTO deploy_run VALUES (2)',
  ])
    await db.run(statement);
  const states = await restore(address, database, set);

  assert.deepEqual(compareContents(before, await contentsOf(address, database)), []);
  assert.deepEqual(await askServer(db), asked);
  assert.deepEqual(await leftoverSchemas(address, database), []);
  assert.equal((await db.query('SELECT * FROM deploy_run')).length, 2);
  const phases = states.map(({ phase }) => phase);
  assert.deepEqual(phases, ['staging', 'staging', 'swapping', 'swapped', 'compared']);
  // Defaults that use a sequence, and triggers in their order, work in the restored tables.
  await db.run('INSERT INTO child (note) VALUES (1)');
  await db.run("INSERT INTO parent (name) VALUES ('new')");
  assert.equal((await db.one('SELECT name FROM parent ORDER BY id DESC'))?.['name'], 'new12');
});

test('a stock client restores a set with the three lines of its RESTORE.md', async (t) => {
  const database = await server.createDatabase('stock');
  const source = await server.connect(database);
  await fillWithTorture(source);
  // Its statement is longer than what the client takes by itself.
  const large = '(id INT PRIMARY KEY, f FLOAT, b LONGBLOB, t LONGTEXT, s INT)';
  for (const table of [large.replace('f FLOAT, ', ''), large].entries())
    await source.run(`CREATE TABLE large${table.join(' ')}`);
  const values = `REPEAT(x'00FF27', 3000000), REPEAT('ä\\'\\\\😀,(', 600000), 7`;
  await source.run(`INSERT INTO large0 VALUES (1, ${values}), (2, ${values})`);
  await source.run(`INSERT INTO large1 VALUES (1, 0.1, ${values}), (2, 2, NULL, 'x', 3)`);
  const set = await take(address, database, makeBackupDir(t));
  const before = await contentsOf(address, database);
  const text = readFileSync(`${set.dir}/RESTORE.md`, 'utf8');
  assert.match(text, /^The server must take long statements: SET GLOBAL max_allowed_packet = \d+;/);
  const lines = execFileSync('grep', ['^    ', `${set.dir}/RESTORE.md`], { encoding: 'utf8' });
  const db = await server.connect();
  await db.run('DROP DATABASE stock');
  await db.run('CREATE DATABASE stock');

  const script = `set -o pipefail\n${lines
    .replaceAll('mariadb ', `mariadb --no-defaults --socket=${address.socketPath} --user=root `)
    .replaceAll('DATABASE', database)}`;
  execFileSync('bash', ['-e', '-c', script], {
    cwd: set.dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  });

  const ignoreOwn = (key: string) => key === 'table:deploy_run';
  assert.deepEqual(compareContents(before, await contentsOf(address, database), ignoreOwn), []);
});

test('an empty database is backed up, proven and restored', async (t) => {
  const database = await server.createDatabase();
  const set = await take(address, database, makeBackupDir(t));
  assert.deepEqual(set.manifest.tables, []);
  const db = await server.connect(database);
  await db.run('CREATE TABLE later (id INT)');

  await restore(address, database, set);

  assert.deepEqual((await contentsOf(address, database)).tables, []);
  assert.deepEqual(await leftoverSchemas(address, database), []);
});

test('AUTO_INCREMENT values and sequences go on where they were, also of empty tables', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run('CREATE TABLE gone (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 41');
  await db.run('INSERT INTO gone VALUES (NULL)');
  await db.run('DELETE FROM gone');
  await db.run(
    'CREATE SEQUENCE s START WITH 100 INCREMENT BY -7 MINVALUE 1 MAXVALUE 100 NOCACHE CYCLE',
  );
  for (let i = 0; i < 20; i++) await db.query('SELECT NEXTVAL(s)');
  const state = await db.one('SELECT * FROM s');
  const set = await take(address, database, makeBackupDir(t));
  await db.run('ALTER TABLE gone AUTO_INCREMENT = 1');
  await db.run('ALTER SEQUENCE s RESTART 50');

  await restore(address, database, set);

  assert.deepEqual(await db.one('SELECT * FROM s'), state);
  assert.equal((await db.run('INSERT INTO gone VALUES (NULL)')).insertId, '42');
});

test('an event that is due does not fire into what is restored before that is compared', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run('CREATE TABLE fired (id INT AUTO_INCREMENT PRIMARY KEY)');
  await db.run('CREATE EVENT due ON SCHEDULE EVERY 1 SECOND DO INSERT INTO fired VALUES (NULL)');
  const set = await take(address, database, makeBackupDir(t));
  await db.run('SET GLOBAL event_scheduler = ON');
  t.after(async () => {
    await db.run('SET GLOBAL event_scheduler = OFF');
  });
  const count = async () => (await db.query('SELECT id FROM fired')).length;
  const hasFired = async () => {
    for (let look = 0; look < 400 && (await count()) === 0; look++) await sleep(25);
    return (await count()) > 0;
  };
  assert.ok(await hasFired());

  const counts: number[] = [];
  await restore(address, database, set, {
    save: async ({ phase }) => {
      if (phase !== 'swapped' && phase !== 'compared') return;
      // Longer than the event waits: SLEEP of the server.
      await db.query('SELECT SLEEP(1.5)');
      counts.push(await count());
    },
  });

  assert.deepEqual(counts, [0, 0]);
  assert.ok(await hasFired(), 'the event is not enabled again');
});

test('the folder of a set is readable by its owner only', async (t) => {
  const database = await server.createDatabase();
  await (await server.connect(database)).run('CREATE TABLE t (id INT)');
  const set = await take(address, database, makeBackupDir(t));

  assert.equal(statSync(set.dir).mode & 0o777, 0o700);
  for (const { name } of [...set.manifest.files, { name: 'manifest.json' }, { name: 'RESTORE.md' }])
    assert.equal(statSync(`${set.dir}/${name}`).mode & 0o777, 0o600, name);
});
