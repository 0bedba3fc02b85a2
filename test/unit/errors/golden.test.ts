import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { serverText } from '../../../src/database/server-errors.ts';
import { catalogue, type ErrorCode } from '../../../src/errors/catalogue.ts';
import { exitCodeOf, renderFailure } from '../../../src/errors/render.ts';
import { plantedSecret, samples } from './samples.ts';

const folder = join(import.meta.dirname, '../../golden');
const codes = Object.keys(catalogue) as ErrorCode[];

/** As the program does it: words of the server come from `serverText`, all else as it is. */
function explain(error: unknown): string | null {
  return typeof (error as { errno?: unknown }).errno === 'number' ? serverText(error) : null;
}

describe('the failure text', () => {
  for (const code of codes) {
    // After a change on purpose: npm test -- --test-update-snapshots test/unit/errors
    test(`of ${code} is that of its golden file`, (t) => {
      const { error, database, exitCode = exitCodeOf(error), reportPath = null } = samples[code];

      const text = renderFailure({
        ...{ error, database, exitCode, reportPath, explain },
        secrets: [plantedSecret],
      });

      t.assert.fileSnapshot(text, join(folder, `${code.toLowerCase()}.txt`), {
        serializers: [(value) => value as string],
      });
    });
  }
});

describe('the golden files', () => {
  test('belong to a code each', () => {
    const names = globSync('*.txt', { cwd: folder }).sort();

    assert.deepEqual(names, codes.map((code) => `${code.toLowerCase()}.txt`).sort());
  });

  test('have all lines that a failure text must have, in order', () => {
    for (const name of globSync('*.txt', { cwd: folder })) {
      const words = readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .map((line) => /^(?:deploy:| {2}(\w+))/.exec(line))
        .filter((found) => found !== null)
        .map(([all, word]) => word ?? all);
      const expected = ['deploy:', 'what', 'where', 'database', 'next', 'more'];
      assert.deepEqual(words, expected, name);
    }
  });

  test('contain no secret and no value of a row', () => {
    for (const name of globSync('*.txt', { cwd: folder })) {
      assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /hunter2/, name);
    }
  });
});
