/** Files that fit on a few screens and functions that fit on one. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSources, type Source } from './sources.ts';

const mostFileLines = 250;
const mostFunctionLines = 70;

/** Tables of data, read by looking up one entry. */
const tables = ['src/errors/catalogue.ts'];

const sources = readSources('src/**/*.ts', 'healthcheck/**/*.ts', 'scripts/*.{ts,mjs}');

/**
 * The functions of a file that are too long, as `path:line`. The formatter puts the closing brace
 * under the first letter of the function, so that no parser is needed.
 */
export function longFunctions({ path, text }: Source): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const head =
      /^( *)(?:export )?(?:default )?(?:async )?function\b|^( *)(?:export )?(?:const \w+ =|return|\w+:|\w+\() .*=> \{$/.exec(
        line,
      );
    if (head === null) return [];
    const indent = head[1] ?? head[2] ?? '';
    const end = lines.findIndex(
      (other, at) => at > index && new RegExp(`^${indent}\\}[;,)]*$`).test(other),
    );
    const length = end - index + 1;
    return length > mostFunctionLines ? [`${path}:${index + 1} has ${length} lines`] : [];
  });
}

describe('the sources', () => {
  test(`have no file of more than ${mostFileLines} lines`, () => {
    const tooLong = sources
      .filter(({ path }) => !tables.includes(path))
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > mostFileLines)
      .map(({ path, lines }) => `${path} has ${lines} lines`);

    assert.deepEqual(tooLong, []);
  });

  test(`have no function of more than ${mostFunctionLines} lines`, () => {
    assert.deepEqual(sources.flatMap(longFunctions), []);
  });

  test('are measured by a rule that finds a long function', () => {
    const body = '  work();\n'.repeat(mostFunctionLines);

    const found = longFunctions({
      path: 'x.ts',
      text: `const a = 1;\n\nexport async function run(\n  b: string,\n): Promise<void> {\n${body}}\n`,
    });

    assert.deepEqual(found, ['x.ts:3 has 74 lines']);
  });
});
