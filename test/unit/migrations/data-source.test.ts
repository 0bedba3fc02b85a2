import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkDataSource } from '../../../src/migrations/data-source.ts';

const check = (text: string) => checkDataSource(text, '0001_a.data.ts');

describe('checkDataSource', () => {
  const near = [
    "import { a } from './a.ts';",
    'import a from "../a.ts";',
    "import './a.ts';",
    "import type { A } from './a.ts';",
    "import {\n  a,\n} from '../../a.ts';",
    "export * from './a.ts';",
    "export { a } from '..';",
    "const a = await import('./a.ts');",
    'const a = await import(`./a.ts`);',
    "const a = require('../a.cjs');",
    "import a from '/srv/a.ts';",
    "import a from 'file:///srv/a.ts';",
    "import a from '.';",
  ];
  for (const text of near) {
    test(`refuses ${text}`, () => {
      assert.equal(check(`${text}\n`).length, 1);
    });
  }

  const far = [
    "import { createHash } from 'node:crypto';",
    "import sql from 'sql-template-tag';",
    "// import a from './a.ts';",
    "/*\n * import a from './a.ts';\n */",
    "const path = './a.ts';",
    "await db.query('SELECT a FROM b');",
    "const url = 'https://example.org'; // from './a.ts'",
  ];
  for (const text of far) {
    test(`accepts ${text}`, () => {
      assert.deepEqual(check(`${text}\n`), []);
    });
  }

  test('names the line of each import', () => {
    const problems = check("/* one\ntwo */\nimport a from './a.ts';\n\nimport b from './b.ts';\n");

    assert.deepEqual(
      problems.map(({ where }) => where),
      ['0001_a.data.ts:3', '0001_a.data.ts:5'],
    );
  });
});
