import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readStatements } from '../../../src/migrations/read-statements.ts';

const classes = (text: string) =>
  readStatements(text, 'f.sql').map(({ classification }) => classification);

describe('a file that sets sql_mode', () => {
  test('has its later statements understood as the server reads them: "x" is a table under ANSI_QUOTES', () => {
    const text = `TRUNCATE "orders";\nSET sql_mode='ANSI_QUOTES';\nTRUNCATE "orders";\n`;
    assert.deepEqual(
      classes(text).map(({ tables }) => tables),
      [null, [], ['orders']],
    );
  });

  test('cannot hide in double quotes what is forbidden: a table of this program, another schema', () => {
    const text = `SET sql_mode='ANSI';\nDELETE FROM "deploy_lock";\nDELETE FROM "other"."t";\nDROP TABLE "a", "b";\n`;
    const [, own, other, drop] = classes(text);
    assert.match(own!.forbidden ?? '', /belong to this program/);
    assert.match(other!.forbidden ?? '', /another schema/);
    assert.deepEqual(drop!.tables, ['a', 'b']);
  });

  test('cannot hide a statement behind a backslash that is none', () => {
    const text = `SET sql_mode='NO_BACKSLASH_ESCAPES';\nINSERT INTO a VALUES ('\\'), (NEXTVAL(s)), ('');\n`;
    assert.equal(classes(text)[1]!.class, 'opaque');
  });
});
