import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { touchedBy } from '../../../src/migrations/touched.ts';
import type { SchemaModel, SchemaObject, StoredObject, Table } from '../../../src/schema/model.ts';
import { keyOf } from '../../../src/schema/read.ts';

function table(name: string, references: Readonly<Record<string, string>> = {}): Table {
  return {
    ...{ kind: 'table', name, engine: 'InnoDB', charset: null, collation: null, comment: '' },
    ...{ options: [], columns: [], indexes: [], checks: [], partitioning: null },
    systemVersioned: false,
    foreignKeys: Object.entries(references).map(([key, other]) => ({
      ...{ name: key, columns: ['x'], onUpdate: '', onDelete: '' },
      references: { schema: null, table: other, columns: ['id'] },
    })),
  };
}

function code(kind: StoredObject['kind'], name: string, definition: string, on = ''): StoredObject {
  return { kind, name, definition, attributes: on === '' ? {} : { table: on } };
}

function schema(...objects: readonly SchemaObject[]): SchemaModel {
  const entries = objects.map((object) => [keyOf(object), object] as const);
  return { charset: 'utf8mb4', collation: 'utf8mb4_bin', objects: new Map(entries) };
}

const keys = (model: SchemaModel) => [...model.objects.keys()].sort();

describe('what statements can touch', () => {
  test('is what they name, in any case and quoted, and nothing else', () => {
    const model = schema(table('hero'), table('sword'), table('shield'));

    assert.deepEqual(keys(touchedBy(model, ['ALTER TABLE `HERO` ADD x int', 'DROP TABLE sword'])), [
      'table:hero',
      'table:sword',
    ]);
  });

  test('has the tables on both sides of their foreign keys, and no further ones', () => {
    const model = schema(
      table('hero', { fk_hero_clan: 'clan' }),
      table('clan', { fk_clan_land: 'land' }),
      table('land'),
      table('sword', { fk_sword_hero: 'hero', fk_sword_smith: 'smith' }),
      table('smith'),
    );

    assert.deepEqual(keys(touchedBy(model, ['ALTER TABLE hero DROP COLUMN id'])), [
      'table:clan',
      'table:hero',
      'table:sword',
    ]);
  });

  test('has the owner of a foreign key whose name is taken', () => {
    const model = schema(table('hero', { fk_taken: 'clan' }), table('clan'), table('sword'));

    const text = 'ALTER TABLE sword ADD CONSTRAINT fk_taken FOREIGN KEY (x) REFERENCES clan (id)';

    assert.deepEqual(keys(touchedBy(model, [text])), ['table:clan', 'table:hero', 'table:sword']);
  });

  test('has triggers with what they call, and what that writes to', () => {
    const model = schema(
      table('hero'),
      table('audit'),
      table('other'),
      code('trigger', 'hero_ai', 'BEGIN CALL note_down(NEW.id); END', 'hero'),
      code('procedure', 'note_down', 'BEGIN INSERT INTO `Audit` VALUES (1); END'),
      code('procedure', 'unused', 'BEGIN DELETE FROM other; END'),
    );

    assert.deepEqual(keys(touchedBy(model, ['INSERT INTO hero VALUES (1)'])), [
      'procedure:note_down',
      'table:audit',
      'table:hero',
      'trigger:hero_ai',
    ]);
  });

  test('has the tables of a view, and the view of a view', () => {
    const model = schema(
      table('hero'),
      table('other'),
      code('view', 'strong', 'select * from `hero`'),
      code('view', 'strongest', 'select * from `strong`'),
    );

    assert.deepEqual(
      keys(touchedBy(model, ['CREATE OR REPLACE VIEW v AS SELECT 1 FROM strongest'])),
      ['table:hero', 'view:strong', 'view:strongest'],
    );
  });

  test('has the sequence of a default', () => {
    const hero = table('hero');
    const column = { name: 'id', default: 'nextval(`numbers`)' } as Table['columns'][number];
    const model = schema({ ...hero, columns: [column] }, code('sequence', 'numbers', ''));

    assert.deepEqual(keys(touchedBy(model, ['INSERT INTO hero () VALUES ()'])), [
      'sequence:numbers',
      'table:hero',
    ]);
  });

  test('always has the version tables and what has a name of several words', () => {
    const model = schema(table('schema_version'), table('two words'), table('hero'));

    assert.deepEqual(keys(touchedBy(model, [])), ['table:schema_version', 'table:two words']);
  });

  test('is found in a time that grows with the schema, not with its square', () => {
    const count = 20_000;
    const tables = Array.from({ length: count }, (_, at) =>
      table(`t${at}`, at === 0 ? {} : { [`fk${at}`]: `t${at - 1}` }),
    );

    const found = touchedBy(schema(...tables), [tables.map(({ name }) => name).join(' ')]);

    assert.equal(found.objects.size, count);
  });
});
