/** Documents that mirror the code do so, and links lead somewhere. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { renderDocuments } from '../../../scripts/documents.ts';
import { catalogue } from '../../../src/errors/catalogue.ts';
import { readSources, root } from './sources.ts';

describe('generated documents', () => {
  for (const [path, text] of renderDocuments(root)) {
    test(`${path} is up to date (npm run docs writes it)`, () => {
      assert.equal(readFileSync(join(root, path), 'utf8'), text);
    });
  }
});

describe('docs/errors.md', () => {
  test('has a heading for every error code, and none without a code', () => {
    const text = readFileSync(join(root, 'docs/errors.md'), 'utf8');
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);

    assert.deepEqual(
      headings,
      Object.keys(catalogue).map((code) => code.toLowerCase()),
    );
  });
});

describe('the documents', () => {
  const documents = readSources('*.md', 'docs/**/*.md', 'migrations/*.md', 'masterdata/*.md');

  test('link only to files that exist', () => {
    const broken = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(root, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );

    assert.deepEqual(broken, []);
  });

  test('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const unknown = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/npm run (?:--silent )?([a-z:]+)/g)]
        .map(([, name = '']) => name)
        .filter((name) => scripts[name] === undefined)
        .map((name) => `${path}: npm run ${name}`),
    );

    assert.deepEqual(unknown, []);
  });
});
