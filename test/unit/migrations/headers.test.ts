import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readHeaders } from '../../../src/migrations/headers.ts';

const path = 'migrations/0.4.0/0001_a.up.sql';
const read = (text: string, kind: 'up' | 'down' = 'up') => readHeaders(text, path, kind);
const nothing = { description: null, critical: null, rerunnable: null };

describe('readHeaders', () => {
  test('reads the three keys, whatever stands between them as comment', () => {
    const { headers, problems } = read(
      '\uFEFF-- Adds the colour.\n\n--! description: colours: red, blue  \n# note\n--!critical:false\n/* more\n than one line */\n--! rerunnable: true\nALTER TABLE a ADD b int;\n',
    );

    assert.deepEqual(headers, {
      description: 'colours: red, blue',
      critical: false,
      rerunnable: true,
    });
    assert.deepEqual(problems, []);
  });

  test('reads nothing from a file without header', () => {
    assert.deepEqual(read('ALTER TABLE a ADD b int;').headers, nothing);
    assert.deepEqual(read('').headers, nothing);
  });

  test('takes the header lines out of the text and keeps the line numbers', () => {
    assert.equal(read('-- a\n--! critical: false\nSELECT 1;\n').text, '-- a\n\nSELECT 1;\n');
  });

  test('refuses a header line after the first statement: it would be ignored', () => {
    const { headers, problems } = read('SELECT 1;\n -- fine\n  --! critical: false\n--! a note\n');

    assert.deepEqual(headers, nothing);
    assert.deepEqual(problems, [
      { where: `${path}:3`, message: 'header lines stand before the first statement' },
    ]);
  });

  test('ends at an executable comment, which is a statement', () => {
    assert.equal(read('/*!50100 SET @a=1 */;\n--! critical: false\n').headers.critical, null);
    assert.equal(read('/*M! SET @a=1 */;\n--! critical: false\n').headers.critical, null);
  });

  test('reads no header inside a comment', () => {
    const { headers, text } = read('/*\n--! critical: false\n*/ -- end\nSELECT 1;');

    assert.deepEqual(headers, nothing);
    assert.equal(text, '/*\n--! critical: false\n*/ -- end\nSELECT 1;');
  });

  test('ends where a statement follows a comment on its line', () => {
    assert.equal(read('/* a */ SELECT 1;\n--! critical: false\n').headers.critical, null);
  });

  const wrong = [
    ['--! critical', 'a header line has the form --! key: value'],
    ['--!', 'a header line has the form --! key: value'],
    ['--! author: me', 'unknown header author; a up file knows description, critical, rerunnable'],
    ['--! critical: no', 'the header critical is either true or false'],
    ['--! rerunnable:', 'the header rerunnable is either true or false'],
    ['--! description:', 'the header description is empty'],
  ] as const;
  for (const [line, message] of wrong) {
    test(`refuses ${line} with its line number`, () => {
      assert.deepEqual(read(`-- first\n${line}\n`).problems, [{ where: `${path}:2`, message }]);
    });
  }

  test('refuses a key that stands there twice', () => {
    const { problems } = read('--! critical: true\n--! critical: true\n');

    assert.deepEqual(problems, [
      { where: `${path}:2`, message: 'the header critical stands here a second time' },
    ]);
  });

  test('knows only rerunnable in a down file', () => {
    const { headers, problems } = read('--! rerunnable: true\n--! critical: false\n', 'down');

    assert.equal(headers.rerunnable, true);
    assert.deepEqual(problems, [
      { where: `${path}:2`, message: 'unknown header critical; a down file knows rerunnable' },
    ]);
  });
});
