/** Holds that the engine serves any application: what is Bamort's is in `migrations` and `masterdata`. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readSources, withoutComments } from './sources.ts';

const root = join(import.meta.dirname, '../../..');

/** Tables that every deployment has, and words that mean something else as well. */
const shared = new Set(['schema_version', 'migration_history', 'users']);

describe('the engine', () => {
  const schema = readFileSync(join(root, 'migrations/schema.sql'), 'utf8');
  const tables = [...schema.matchAll(/^CREATE TABLE `(\w+)`/gm)]
    .map(([, name]) => name!)
    .filter((name) => !shared.has(name));

  test('names no table of Bamort outside of comments', () => {
    assert.ok(tables.length > 40, `only ${tables.length} tables were found in schema.sql`);
    const word = new RegExp(`\\b(?:${tables.join('|')})\\b`, 'g');
    const found = readSources('src/**/*.ts', 'healthcheck/**/*.{ts,js}').flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(word)].map(([name]) => `${path}: ${name}`),
    );

    assert.deepEqual(found, []);
  });
});
