import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { describeRowDifferences, readRowDifferences } from '../../../src/backup/row-differences.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

/** Two schemas, each made by its own statements, and in what their rows differ. */
async function compare(live: readonly string[], staged: readonly string[]) {
  const names = [await server.createDatabase(), await server.createDatabase()] as const;
  for (const [nth, statements] of [live, staged].entries()) {
    const db = await server.connect(names[nth]!);
    for (const statement of ["SET sql_mode='ALLOW_INVALID_DATES'", ...statements])
      await db.run(statement);
  }
  const db = await server.connect();
  return readRowDifferences(db, { live: names[0], staged: names[1] });
}

test('rows are told apart by primary key: only live, only in the backup, differing', async () => {
  const table = 'CREATE TABLE t (a INT, b INT, v VARCHAR(9), PRIMARY KEY (b, a))';
  const [difference] = await compare(
    [table, "INSERT INTO t VALUES (1,1,'x'), (2,1,'y'), (3,1,NULL), (4,1,'z')"],
    [table, "INSERT INTO t VALUES (1,1,'x'), (2,1,'Y'), (3,1,''), (5,1,'z'), (6,1,'z')"],
  );
  assert.deepEqual(difference, {
    ...{ table: 't', key: ['b', 'a'], liveRows: 4, backupRows: 5 },
    ...{ onlyLive: 1, onlyBackup: 2, differing: 2 },
  });
});

test('values differ by a bit, by case, by trailing spaces and by NULL, whatever their type', async () => {
  const table = `CREATE TABLE t (id INT PRIMARY KEY, f FLOAT, d DATE, x VARBINARY(9), b BIT(9),
    j JSON, e ENUM('a','b'), s VARCHAR(9) COLLATE utf8mb4_general_ci, dt DATETIME(6), g POINT)`;
  const row = (id: number, change: Record<string, string> = {}) => {
    const values = {
      ...{ f: '1.5', d: "'2023-02-31'", x: "x'00ff'", b: "b'1'", j: `'{"a": 1}'`, e: "'a'" },
      ...{ s: "'s'", dt: "'2024-01-01 00:00:00.000001'", g: 'POINT(1, 2)', ...change },
    };
    return `INSERT INTO t VALUES (${id}, ${Object.values(values).join(', ')})`;
  };
  const changes = [
    ...[{ f: '1.5000001' }, { d: "'2023-02-30'" }, { x: "x'00fe'" }, { b: "b'0'" }],
    ...[{ j: `'{"a":1}'` }, { e: "'b'" }, { s: "'S'" }, { s: "'s '" }, { s: 'NULL' }],
    ...[{ dt: "'2024-01-01 00:00:00.000002'" }, { g: 'POINT(1, 3)' }],
  ];
  const [difference] = await compare(
    [table, row(0), ...changes.map((_change, nth) => row(nth + 1))],
    [table, row(0), ...changes.map((change, nth) => row(nth + 1, change))],
  );
  assert.equal(difference?.differing, changes.length);
});

test('only columns that both have count, and a changed type is no difference of values', async () => {
  const [difference] = await compare(
    [
      'CREATE TABLE t (id INT PRIMARY KEY, n INT, more INT, s VARCHAR(9) CHARSET latin1, m DECIMAL(9,4))',
      "INSERT INTO t VALUES (1, 5, 1, 'ä', 1.5), (2, 6, 1, 'b', 2)",
    ],
    [
      'CREATE TABLE t (id INT PRIMARY KEY, n VARCHAR(9), less INT, s TEXT CHARSET utf8mb4, m DECIMAL(9,2))',
      "INSERT INTO t VALUES (1, '5', 9, 'ä', 1.5), (2, '7', 9, 'b', 2)",
    ],
  );
  assert.deepEqual(
    [difference?.onlyLive, difference?.onlyBackup, difference?.differing],
    [0, 0, 1],
  );
});

test('without a common key only the numbers are said, unless the tables are equal', async () => {
  const keyless = ['CREATE TABLE n (v INT)', 'INSERT INTO n VALUES (1), (1), (2)'];
  const found = await compare(
    [...keyless, 'CREATE TABLE k (id INT PRIMARY KEY)', 'INSERT INTO k VALUES (1)'],
    [...keyless, 'CREATE TABLE k (id VARCHAR(9) PRIMARY KEY)', "INSERT INTO k VALUES ('1')"],
  );
  assert.deepEqual(
    found.map(({ table, onlyLive, liveRows }) => [table, onlyLive, liveRows]),
    [
      ['k', null, 1],
      ['n', 0, 3],
    ],
  );
  assert.deepEqual(describeRowDifferences(found), [
    'k: 1 rows now, 1 in the backup, not the same ones (no common key)',
    '1 tables hold the same rows as the backup',
  ]);
});

test('a table that only one side has counts all its rows; tables of this program do not count', async () => {
  const found = await compare(
    ['CREATE TABLE `odd``x` (id INT PRIMARY KEY)', 'INSERT INTO `odd``x` VALUES (1), (2)'],
    [
      'CREATE TABLE gone (id INT)',
      'INSERT INTO gone VALUES (1)',
      'CREATE TABLE deploy_run (id INT)',
    ],
  );
  assert.deepEqual(
    found.map(({ table, onlyLive, onlyBackup }) => [table, onlyLive, onlyBackup]),
    [
      ['gone', 0, 1],
      ['odd`x', 2, 0],
    ],
  );
});
