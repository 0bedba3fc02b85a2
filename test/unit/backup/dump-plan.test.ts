import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partsOfTables, planDump } from '../../../src/backup/dump-plan.ts';
import { asLiteral } from '../../../src/backup/own-rows.ts';
import { fileName } from '../../../src/backup/write-rows.ts';
import { chooseWriter, type StoredColumn } from '../../../src/backup/writer.ts';
import { conditions, evenBorders } from '../../../src/database/key-ranges.ts';

const MIB = 1024 * 1024;
const writer = 'mariadb-dump' as const;

test('only large tables are cut, and never into many parts', () => {
  const tables = [
    { name: 'huge', dataBytes: 80_000 * MIB },
    { name: 'middle', dataBytes: 9_000 * MIB },
    { name: 'small', dataBytes: 10 * MIB },
  ];
  assert.deepEqual([...partsOfTables(tables)], [['huge', 7]]);
  assert.deepEqual([...partsOfTables([{ name: 't', dataBytes: 30 * MIB }])], []);
});

test('every row of every table is in exactly one part', () => {
  const tables = [
    { name: 'cut', dataBytes: 100 * MIB, writer },
    { name: 'a', dataBytes: 40 * MIB, writer },
    { name: 'b', dataBytes: 30 * MIB, writer },
    { name: 'c', dataBytes: 1, writer },
    { name: 'lossy', dataBytes: 5, writer: 'own' as const },
  ];
  const plan = planDump(tables, new Map([['cut', ['k < 1', 'k >= 1']]]));

  const dumped = plan.dumps.flat().map(({ table, where }) => [table, where]);
  assert.deepEqual(dumped.toSorted(), [
    ['a', null],
    ['b', null],
    ['c', null],
    ['cut', 'k < 1'],
    ['cut', 'k >= 1'],
  ]);
  assert.deepEqual(
    plan.own.map(({ table }) => table),
    ['lossy'],
  );
  for (const parts of plan.dumps)
    assert.ok(parts.length === 1 || parts.every(({ where }) => where === null));
});

test('the parts of a key cover it without a gap, to the ends of its type', () => {
  assert.deepEqual(evenBorders([1n, 100n], 4), [26n, 51n, 76n]);
  assert.deepEqual(evenBorders([5n, 5n], 4), []);
  const whole = evenBorders([-9223372036854775808n, 9223372036854775807n], 2);
  assert.deepEqual(conditions('`k`', whole), ['`k` < 0', '`k` >= 0']);
  assert.deepEqual(conditions('`k`', [1n, 5n]), ['`k` < 1', '`k` >= 1 AND `k` < 5', '`k` >= 5']);
});

test('a table is written by mariadb-dump unless it would lose a value', () => {
  const column = (more: Partial<StoredColumn>): StoredColumn => {
    return {
      name: 'c',
      dataType: 'varchar',
      charset: 'utf8mb4',
      type: 'varchar(9)',
      role: 'value',
      ...more,
    };
  };
  const choose = (more: Partial<StoredColumn>, systemVersioned = false) =>
    chooseWriter({ name: 't', systemVersioned }, [column(more)]);
  assert.equal(choose({}), 'mariadb-dump');
  assert.equal(choose({ dataType: 'double', charset: null }), 'mariadb-dump');
  assert.equal(choose({ dataType: 'enum', type: "enum('it''s','a')" }), 'mariadb-dump');
  assert.equal(choose({ dataType: 'enum', type: "enum('a','')" }), 'own');
  assert.equal(choose({ dataType: 'float', charset: null }), 'own');
  assert.equal(choose({ charset: 'sjis' }), 'own');
  assert.equal(choose({ name: 'a\nb' }), 'own');
  assert.equal(choose({}, true), 'own');
});

test('values become SQL that gives them back exactly', () => {
  const plain = { role: 'value', dataType: 'varchar' } as const;
  assert.equal(asLiteral(plain, null), 'NULL');
  assert.equal(asLiteral(plain, "a'b\\\n\r\0\x1a;"), "'a\\'b\\\\\\n\\r\\0\\Z;'");
  assert.equal(asLiteral(plain, Buffer.from([0, 255])), "x'00ff'");
  assert.equal(asLiteral(plain, Buffer.alloc(0)), "x''");
  assert.equal(asLiteral({ ...plain, dataType: 'float' }, -0), '-0e0');
  assert.equal(
    asLiteral({ ...plain, dataType: 'float' }, 3.4028234663852886e38),
    '3.4028234663852886e+38',
  );
  assert.equal(
    asLiteral({ ...plain, dataType: 'bit' }, '18446744073709551615'),
    '18446744073709551615',
  );
  assert.equal(asLiteral({ role: 'row end', dataType: 'timestamp' }, null), 'DEFAULT');
});

test('file names are safe, and tables of like names do not share one', () => {
  assert.equal(fileName('users', 7, null), 'rows-0007-users.sql.zst');
  assert.equal(fileName('../Ü /x', 12, 3), 'rows-0012-x-3.sql.zst');
  assert.equal(fileName('ü', 1, null), 'rows-0001.sql.zst');
  assert.notEqual(fileName('a.b', 1, null), fileName('a b', 2, null));
});
