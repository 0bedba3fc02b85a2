import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { beginFolder, publishFolder, sweepUnfinished } from '../../../src/backup/folder.ts';
import { listSets } from '../../../src/backup/list.ts';
import type { Progress } from '../../../src/backup/progress.ts';
import { proveSet } from '../../../src/backup/prove.ts';
import { halfWayReason, importReason } from '../../../src/backup/reason.ts';
import { findReusableSet } from '../../../src/backup/reuse.ts';
import { withConnection } from '../../../src/database/connect.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { startScratch } from '../../../src/scratch/server.ts';
import { contentsOf, makeBackupDir, makeLog, restore, take } from '../../support/backup/backups.ts';
import { flipBit, forgeFile } from '../../support/backup/damage.ts';
import { withFakeDump } from '../../support/backup/fake-dump.ts';
import { startTestServer, testScratchDir } from '../../support/server.ts';

const server = await startTestServer({ after }, { tcp: 'loopback' });
const { address } = server;

async function makeDatabase(...statements: string[]): Promise<string> {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  for (const statement of statements) await db.run(statement);
  return database;
}

const TABLE = 'CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, s LONGTEXT)';

test('a backup by several processes while others write 500 rows a second is one point in time', async (t) => {
  const database = await makeDatabase(
    'CREATE TABLE a (id INT PRIMARY KEY, amount INT, f FLOAT)',
    'CREATE TABLE b (id INT PRIMARY KEY, amount INT, filler TEXT)',
    'CREATE TABLE log_a (id INT AUTO_INCREMENT PRIMARY KEY)',
    'CREATE TABLE log_b (id INT AUTO_INCREMENT PRIMARY KEY)',
    'INSERT INTO a SELECT seq, 1000, 1 FROM seq_1_to_100',
    "INSERT INTO b SELECT seq, 1000, REPEAT('x', 1000) FROM seq_1_to_3000",
    'ANALYZE TABLE a, b',
  );
  let stop = false;
  let transactions = 0;
  const writers = [1, 2].map(async (number) => {
    const db = await server.connect(database);
    while (!stop) {
      await db.run('START TRANSACTION');
      // Ten rows by each statement, in the first part of the table or in the last.
      const ids = number === 1 ? 'id <= 10' : 'id > 90 AND id <= 100';
      const farIds = number === 1 ? 'id <= 10' : 'id > 2990';
      await db.run(`UPDATE a SET amount = amount - 7 WHERE ${ids}`);
      await db.run('INSERT INTO log_a SELECT NULL FROM seq_1_to_10');
      await db.run(`UPDATE b SET amount = amount + 7 WHERE ${farIds}`);
      await db.run('INSERT INTO log_b SELECT NULL FROM seq_1_to_10');
      await db.run('COMMIT');
      transactions++;
    }
  });
  while (transactions < 20) await sleep(5);
  const sets = [];
  const dir = makeBackupDir(t);
  const begun = { at: performance.now(), transactions };
  sets.push(await take(address, database, dir, { leastPartBytes: 100_000 }));
  // A dump whose snapshot is late must be waited for.
  const log = join(dir, 'dumps');
  withFakeDump(t, `echo "$@" >> ${log}; sleep 0.$((RANDOM % 5)); exec "$real" "$@"`);
  sets.push(await take(address, database, dir, { leastPartBytes: 100_000 }));
  const seconds = (performance.now() - begun.at) / 1000;
  const rows = (transactions - begun.transactions) * 40;
  stop = true;
  await Promise.all(writers);
  assert.ok(rows / seconds >= 500, `${rows} rows were written in ${seconds} s`);
  const dumps = readFileSync(log, 'utf8').trim().split('\n');
  assert.ok(dumps.length >= 4, `${dumps.length} processes`);
  assert.ok(sets[0]!.manifest.files.filter(({ table }) => table === 'b').length > 2);

  const db = await server.connect(database);
  for (const set of sets) {
    await restore(address, database, set);
    const row =
      await db.one(`SELECT (SELECT SUM(amount) FROM a) + (SELECT SUM(amount) FROM b) AS total,
      (SELECT COUNT(*) FROM log_a) - (SELECT COUNT(*) FROM log_b) AS difference,
      (SELECT COUNT(*) FROM log_a) * 7 + (SELECT SUM(amount) FROM a) AS moved`);
    assert.deepEqual({ ...row }, { total: '3100000', difference: '0', moved: '100000' });
  }
});

test('a transaction that holds a table is waited for', async (t) => {
  const database = await makeDatabase(TABLE);
  const writer = await server.connect(database);
  await writer.run('START TRANSACTION');
  await writer.run("INSERT INTO t (s) VALUES ('late')");
  const taken = take(address, database, makeBackupDir(t));
  const db = await server.connect();
  for (let look = 0; look < 400; look++) {
    const waiting = await db.one(
      "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'LOCK TABLES%' AND state LIKE 'Waiting%'",
    );
    if (waiting !== undefined) break;
    await sleep(25);
  }

  await writer.run('COMMIT');

  assert.equal((await taken).manifest.tables[0]?.rows, 1);
});

test('numbers of any kind are written to their last bit by every writer', async (t) => {
  const numbers = '(1, 94.01399759223483, 0.1), (2, -272.5801234567891, 16777217), (3, 5e-324, 1)';
  const database = await makeDatabase(
    'CREATE TABLE by_dump (id INT PRIMARY KEY, d DOUBLE, n INT)',
    'CREATE TABLE by_us (id INT PRIMARY KEY, d DOUBLE, f FLOAT)',
    'CREATE TABLE past (id INT PRIMARY KEY, d DOUBLE, n INT) WITH SYSTEM VERSIONING',
    ...['by_dump', 'by_us', 'past'].map((table) => `INSERT INTO ${table} VALUES ${numbers}`),
    'UPDATE past SET d = 66.70200100000003',
  );
  for (const format of ['sql', 'json'] as const) {
    const { manifest } = await take(address, database, makeBackupDir(t), { format });
    assert.equal(manifest.proof?.rows, 12);
  }
});

test('two backups in one second get names of their own', async (t) => {
  const database = await makeDatabase(TABLE);
  const dir = makeBackupDir(t);

  const sets = await Promise.all([1, 2, 3].map(() => take(address, database, dir)));

  assert.equal(new Set(sets.map(({ name }) => name)).size, 3);
  assert.deepEqual(
    (await listSets(dir)).map(({ problem }) => problem),
    [null, null, null],
  );
});

test('tables of this program are in no backup', async (t) => {
  const database = await makeDatabase(
    TABLE,
    'CREATE TABLE deploy_run (id INT)',
    'INSERT INTO deploy_run VALUES (1)',
  );

  const { manifest } = await take(address, database, makeBackupDir(t));

  assert.deepEqual(
    manifest.tables.map(({ name }) => name),
    ['t'],
  );
});

test('an account with rights on this database alone takes a backup and restores it', async (t) => {
  const database = await makeDatabase();
  const root = await server.connect();
  await root.run(`CREATE USER app@'%' IDENTIFIED BY 'se"cr''e\\\\t'`);
  await root.run(`GRANT ALL ON \`${database.replaceAll('_', '\\_')}\`.* TO app@'%'`);
  await root.run(`GRANT ALL ON \`${database.replaceAll('_', '\\_')}\\_deploy\\_%\`.* TO app@'%'`);
  const app = server.tcpAddress('app', `se"cr'e\\t`);
  const { connect } = await import('../../../src/database/connect.ts');
  const db = await connect(app, { database });
  t.after(() => db.close());
  for (const statement of [
    TABLE,
    "INSERT INTO t VALUES (1, 'x')",
    'CREATE VIEW v AS SELECT * FROM t',
    'CREATE PROCEDURE p() SELECT 1',
    'CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.s = 1',
    'CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t',
  ])
    await db.run(statement);
  const before = await contentsOf(app, database);

  const set = await take(app, database, makeBackupDir(t));
  await db.run('DROP TABLE t');
  await restore(app, database, set);

  assert.deepEqual(await contentsOf(app, database), before);
});

test('the password is among no process’s arguments', async (t) => {
  const database = await makeDatabase(
    TABLE,
    "INSERT INTO t (s) SELECT REPEAT('x', 10000) FROM seq_1_to_500",
  );
  const root = await server.connect();
  await root.run(`CREATE USER secret@'%' IDENTIFIED BY 'hunter2hunter2'`);
  await root.run(`GRANT ALL ON \`${database}\`.* TO secret@'%'`);
  const seen: string[] = [];

  await take(server.tcpAddress('secret', 'hunter2hunter2'), database, makeBackupDir(t), {
    onProgress: ({ phase }) => {
      if (phase === 'dump')
        seen.push(spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout);
    },
  });

  assert.match(seen.join(), /mariadb-dump .*--user=secret/);
  assert.doesNotMatch(seen.join(), /hunter2hunter2/);
});

test('progress is told for the dump, the hashes and the load', async (t) => {
  const database = await makeDatabase(TABLE, "INSERT INTO t (s) VALUES ('x')");
  const told: Progress[] = [];

  await take(address, database, makeBackupDir(t), {
    onProgress: (progress) => told.push(progress),
  });

  assert.deepEqual([...new Set(told.map(({ phase }) => phase))].sort(), ['dump', 'hash', 'load']);
});

test('a backup is proven in a scratch server that runs already', async (t) => {
  const database = await makeDatabase(TABLE);
  const scratch = await startScratch({ dir: testScratchDir });
  t.after(() => scratch.stop());

  const set = await take(address, database, makeBackupDir(t), { scratch, scratchDir: '/nowhere' });

  assert.equal(set.manifest.proof?.scratchVersion, scratch.serverVersion);
});

test('a signal ends a backup and leaves nothing', async (t) => {
  const database = await makeDatabase(
    TABLE,
    "INSERT INTO t (s) SELECT REPEAT('x', 10000) FROM seq_1_to_3000",
  );
  const dir = makeBackupDir(t);
  const stop = new AbortController();

  const taken = take(address, database, dir, {
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });

  await assert.rejects(taken, { code: 'INTERRUPTED' });
  assert.deepEqual(readdirSync(dir), []);
});

test('a connection that breaks while its rows are read ends the backup and leaves nothing', async (t) => {
  const database = await makeDatabase(
    'CREATE TABLE ours (id INT PRIMARY KEY, f FLOAT, s TEXT)',
    "INSERT INTO ours SELECT seq, 1, REPEAT('x', 10000) FROM seq_1_to_2000",
  );
  const dir = makeBackupDir(t);
  const client = (text: string) =>
    execFileSync(
      'mariadb',
      ['--no-defaults', `--socket=${address.socketPath}`, '--user=root', '-N', '-e', text],
      { encoding: 'utf8' },
    );
  let killed = 0;

  const taken = take(address, database, dir, {
    // This program stands still meanwhile: the server has many of the rows left.
    onProgress: ({ phase }) => {
      if (phase !== 'dump' || killed > 0) return;
      const ids = client(`SELECT id FROM information_schema.processlist
        WHERE db = '${database}' AND info LIKE 'SELECT %CAST(\`f\` AS DOUBLE)%'`);
      for (const id of ids.trim().split('\n').filter(Boolean)) {
        killed++;
        client(`KILL ${id}`);
      }
    },
  });

  const error = await failureOf(taken);
  assert.equal(killed, 1);
  assert.ok(isDeployError(error, 'CONNECTION_LOST'), inspect(error));
  assert.deepEqual(readdirSync(dir), []);
});

test('an invalid view is kept as text, and a restore says when it cannot make it', async (t) => {
  const database = await makeDatabase(
    TABLE,
    'CREATE VIEW broken AS SELECT s FROM t',
    'CREATE VIEW sound AS SELECT id FROM t',
    'ALTER TABLE t DROP COLUMN s',
  );
  const db = await server.connect(database);
  const set = await take(address, database, makeBackupDir(t));
  const before = await contentsOf(address, database);

  await restore(address, database, set);
  assert.deepEqual(await contentsOf(address, database), before);
  await db.run('DROP VIEW broken');
  const log = makeLog();
  await restore(address, database, set, { log });

  assert.deepEqual(set.manifest.invalidViews, ['broken']);
  assert.match(log.lines.join(), /the view broken was invalid in the backup and cannot be made/);
});

test('a view on another schema is proven without that schema, by its text', async (t) => {
  const other = await makeDatabase(
    'CREATE TABLE far (id INT, d DATE, s VARCHAR(20))',
    'CREATE TABLE further (id INT, `ü` TEXT)',
  );
  const database = await makeDatabase(
    TABLE,
    `CREATE VIEW beyond AS SELECT COUNT(far.d) AS total, x.\`ü\`, t.s FROM t
      JOIN ${other}.far ON far.id = t.id LEFT JOIN ${other}.further x ON x.id = far.id GROUP BY far.s`,
    'CREATE VIEW above AS SELECT total FROM beyond',
  );
  const scratch = await startScratch({ dir: testScratchDir });
  t.after(() => scratch.stop());
  const set = await take(address, database, makeBackupDir(t), { scratch });
  // Left there, it would make views of the next set valid that are not.
  const left = await withConnection(scratch.address, {}, (root) =>
    root.query(`SHOW DATABASES LIKE '${other}'`),
  );
  assert.deepEqual(left, []);
  const before = await contentsOf(address, database);
  await restore(address, database, set);
  assert.deepEqual(await contentsOf(address, database), before);
  assert.deepEqual(set.manifest.invalidViews, []);

  await forgeFile(set.dir, 'objects.sql.zst', (text) => text.replace('count(', 'max('));
  await assert.rejects(
    proveSet({ set, scratch, scratchDir: '/nowhere', scratchVariables: {}, log: makeLog() }),
    /view beyond: other definition/,
  );
});

test('a row that is too long to be hashed is a backup that failed, not a bug of a query', async (t) => {
  const database = await makeDatabase(
    'CREATE TABLE long_row (a TEXT, b TEXT)',
    "INSERT INTO long_row VALUES (REPEAT('a', 60000), REPEAT('b', 60000))",
  );
  const root = await server.connect();
  await root.run('SET GLOBAL max_allowed_packet=65536');
  t.after(() => root.run('SET GLOBAL max_allowed_packet=1073741824'));

  const error = await failureOf(take(address, database, makeBackupDir(t)));

  assert.ok(isDeployError(error, 'BACKUP_FAILED'), inspect(error));
  assert.match(error.message, /a row of table long_row is too long to be hashed/);
});

test('an unfinished set says whose it is until it has its final name', async (t) => {
  const dir = makeBackupDir(t);
  const { dir: unfinished, name } = await beginFolder(dir, new Date(), 'run');
  mkdirSync(join(dir, name));

  assert.equal(await publishFolder(dir, unfinished, name), false);
  assert.deepEqual(readdirSync(unfinished), ['owner.json']);
  assert.equal(await publishFolder(dir, unfinished, `${name}_2`), true);
  assert.deepEqual(readdirSync(join(dir, `${name}_2`)), []);
});

test('a folder that does not say yet whose it is is left alone, and swept when it is older', async (t) => {
  const dir = makeBackupDir(t);
  const path = join(dir, `.unfinished-backup_20200101_000000-${spawnSync('true').pid}`);
  mkdirSync(path);

  assert.deepEqual(await sweepUnfinished(dir, makeLog()), []);
  utimesSync(path, Date.now() / 1000 - 120, Date.now() / 1000 - 120);
  assert.equal((await sweepUnfinished(dir, makeLog())).length, 1);
});

describe('takeBackup refuses, before anything is locked', () => {
  const outside = mkdtempSync(join(tmpdir(), 'deploy-data-'));
  after(() => rmSync(outside, { recursive: true, force: true }));

  const cases: readonly (readonly [what: string, message: RegExp, ...statements: string[]])[] = [
    [
      'tables with files elsewhere',
      /tables have a DATA DIRECTORY, which a restore cannot bring back: outside/,
      `CREATE TABLE outside (id INT) DATA DIRECTORY = '${outside}'`,
    ],
    [
      'history that is kept by transactions',
      /history of tables that is kept by transactions, not by times, cannot be restored: past/,
      `CREATE TABLE past (id INT, a BIGINT UNSIGNED GENERATED ALWAYS AS ROW START,
        b BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, b)) WITH SYSTEM VERSIONING`,
    ],
  ];
  for (const [what, message, ...statements] of cases) {
    test(what, async (t) => {
      const database = await makeDatabase(TABLE, ...statements);
      const dir = makeBackupDir(t);

      const error = await failureOf(take(address, database, dir));

      assert.ok(isDeployError(error, 'BACKUP_FAILED'), inspect(error));
      assert.match(error.message, message);
      assert.ok(error.next?.length);
      assert.deepEqual(readdirSync(dir), []);
    });
  }
});

test('the history of a system-versioned table comes back, and a change of it is seen', async (t) => {
  const database = await makeDatabase(
    'CREATE TABLE t (id INT PRIMARY KEY, n INT) WITH SYSTEM VERSIONING',
    'INSERT INTO t VALUES (1, 1), (2, 1)',
    'UPDATE t SET n = 2',
    'DELETE FROM t WHERE id = 2',
  );
  const db = await server.connect(database);
  const past = () =>
    db.query('SELECT *, row_start, row_end FROM t FOR SYSTEM_TIME ALL ORDER BY 1, 3');
  const before = await past();
  const dir = makeBackupDir(t);
  const set = await take(address, database, dir);
  assert.equal(set.manifest.tables[0]?.rows, 4);

  await db.run('DELETE HISTORY FROM t');
  assert.equal(await findReusableSet({ address, database, dir, log: makeLog() }), null);
  await restore(address, database, set);

  assert.deepEqual(await past(), before);
});

test('a large table is written in parts, which are one point in time and restore as one', async (t) => {
  const database = await makeDatabase(
    'CREATE TABLE big (id BIGINT PRIMARY KEY, c CHAR(32), f VARCHAR(400), KEY (c))',
    'CREATE TABLE far (id BIGINT PRIMARY KEY, c CHAR(32), f FLOAT, KEY (f))',
    "INSERT INTO big SELECT seq, MD5(seq), REPEAT('x', 400) FROM seq_1_to_9000",
    'INSERT INTO big VALUES (-9223372036854775808, NULL, NULL), (9223372036854775807, NULL, NULL)',
    'INSERT INTO far SELECT seq * 1000003, MD5(seq), seq / 7 FROM seq_1_to_20000',
    'ANALYZE TABLE big, far',
  );
  const set = await take(address, database, makeBackupDir(t), { leastPartBytes: 500_000 });
  const before = await contentsOf(address, database);
  const db = await server.connect(database);
  await db.run('DELETE FROM big WHERE id > 7');

  await restore(address, database, set);

  const parts = set.manifest.files.filter(({ table }) => table === 'big');
  assert.ok(parts.length > 1, `${parts.length} files`);
  assert.deepEqual(await contentsOf(address, database), before);
});

test('a large table that loses its primary key before it is locked is in the backup whole', async (t) => {
  const database = await makeDatabase(
    'CREATE TABLE big (id INT PRIMARY KEY, b LONGBLOB)',
    "INSERT INTO big SELECT seq, REPEAT('x', 100000) FROM seq_1_to_45",
    'ANALYZE TABLE big',
  );
  const db = await server.connect(database);
  let opened = 0;
  const set = await take(address, database, makeBackupDir(t), {
    leastPartBytes: 1_000_000,
    // The first connection reads where the table can be cut, and the second is opened after that.
    registerConnection: async () => {
      if (++opened !== 2) return;
      await db.run('ALTER TABLE big DROP PRIMARY KEY, MODIFY id INT NULL');
      await db.run("INSERT INTO big VALUES (NULL, 'kept')");
    },
  });
  assert.ok(opened > 2);
  assert.equal(set.manifest.tables[0]?.rows, 46);
  assert.equal(set.manifest.files.filter(({ table }) => table === 'big').length, 1);
});

describe('findReusableSet', () => {
  test('gives the newest set while the database is as it was, and none after any change', async (t) => {
    const database = await makeDatabase(
      TABLE,
      "INSERT INTO t VALUES (1, 'x')",
      'CREATE SEQUENCE s',
    );
    const db = await server.connect(database);
    const dir = makeBackupDir(t);
    const find = () => findReusableSet({ address, database, dir, log: makeLog() });
    assert.equal(await find(), null);
    await take(address, database, dir);
    const newest = await take(address, database, dir);
    assert.equal((await find())?.name, newest.name);
    // Retention may let an imported dump go, so no run rests on one.
    await take(address, database, dir, { reason: importReason('old.sql') });
    await take(address, database, dir, { reason: halfWayReason('backup') });
    assert.equal((await find())?.name, newest.name);

    for (const [change, back] of [
      ["UPDATE t SET s = 'X'", "UPDATE t SET s = 'x'"],
      ['ALTER TABLE t ADD COLUMN c INT', 'ALTER TABLE t DROP COLUMN c'],
      ['ALTER TABLE t AUTO_INCREMENT = 50', 'ALTER TABLE t AUTO_INCREMENT = 2'],
      ['CREATE VIEW v AS SELECT 1', 'DROP VIEW v'],
      ['SELECT SETVAL(s, 70000)', 'ALTER SEQUENCE s RESTART 1'],
    ] as const) {
      await db.query(change);
      assert.equal(await find(), null, change);
      await db.query(back);
      assert.equal((await find())?.name, newest.name, back);
    }
  });

  test('gives none that is damaged, and none of another database', async (t) => {
    const database = await makeDatabase(TABLE);
    const other = await makeDatabase(TABLE);
    const dir = makeBackupDir(t);
    const set = await take(address, database, dir);
    const log = makeLog();
    assert.equal(await findReusableSet({ address, database: other, dir, log }), null);
    flipBit(join(set.dir, 'structure.sql.zst'), 30);

    assert.equal(await findReusableSet({ address, database, dir, log }), null);

    assert.match(log.lines.join(), /is damaged/);
  });
});

test('unfinished sets of dead runs are swept, and nothing else', async (t) => {
  const database = await makeDatabase(TABLE);
  const dir = makeBackupDir(t);
  const dead = spawnSync('true').pid;
  const ours = { pid: process.pid, startTime: 'other', place: 'another host' };
  const isOver = async (runId: string) => runId === 'over';
  for (const [name, owner] of [
    [`.unfinished-backup_20200101_000000-${dead}`, null],
    [`.unfinished-backup_20200101_000000-${process.pid}`, ours],
    ['.unfinished-else', null],
    ['backup_by_hand', null],
    ['.unfinished-backup_20200101_000001-1', ours],
    ['.unfinished-backup_20200101_000002-2', { ...ours, runId: 'over' }],
    ['.unfinished-backup_20200101_000003-2', { ...ours, runId: 'of another database' }],
  ] as const) {
    mkdirSync(join(dir, name));
    if (owner !== null) writeFileSync(join(dir, name, 'owner.json'), JSON.stringify(owner));
    if (name.endsWith('-1')) utimesSync(join(dir, name, 'owner.json'), 1, 1);
    if (name.endsWith('-1') || owner === null) utimesSync(join(dir, name), 1, 1);
  }

  const set = await take(address, database, dir, { isOver });

  assert.deepEqual(
    readdirSync(dir).sort(),
    [
      '.unfinished-else',
      '.unfinished-backup_20200101_000003-2',
      `.unfinished-backup_20200101_000000-${process.pid}`,
      set.name,
      'backup_by_hand',
    ].sort(),
  );
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return assert.fail('it did not fail');
}
