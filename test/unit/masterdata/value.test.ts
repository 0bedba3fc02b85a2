import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Column } from '../../../src/masterdata/columns.ts';
import { checkValue } from '../../../src/masterdata/value.ts';

function column(dataType: string, more: Partial<Column> = {}): Column {
  return {
    ...{
      name: 'c',
      dataType,
      columnType: dataType,
      nullable: true,
      default: null,
      unsigned: false,
    },
    ...{ maxChars: null, maxBytes: null, precision: 0, scale: 0, members: [] },
    ...{ charset: null, collation: null, autoIncrement: false, generated: false, ...more },
  };
}

const money = column('decimal', { precision: 6, scale: 2 });
const short = column('varchar', { maxChars: 3 });
const choice = column('enum', { members: ['a', "b'c"] });

describe('a value', () => {
  for (const [value, type, sent] of [
    [1, column('tinyint'), 1],
    [true, column('tinyint'), true],
    ['18446744073709551615', column('bigint', { unsigned: true }), 18446744073709551615n],
    [-128, column('tinyint'), -128n],
    [0.1, column('double'), 0.1],
    ['1234.50', money, '1234.50'],
    [-0.05, money, '-0.05'],
    ['12.000', money, '12.000'],
    ['äöü', short, 'äöü'],
    ['👍👍👍', short, '👍👍👍'],
    ["b'c", choice, "b'c"],
    ['2026-01-01', column('date'), '2026-01-01'],
    [null, short, null],
  ] as const) {
    test(`${JSON.stringify(value)} fits ${type.dataType}`, () => {
      assert.deepEqual(checkValue(value, type), { value: sent });
    });
  }

  for (const [value, type] of [
    [128, column('tinyint')],
    [-1, column('int', { unsigned: true })],
    [1.5, column('int')],
    [2 ** 53, column('bigint')],
    ['', column('int')],
    [true, column('int')],
    ['0.1', column('double')],
    [Number.NaN, column('double')],
    ['10000.00', money],
    ['1.005', money],
    ['.', money],
    ['-', money],
    ['1e3', money],
    ['abcd', short],
    [1, short],
    [{}, short],
    ['\ud800', short],
    ['ää', column('tinytext', { maxBytes: 3 })],
    ['b', choice],
    [null, column('int', { nullable: false })],
  ] as const) {
    test(`${JSON.stringify(value)} does not fit ${type.dataType}`, () => {
      assert.ok('problem' in checkValue(value, type));
    });
  }
});
