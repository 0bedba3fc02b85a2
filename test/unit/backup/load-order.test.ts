import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadOrder, nextFile } from '../../../src/backup/load-order.ts';
import type { ManifestFile } from '../../../src/backup/manifest.ts';

const file = (name: string, table: string | null, sizeBytes: number): ManifestFile => ({
  ...{ name, table, sizeBytes, sha256: '' },
  kind: table === null ? 'structure' : 'rows',
});

test('tables whose keys are made afterwards are loaded first, most rows first, each as a whole', () => {
  const files = [
    file('structure', null, 9),
    file('pictures', 'pictures', 900),
    file('few', 'few', 90),
    file('many-1', 'many', 40),
    file('many-2', 'many', 50),
    file('as-many', 'as many', 45),
    file('notes', 'notes', 1000),
  ];
  const rows = { pictures: 3, few: 10, many: 500, 'as many': 500, notes: 9000 };
  const tables = Object.entries(rows).map(([name, count]) => ({ name, rows: count }));
  const withoutKeys = ['pictures', 'notes'];

  const order = loadOrder({ files, tables }, (table) => !withoutKeys.includes(table));

  assert.deepEqual(
    order.map(({ name }) => name),
    ['as-many', 'many-2', 'many-1', 'few', 'notes', 'pictures'],
  );
});

test('a table that wants one connection is left to it while there are others', () => {
  const left = [file('a-2', 'a', 1), file('b-1', 'b', 1), file('c-1', 'c', 1)];
  const isAlone = (table: string | null) => table !== 'c';
  const next = (...running: string[]) =>
    nextFile(
      left,
      running.map((table) => ({ table })),
      isAlone,
    );

  assert.equal(next(), 0);
  assert.equal(next('b'), 0);
  assert.equal(next('a'), 1);
  assert.equal(next('a', 'b', 'c'), 2);
  assert.equal(nextFile(left.slice(0, 2), left, isAlone), 0);
});
