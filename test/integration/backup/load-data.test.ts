/** Rows that LOAD DATA brings into their tables, and those that go the way of INSERT after all. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import sql, { raw } from 'sql-template-tag';
import { compareContents } from '../../../src/backup/differences.ts';
import { loadTables } from '../../../src/backup/load.ts';
import { LOADED_TYPES } from '../../../src/backup/load-data.ts';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import type { Db } from '../../../src/database/connect.ts';
import { connect } from '../../../src/database/connect.ts';
import { contentsOf, makeBackupDir, restore, take } from '../../support/backup/backups.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;

/** All that LOAD DATA may get, and nothing else. */
const EVERY = `CREATE TABLE \`every \`\` 'type"\` (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, \`a,\`\`b(\` VARCHAR(100), tt TINYTEXT, t TEXT,
  mt MEDIUMTEXT, lt LONGTEXT, j JSON, c CHAR(10), l1 VARCHAR(50) CHARACTER SET latin1,
  u3 VARCHAR(20) CHARACTER SET utf8mb3, ti TINYINT, si SMALLINT, mi MEDIUMINT, i INT UNSIGNED,
  b BIGINT, de DECIMAL(60,20), dou DOUBLE, y YEAR, d DATE, tim TIME(3), dt DATETIME(6),
  ts TIMESTAMP(6) NULL, e ENUM('a', 'b''c', '2', '1'), s SET('x', 'yz', '1'), bin BINARY(8),
  vb VARBINARY(100), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, u UUID, i4 INET4, i6 INET6,
  CHECK (si <> 99), KEY (c), KEY (tt(50)), UNIQUE KEY (dou))`;

/** Texts that look like what is between values, rows and statements. */
const TEXTS = [
  ...['),\n(', '\n', '\\', "\\'", "''", "'", '\0', '\r\n', '\x1a', '\t', '', ' ', '  x  ', '\b'],
  ...['NULL', 'null', 'N', '\\N', '0', '0x41', '(', ')', ',', ');\n', '","', '%\\%_\\_', '--'],
  ...['ä😀\u2028', '\\\\', '\\0', "\\\\'", '@deploy_1', '\\n(', "'),\n('", "',NULL),"],
];

const LOW = `0, -128, -32768, -8388608, 0, -9223372036854775808,
  -1234567890123456789012345678901234567890.12345678901234567890, -1.7976931348623157e308, 0,
  '0000-00-00', '-838:59:59.999', '0000-00-00 00:00:00', '1970-01-01 00:00:01', '2', '1', x'00', x'',
  '', '', '', '', '00000000-0000-0000-0000-000000000000', '0.0.0.0', '::'`;
const HIGH = `18446744073709551614, 127, 32767, 8388607, 4294967295, 9223372036854775807,
  0.00000000000000000001, 2.2250738585072014e-308, 2155, '9999-12-31', '838:59:59.999',
  '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', 'b''c', 'x,yz,1', x'FFFFFFFFFFFFFFFF',
  x'275C0A29', x'002C', x'0D0A', x'3078', x'1A', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'`;
const ODD = `5, 0, 0, 0, 0, 0, -0.1, 5e-324, 1901, '2023-02-31', '00:00:00', '2023-00-00', NULL,
  'a', '', x'2020', x'20', x'4E554C4C', NULL, x'5C4E', x'00', NULL, NULL, NULL`;
const VALUES =
  'id, ti, si, mi, i, b, de, dou, y, d, tim, dt, ts, e, s, bin, vb, tb, bl, mb, lb, u, i4, i6';

async function fillEvery(db: Db, session: string): Promise<string> {
  const name = '`every `` \'type"`';
  await db.run(EVERY);
  await db.run(session);
  for (const values of [LOW, HIGH, ODD]) {
    await db.run(`INSERT INTO ${name} (${VALUES}) VALUES (${values})`);
  }
  for (const [index, text] of TEXTS.entries()) {
    const set = sql`UPDATE ${raw(name)} SET `;
    await db.run(`INSERT INTO ${name} (id) VALUES (${index + 100})`);
    await db.run(sql`${set} \`a,\`\`b(\` = ${text}, tt = ${text}, t = CONCAT(${index}, ${text}), mt = ${text},
      lt = ${text}, j = JSON_QUOTE(${text}), c = ${text}, vb = ${text}, lb = ${text},
      l1 = ${/[^\0-\xff]/.test(text) ? 'é€' : text}, u3 = ${text.replace('😀', '…')}
      WHERE id = ${index + 100}`);
  }
  await db.run(`INSERT INTO ${name} (id, ti) VALUES (1000, NULL)`);
  // It was there before the check, as it were.
  await db.run('SET check_constraint_checks = 0');
  await db.run(`INSERT INTO ${name} (id, si) VALUES (2000, 99)`);
  // Without what needs a character set it is another statement.
  await db.run(`CREATE TABLE utf8_only LIKE ${name}`);
  await db.run(`INSERT INTO utf8_only SELECT * FROM ${name}`);
  await db.run('ALTER TABLE utf8_only DROP l1, DROP u, DROP i4, DROP i6');
  return name;
}

const ALL_DATES = `SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'`;

/** How often the server ran a statement since it began. */
async function countRuns(db: Db, what: 'load' | 'insert'): Promise<number> {
  const row = await db.one<{ Value: string }>(`SHOW GLOBAL STATUS LIKE 'Com_${what}'`);
  return Number(row?.Value);
}

/** Restores the set over an emptied database; how often LOAD DATA and INSERT ran for it. */
async function restoreCounted(
  db: Db,
  database: string,
  set: BackupSet,
): Promise<{ load: number; insert: number }> {
  const before = { load: await countRuns(db, 'load'), insert: await countRuns(db, 'insert') };
  await restore(address, database, set);
  const load = (await countRuns(db, 'load')) - before.load;
  return { load, insert: (await countRuns(db, 'insert')) - before.insert };
}

test('values of every type that LOAD DATA may get come back as they were', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  const name = await fillEvery(db, ALL_DATES);
  const types = await db.query<{ type: string }>(
    'SELECT DISTINCT LOWER(data_type) AS type FROM information_schema.columns WHERE table_schema = DATABASE()',
  );
  assert.deepEqual(new Set(types.map(({ type }) => type)), LOADED_TYPES);
  // More than one LOAD DATA; keys of another kind, and no key.
  await db.run(`CREATE TABLE large (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT, KEY (t(20)))`);
  await db.run(`INSERT INTO large SELECT seq, REPEAT('),\\n(', 60) FROM seq_1_to_30000`);
  await db.run('CREATE TABLE no_key (a VARCHAR(5), b INT AS (1 + 1))');
  await db.run("INSERT INTO no_key (a) VALUES ('x'), ('x'), (NULL)");
  const select = `SELECT * FROM ${name} ORDER BY id`;
  const rows = await db.query(select);
  assert.equal(rows.length, TEXTS.length + 5);
  const before = await contentsOf(address, database);
  const set = await take(address, database, makeBackupDir(t));
  await db.run('DELETE FROM large');

  const runs = await restoreCounted(db, database, set);

  // Of the tables, and once more of the large one; no_key has a generated column.
  assert.equal(runs.load, 4);
  assert.deepEqual(compareContents(before, await contentsOf(address, database)), []);
  assert.deepEqual(await db.query(select), rows);
  // None of them by INSERT after all, but the one with a generated column.
  assert.equal(await insertsOfLoading(db, set), 1);
});

test('a server that forbids LOAD DATA LOCAL gets INSERTs', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await fillEvery(db, ALL_DATES);
  const before = await contentsOf(address, database);
  const set = await take(address, database, makeBackupDir(t));
  await db.run('SET GLOBAL local_infile = 0');
  t.after(() => db.run('SET GLOBAL local_infile = 1').then(() => {}));
  await db.run('DELETE FROM `every `` \'type"`');

  const runs = await restoreCounted(db, database, set);

  assert.equal(runs.load, 0);
  assert.deepEqual(compareContents(before, await contentsOf(address, database)), []);
});

test('a table of which LOAD DATA would change a row is made again, by INSERT', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run(
    "CREATE TABLE odd (id INT AUTO_INCREMENT PRIMARY KEY, e ENUM('a')) AUTO_INCREMENT = 77",
  );
  await db.run("SET sql_mode = ''");
  // What is no member is 0: LOAD DATA warns of it.
  await db.run("INSERT INTO odd VALUES (1, 'a'), (2, 'none'), (3, NULL)");
  await db.run('CREATE TABLE even (id INT PRIMARY KEY)');
  await db.run('INSERT INTO even VALUES (1), (2)');
  const before = await contentsOf(address, database);
  const set = await take(address, database, makeBackupDir(t));
  await db.run('DELETE FROM odd');

  const runs = await restoreCounted(db, database, set);

  assert.equal(runs.load, 2);
  assert.deepEqual(compareContents(before, await contentsOf(address, database)), []);
  assert.equal(await insertsOfLoading(db, set), 1);
});

test('a table with AUTO_INCREMENT that several connections have to load is filled by INSERT', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  for (const [table, numbered] of [
    ['numbered', 'AUTO_INCREMENT'],
    ['plain', ''],
  ] as const) {
    await db.run(`CREATE OR REPLACE TABLE t (id INT ${numbered} PRIMARY KEY)`);
    await db.run('INSERT INTO t SELECT seq FROM seq_1_to_9');
    const set = await take(address, database, makeBackupDir(t));
    const target = await server.createDatabase();
    const open = () => connect(address, { database: target, sendsRows: true });
    const dbs = [await open(), await open()];
    t.after(() => Promise.all(dbs.map((each) => each.close())).then(() => {}));
    const loads = await countRuns(db, 'load');

    await loadTables({ dbs, set, code: 'RESTORE_FAILED' });

    assert.equal((await countRuns(db, 'load')) - loads, table === 'plain' ? 1 : 0, table);
    const restored = await contentsOf(address, target);
    assert.deepEqual(restored.tables, (await contentsOf(address, database)).tables);
  }
});

test('a table into which LOAD DATA brought another number of rows is made again, by INSERT', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run('CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 77');
  await db.run('INSERT INTO counted VALUES (1), (2), (3)');
  const { dir, manifest } = await take(address, database, makeBackupDir(t));
  const tables = manifest.tables.map((table) => ({ ...table, rows: table.rows + 1 }));
  const target = await server.createDatabase();
  const loader = await connect(address, { database: target, sendsRows: true });
  t.after(() => loader.close());
  const loads = await countRuns(db, 'load');
  const inserts = await countRuns(db, 'insert');

  await loadTables({
    dbs: [loader],
    set: { dir, manifest: { ...manifest, tables } },
    code: 'RESTORE_FAILED',
  });

  assert.equal((await countRuns(db, 'load')) - loads, 1);
  assert.equal((await countRuns(db, 'insert')) - inserts, 1);
  const restored = await contentsOf(address, target);
  assert.deepEqual(restored.tables, (await contentsOf(address, database)).tables);
});

/** How many INSERTs it takes to load the set into an empty database over one connection. */
async function insertsOfLoading(db: Db, set: BackupSet): Promise<number> {
  const before = await countRuns(db, 'insert');
  const loader = await connect(address, {
    database: await server.createDatabase(),
    sendsRows: true,
  });
  await loadTables({ dbs: [loader], set, code: 'RESTORE_FAILED' });
  await loader.close();
  return (await countRuns(db, 'insert')) - before;
}
