import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { splitAtPlaceholders } from '../../../src/migrations/placeholders.ts';

describe('splitAtPlaceholders', () => {
  test('cuts at every question mark', () => {
    assert.deepEqual(splitAtPlaceholders('UPDATE a SET b = ? WHERE c = ?'), [
      'UPDATE a SET b = ',
      ' WHERE c = ',
      '',
    ]);
  });

  const quoted = [
    "SELECT 'a?'",
    "SELECT 'it''s ?'",
    "SELECT 'it\\'s ?'",
    'SELECT "a ""?"" b"',
    'SELECT `a?` FROM b',
    'SELECT 1 /* ? */',
    'SELECT 1 -- ?\n',
    'SELECT 1 # ?\n',
  ];
  for (const statement of quoted) {
    test(`leaves ${JSON.stringify(statement)} in one piece`, () => {
      assert.deepEqual(splitAtPlaceholders(statement), [statement]);
    });
  }

  test('goes on after quotes and comments', () => {
    assert.equal(splitAtPlaceholders("SELECT 'a?', ? /* ? */, ? -- ?\n").length, 3);
  });

  test('takes two minus signs without white space for an operator', () => {
    assert.equal(splitAtPlaceholders('SELECT 1--?').length, 2);
  });
});
