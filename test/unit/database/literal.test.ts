import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sql from 'sql-template-tag';
import { literal, statementText } from '../../../src/database/literal.ts';

describe('statementText', () => {
  test('leaves the question marks of plain text and of names alone', () => {
    assert.equal(statementText("SELECT '?'"), "SELECT '?'");
    assert.equal(statementText(sql`SELECT '?', ${1}, ${'?'}`), "SELECT '?', 1, '?'");
  });

  test('joins nested templates', () => {
    const inner = sql`a = ${1}`;
    assert.equal(statementText(sql`SELECT ${inner} AND ${2}`), 'SELECT a = 1 AND 2');
  });
});

describe('literal', () => {
  const cases: readonly [name: string, value: unknown, text: string][] = [
    ['NULL', null, 'NULL'],
    ['a number', -1.5, '-1.5'],
    ['a bigint', 18446744073709551615n, '18446744073709551615'],
    ['a boolean', true, 'TRUE'],
    ['text with quotes', "it's", "'it''s'"],
    ['text with a backslash, the same in every sql_mode', "a\\'b", "_utf8mb4 X'615c2762'"],
    ['bytes', Buffer.from([0, 255]), "X'00ff'"],
    ['a time', new Date(Date.UTC(2026, 0, 16, 10, 30)), "'2026-01-16 10:30:00.000'"],
  ];
  for (const [name, value, text] of cases) {
    test(`writes ${name} as ${text}`, () => {
      assert.equal(literal(value), text);
    });
  }

  for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, {}, () => 1]) {
    test(`refuses ${String(value)}`, () => {
      assert.throws(() => literal(value), TypeError);
    });
  }
});
