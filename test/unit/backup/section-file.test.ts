import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSections, parseSections } from '../../../src/backup/section-file.ts';

test('what is written is read again, whatever is in the statements', () => {
  const sections = [
    { key: null, statements: ['SET NAMES utf8mb4', "SET sql_mode=''"] },
    { key: 'table:it\'s "odd"\nname', statements: ['CREATE TABLE `x` (\n  a INT\n)'] },
    {
      key: 'procedure:p',
      statements: ['SET @a=1', 'CREATE PROCEDURE p() BEGIN\n-- {"key":"x"}\n$$\n; END'],
    },
    { key: 'view:v', statements: ['-- {not ours}\nCREATE VIEW v AS SELECT "$$1$$"'] },
  ];

  const text = formatSections('a\ntitle', sections);

  assert.deepEqual(parseSections(text), sections);
  assert.match(text, /^-- a title\nDELIMITER \$\$2\$\$\n/);
});

test('a file without sections is read as none', () => {
  assert.deepEqual(parseSections(formatSections('x', [])), []);
});

test('a text that is cut off or foreign is not read', () => {
  const text = formatSections('x', [{ key: 'table:a', statements: ['CREATE TABLE a (i INT)'] }]);
  assert.throws(() => parseSections(text.slice(0, -4)), /ends within a statement/);
  assert.throws(() => parseSections('CREATE TABLE a (i INT);'), /DELIMITER/);
});
