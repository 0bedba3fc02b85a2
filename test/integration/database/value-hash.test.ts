import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import sql, { raw } from 'sql-template-tag';
import { quoteName } from '../../../src/database/identifier.ts';
import { hashTables } from '../../../src/database/value-hash.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const database = await server.createDatabase('hashes');
const db = await server.connect(database);
await db.run("SET SESSION sql_mode='ALLOW_INVALID_DATES'");

let counter = 0;

/** The hash of a new table with the given column definitions and rows (SQL text). */
async function hashOf(columns: string, ...rows: string[]): Promise<string> {
  const table = `t${++counter}`;
  await db.run(sql`CREATE TABLE ${quoteName(table)} (${raw(columns)})`);
  for (const row of rows) await db.run(sql`INSERT INTO ${quoteName(table)} VALUES (${raw(row)})`);
  const hash = (await hashTables(db, database, [table])).get(table);
  assert.equal(hash?.rows, rows.length);
  return hash.hash;
}

describe('the value hash tells apart', () => {
  const same: readonly [columns: string, values: readonly string[]][] = [
    [
      'c VARCHAR(20) COLLATE utf8mb4_general_ci',
      ['NULL', "''", "'0'", "'NULL'", "'N'", "' '", "'a'", "'A'", "'a '", "'ä'", "'1:a'"],
    ],
    ['c TEXT', ['NULL', "''", "'N'", "'a'", "'a\\n'"]],
    ['c LONGTEXT', ['NULL', "''", "'N'", "REPEAT('a', 100000)", "CONCAT(REPEAT('a', 99999), 'b')"]],
    ['c VARBINARY(9)', ['NULL', "''", "X'00'", "X'0000'", "'N'"]],
    ['c BLOB', ['NULL', "''", "X'00'", "X'0000'"]],
    ['c INT', ['NULL', '0', '1', '-1']],
    ['c DECIMAL(20,10)', ['NULL', '0', '0.0000000001', '1']],
    ['c DOUBLE', ['NULL', '0', '0.1', '0.10000000000000002', '1e300', '4.9e-324']],
    ['c FLOAT', ['NULL', '0', '16777216', '16777214', '16777215', '3.4028234e38', '3.4028232e38']],
    ['c BIT(9)', ['NULL', "b'0'", "b'1'", "b'100000000'"]],
    ["c ENUM('', 'a', 'b', 'B2')", ['NULL', "''", "'a'", "'b'"]],
    ["c SET('a', 'b')", ['NULL', "''", "'a'", "'b'", "'a,b'"]],
    [
      'c DATETIME(6)',
      ['NULL', "'0000-00-00'", "'2026-01-16 10:30:00'", "'2026-01-16 10:30:00.000001'"],
    ],
    ['c DATE', ['NULL', "'0000-00-00'", "'2023-02-28'", "'2023-02-31'"]],
    ['c TIME(3)', ['NULL', "'00:00:00'", "'-00:00:01'", "'838:59:59.999'"]],
    ['c YEAR', ['NULL', '0', '2026']],
    ['c JSON', ['NULL', "'{}'", "'{ }'", `'{"a":1}'`, `'{"a": 1}'`]],
    ['c GEOMETRY', ['NULL', 'POINT(1, 2)', 'POINT(2, 1)']],
    ['c INET6', ['NULL', "'::'", "'::1'"]],
    [
      'c UUID',
      ['NULL', "'123e4567-e89b-12d3-a456-426655440000'", "'123e4567-e89b-12d3-a456-426655440001'"],
    ],
  ];
  for (const [columns, values] of same) {
    test(`the values of ${columns}`, async () => {
      const hashes = await Promise.all(values.map((value) => hashOf(columns, value)));
      assert.equal(new Set(hashes).size, values.length);
    });
  }

  test('where one value ends and the next begins', async () => {
    const one = await hashOf('a VARCHAR(9), b VARCHAR(9)', "'ab', 'c'");
    assert.notEqual(one, await hashOf('a VARCHAR(9), b VARCHAR(9)', "'a', 'bc'"));
    assert.notEqual(one, await hashOf('a VARCHAR(9), b VARCHAR(9)', "'ab|1:c', ''"));
  });

  test('one row from two equal ones, and two from four', async () => {
    const hashes = await Promise.all([1, 2, 4].map((n) => hashOf('c INT', ...Array(n).fill('7'))));
    assert.equal(new Set(hashes).size, 3);
  });

  test('an empty table from one with a row', async () => {
    assert.notEqual(await hashOf('c INT'), await hashOf('c INT', 'NULL'));
  });
});

describe('the value hash is equal', () => {
  test('in whatever order the rows stand', async () => {
    const one = await hashOf('c INT', '1', '2', '3');
    assert.equal(one, await hashOf('c INT', '3', '1', '2'));
  });

  // MariaDB 11.8 stores -0, 10.11 makes 0 of it.
  test('for 0 and -0, because a dump cannot carry the sign', async () => {
    assert.equal(await hashOf('c DOUBLE', '-0e0'), await hashOf('c DOUBLE', '0'));
  });

  test('whatever the session has set', async () => {
    const columns = 't TIMESTAMP NULL, c CHAR(5), s VARCHAR(5)';
    const row = "'2026-01-16 10:30:00', 'a', 'b'";
    await db.run("SET SESSION time_zone='+00:00'");
    const table = `t${counter + 1}`;
    const one = await hashOf(columns, row);
    await db.run("SET SESSION time_zone='+05:00', sql_mode='PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES'");

    const again = (await hashTables(db, database, [table])).get(table);

    const session = await db.one<{ zone: string }>('SELECT @@time_zone AS zone');
    await db.run("SET SESSION time_zone='+00:00', sql_mode='ALLOW_INVALID_DATES'");
    assert.equal(again?.hash, one);
    assert.equal(session?.zone, '+05:00');
  });
});

describe('hashTables', () => {
  test('gives the sums that its formats promise: they are in the manifests of sets', async () => {
    await db.run('CREATE TABLE known (id INT NOT NULL, s VARCHAR(20)) CHARACTER SET utf8mb4');
    await db.run("INSERT INTO known VALUES (1, 'a'), (2, NULL), (2, NULL), (-3, 'ä€')");
    const digests = ['1|1:a', '2|N', '2|N', '-3|5:ä€'].map((text) =>
      createHash('sha1').update(text).digest(),
    );
    const sums = (numbers: (digest: Buffer) => readonly [high: bigint, low: bigint]) => {
      const all = digests.map(numbers);
      const sum = (index: 0 | 1) =>
        all.reduce((total, pair) => total + pair[index], 0n).toString(16);
      return `${sum(0)}-${sum(1)}`;
    };
    const crc = (digest: Buffer, bytes: number) => BigInt(crc32(digest.subarray(0, bytes)));
    const crcs = (digest: Buffer, first: number, second: number) =>
      (crc(digest, first) << 32n) | crc(digest, second);

    const read = async (format: 1 | 2) =>
      (await hashTables(db, database, ['known'], { format })).get('known')?.hash;

    assert.equal(
      await read(1),
      sums((digest) => [digest.readBigUInt64BE(0), digest.readBigUInt64BE(12)]),
    );
    assert.equal(
      await read(2),
      sums((digest) => [crcs(digest, 5, 10), crcs(digest, 15, 20)]),
    );
  });

  test('refuses a row that is too long to be hashed, instead of leaving it out', async () => {
    const admin = await server.connect();
    await db.run('CREATE TABLE long_row (a TEXT, b TEXT)');
    await db.run(
      "INSERT INTO long_row VALUES (REPEAT('a', 60000), REPEAT('b', 60000)), ('x', 'y')",
    );
    await admin.run('SET GLOBAL max_allowed_packet=65536');
    const small = await server.connect(database);
    await admin.run('SET GLOBAL max_allowed_packet=1073741824');

    await assert.rejects(hashTables(small, database, ['long_row']), { code: 'QUERY_FAILED' });
    assert.equal((await hashTables(db, database, ['long_row'])).get('long_row')?.rows, 2);
  });

  test('refuses a table that is not there', async () => {
    await assert.rejects(hashTables(db, database, ['nowhere']), { code: 'QUERY_FAILED' });
  });

  test('leaves virtual columns out and takes stored, invisible and oddly named ones in', async () => {
    const columns =
      'a INT, v INT AS (a + 1) VIRTUAL, s INT AS (a * 2) STORED, `x``|?` INT INVISIBLE DEFAULT 5';
    const one = await hashOf(columns, '1, DEFAULT, DEFAULT');
    const table = `t${counter}`;
    await db.run(sql`UPDATE ${quoteName(table)} SET ${quoteName('x`|?')} = 6`);
    const two = (await hashTables(db, database, [table])).get(table)?.hash;
    assert.notEqual(one, two);
  });

  test('reports each table, and sees the snapshot of a transaction', async () => {
    const reader = await server.connect(database);
    await db.run('CREATE TABLE seen (id INT) ENGINE=InnoDB');
    await reader.run('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    await db.run('INSERT INTO seen VALUES (1)');
    const told: unknown[] = [];

    const hashes = await hashTables(reader, database, ['seen', 't1'], {
      onTable: (done, of, table) => told.push([done, of, table]),
    });

    assert.equal(hashes.get('seen')?.rows, 0);
    assert.deepEqual(told, [
      [1, 2, 'seen'],
      [2, 2, 't1'],
    ]);
  });
});
