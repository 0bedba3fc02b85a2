import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Migration } from '../../../src/migrations/migration.ts';
import { checkScripts, makeLazyScript } from '../../../src/migrations/script.ts';
import { tablesWithRows } from '../../../src/run/state.ts';
import type { SchemaModel, Table } from '../../../src/schema/model.ts';
import { keyOf } from '../../../src/schema/read.ts';

function table(name: string, references: readonly string[] = []): Table {
  return {
    ...{ kind: 'table', name, engine: 'InnoDB', charset: null, collation: null, comment: '' },
    ...{ options: [], columns: [], indexes: [], checks: [], partitioning: null },
    systemVersioned: false,
    foreignKeys: references.map((other) => ({
      ...{ name: `${name}_${other}`, columns: ['x'], onUpdate: '', onDelete: 'CASCADE' },
      references: { schema: null, table: other, columns: ['id'] },
    })),
  };
}

/** A row of `land` takes those of `clan` with it, these those of `hero`, and so on. */
const tables = [
  table('land'),
  table('clan', ['land']),
  table('hero', ['clan']),
  table('sword', ['hero']),
  table('weather'),
];
const model: SchemaModel = {
  ...{ charset: 'utf8mb4', collation: 'utf8mb4_bin' },
  objects: new Map(tables.map((one) => [keyOf(one), one])),
};

function migration(up: string, down = 'DROP TABLE IF EXISTS none;'): Migration {
  return {
    ...{ number: 1, version: '1.0.0', name: 'm', description: '', critical: false, data: null },
    ...{ checksum: '', rawChecksum: '' },
    up: makeLazyScript(up, 'm.up.sql', false),
    down: makeLazyScript(down, 'm.down.sql', false),
  };
}

describe('the tables whose rows a migration may change', () => {
  before(() => checkScripts([]));

  test('are those to which cascades lead, from table to table', () => {
    assert.deepEqual(tablesWithRows(model, migration('DELETE FROM land;')), [
      'clan',
      'hero',
      'land',
      'sword',
    ]);
  });

  test('are those that only its down file names, too', () => {
    const one = migration('CREATE INDEX i ON land (id);', 'UPDATE weather SET x = 1;');

    assert.ok(tablesWithRows(model, one).includes('weather'));
  });

  test('are all of them when nobody can tell what it does', () => {
    assert.equal(tablesWithRows(model, migration('CALL tidy();')).length, tables.length);
  });

  test('are none when no statement changes rows: an index costs no reading', () => {
    const one = migration('CREATE INDEX i ON land (id);', 'DROP INDEX i ON land;');

    assert.deepEqual(tablesWithRows(model, one), []);
  });
});
