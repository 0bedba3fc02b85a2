import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sql from 'sql-template-tag';
import {
  isDeployTable,
  qualified,
  quoteName,
  quoteNameText,
  stagingPrefix,
  stagingSchemaName,
} from '../../../src/database/identifier.ts';

describe('quoteName', () => {
  test('doubles backticks and leaves everything else', () => {
    assert.equal(quoteNameText('a`b?;--"\\'), '`a``b?;--"\\`');
  });

  test('refuses an empty name and one with NUL', () => {
    assert.throws(() => quoteNameText(''));
    assert.throws(() => quoteNameText('a\0b'));
  });

  test('is a piece of a template without values', () => {
    const statement = sql`SELECT ${1} FROM ${qualified('a?', 'b')} WHERE ${quoteName('c')} = ${2}`;
    assert.deepEqual(statement.values, [1, 2]);
    assert.equal(statement.sql, 'SELECT ? FROM `a?`.`b` WHERE `c` = ?');
  });
});

describe('stagingSchemaName', () => {
  test('is the name of the database with an ending', () => {
    assert.equal(stagingSchemaName('bamort', 'stg'), 'bamort_deploy_stg');
    assert.equal(stagingSchemaName('bamort', 'old'), 'bamort_deploy_old');
  });

  test('has at most 64 characters, and differs for databases whose names begin alike', () => {
    const one = stagingSchemaName(`${'a'.repeat(63)}b`, 'stg');
    const two = stagingSchemaName(`${'a'.repeat(63)}c`, 'stg');
    assert.equal(one.length, 64);
    assert.notEqual(one, two);
  });

  test('begins with what the GRANT names', () => {
    for (const name of ['app', 'x'.repeat(64)]) {
      assert.ok(stagingSchemaName(name, 'old').startsWith(stagingPrefix(name)));
    }
  });
});

test('the tables of this program are known in any case of letters', () => {
  assert.equal(isDeployTable('deploy_lock'), true);
  assert.equal(isDeployTable('Deploy_Run'), true);
  assert.equal(isDeployTable('deploy_other'), false);
});
