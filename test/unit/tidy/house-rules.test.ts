/** Small rules that no linter knows. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue } from '../../../src/errors/catalogue.ts';
import { lineAt, readSources, type Source, withoutComments } from './sources.ts';

const code = readSources('src/**/*.ts', 'healthcheck/**/*.ts');
const everything = readSources(
  '*.{json,md}',
  '{src,test,scripts,healthcheck,docs,migrations,masterdata}/**/*.{ts,mjs,md,sql,json,txt}',
).filter(({ path }) => path !== 'package-lock.json');

function places(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap(({ path, text }) => {
    return [...text.matchAll(pattern)].map(({ index }) => `${path}:${lineAt(text, index)}`);
  });
}

describe('the sources', () => {
  test('have no file that only hands on what others export', () => {
    const barrels = code.filter(({ path, text }) => {
      const own = withoutComments(text).replaceAll(/^export [^;]*? from '[^']*';$/gm, '');
      return /(^|\/)index\.ts$/.test(path) || own.trim() === '';
    });

    assert.deepEqual(
      barrels.map(({ path }) => path),
      [],
    );
    assert.deepEqual(places(code, /^export \* from/gm), []);
  });

  test('have no default export', () => {
    assert.deepEqual(places(code, /^export default\b/gm), []);
  });

  test('have no syntax that Node cannot strip', () => {
    assert.deepEqual(places(code, /^\s*(export )?(const )?(enum|namespace) \w+ \{/gm), []);
  });

  test('describe every exported function and class', () => {
    const undescribed = places(code, /(?<!\*\/\n)^export (async )?(function\*?|class) \w+/gm);

    assert.deepEqual(undescribed, []);
  });

  test('mark each file that drops or empties tables with DATA LOSS:', () => {
    const dropping = /(sql`|(run|query)\(\s*[`'"])\s*(DROP (TABLE|DATABASE|SCHEMA)|TRUNCATE)/i;
    const unmarked = code.filter(({ text }) => dropping.test(text) && !/DATA LOSS:/.test(text));

    assert.deepEqual(
      unmarked.map(({ path }) => path),
      [],
    );
  });

  test('read the environment in few places', () => {
    const allowed = [
      ...['src/main.ts', 'healthcheck/main.ts'],
      ...['src/errors/fail-point.ts', 'src/scratch/binaries.ts'],
    ];
    const reading = places(code, /\bprocess\.env(\.|\[)/g).filter((place) => {
      return !allowed.includes(place.split(':')[0] ?? '');
    });

    assert.deepEqual(reading, []);
  });

  test('set the exit code in one place of each program only', () => {
    const programs = ['src/main.ts', 'healthcheck/main.ts', 'healthcheck/probe.ts'];
    const setting = places(code, /process\.exit(Code =|\()/g);

    assert.deepEqual(
      setting.filter((place) => !programs.includes(place.split(':')[0] ?? '')),
      [],
    );
  });
});

describe('all files', () => {
  test('name no folder of the machine that they were written on', () => {
    const machine = new RegExp(['work', 'root'].map((name) => `/${name}/`).join('|'), 'g');

    assert.deepEqual(places(everything, machine), []);
  });

  test('leave no test out', () => {
    const tests = readSources('test/**/*.test.ts');

    assert.deepEqual(
      places(tests, /\b(?:test|it|describe|t)\.(?:only|skip|todo)\b|\{ (?:only|skip|todo):/g),
      [],
    );
  });
});

describe('the error catalogue', () => {
  test('has exit codes of failures only', () => {
    const allowed = [1, 2, 10, 11, 12, 13, 14, 15, 16, 20, 22];

    for (const [name, { exitCode }] of Object.entries(catalogue)) {
      assert(allowed.includes(exitCode), name);
    }
  });

  test('has a code for each entry that some part of the program throws', () => {
    const text = readSources('src/**/*.ts')
      .filter(({ path }) => path !== 'src/errors/catalogue.ts')
      .map((source) => source.text)
      .join('\n');
    const unused = Object.keys(catalogue).filter((name) => !text.includes(`'${name}'`));

    assert.deepEqual(unused, []);
  });
});
