import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DeployError } from '../../../src/errors/deploy-error.ts';
import { parseEntities } from '../../../src/masterdata/entities.ts';
import { entitiesSchemaText } from '../../../src/masterdata/entity-schema.ts';
import { masterdataDir } from '../../support/masterdata.ts';

const shipped = () => JSON.parse(readFileSync(join(masterdataDir, 'entities.json'), 'utf8'));

type Part = Record<string, unknown>;

function entity(more: Part = {}): Part {
  return { table: 't', file: 't.json', key: ['name'], fields: { name: {} }, ...more };
}

function problemsOf(json: unknown): string[] {
  try {
    parseEntities(json, 'dir');
    return [];
  } catch (error) {
    assert.ok(error instanceof DeployError && error.code === 'MASTERDATA_INVALID');
    return (error.facts['problems'] as { message: string }[]).map(({ message }) => message);
  }
}

describe('the shipped declaration', () => {
  test('is that of all 24 entities, each after those that it refers to', () => {
    const { entities } = parseEntities(shipped(), 'dir');
    const names = entities.map(({ name }) => name);

    assert.equal(names.length, 24);
    for (const { name, references } of entities) {
      for (const { entity: parent } of references) {
        assert.ok(names.indexOf(parent) < names.indexOf(name), `${parent} before ${name}`);
      }
    }
    assert.ok(entities.every(({ missing }) => missing === 'keep'));
  });

  test('fits the JSON Schema beside it, which is made from the program', () => {
    const text = readFileSync(join(masterdataDir, 'entities.schema.json'), 'utf8');

    assert.deepEqual(JSON.parse(text), JSON.parse(entitiesSchemaText()));
  });

  test('has another digest after a change, and not after another order of members', () => {
    const digest = parseEntities(shipped(), 'dir').digest;
    const changed = shipped();
    changed.entities.spells.missing = 'delete';
    const { entities, ...rest } = shipped();

    assert.notEqual(parseEntities(changed, 'dir').digest, digest);
    assert.equal(parseEntities({ entities, ...rest }, 'dir').digest, digest);
  });
});

describe('a declaration is refused', () => {
  test('when references run in a circle', () => {
    const to = (other: string) => ({
      fields: { name: {}, parent: { reference: 'parent_id', field: 'name' } },
      references: { parent_id: { entity: other } },
    });
    const one = entity({ table: 'a', file: 'a.json', ...to('b') });
    const two = entity({ table: 'b', file: 'b.json', ...to('a') });

    assert.deepEqual(problemsOf({ entities: { a: one, b: two } }), [
      'the references run in a circle: a → b → a',
    ]);
    assert.deepEqual(problemsOf({ entities: { a: { ...one, ...to('a') } } }), [
      'the references run in a circle: a → a',
    ]);
  });

  for (const [what, part, expected] of [
    ['a key that is no field', { key: ['id'] }, 'the key has id, which is not a field'],
    [
      'an unknown entity',
      {
        fields: { name: {}, x: { reference: 'x_id', field: 'name' } },
        references: { x_id: { entity: 'x' } },
      },
      'reference x_id: there is no entity x',
    ],
    [
      'a field of an undeclared reference',
      { fields: { name: {}, x: { reference: 'x_id' } } },
      'field x: there is no reference x_id',
    ],
    [
      'one column for two fields',
      { fields: { name: {}, title: { column: 'name' } } },
      'column name is written from two places',
    ],
    [
      'a required field with a default',
      { fields: { name: { required: true, default: '' } } },
      'field name is required, so that it has no default',
    ],
    [
      'a match with nothing',
      { fields: { name: { matches: { entity: 'e', field: 'nothing' } } } },
      'field name: e has no field nothing',
    ],
  ] as const) {
    test(`for ${what}`, () => {
      assert.deepEqual(problemsOf({ entities: { e: entity(part) } }), [`entity e: ${expected}`]);
    });
  }

  test('for a misspelt word, naming its place', () => {
    const [problem] = problemsOf({ entities: { e: entity({ mising: 'delete' }) } });

    assert.match(problem!, /^entities\.e: .*mising/);
  });

  test('for a name that stands for two game systems', () => {
    const gameSystemAliases = { a: { id: 1, aliases: ['x'] }, b: { id: 2, aliases: ['x'] } };

    assert.deepEqual(problemsOf({ gameSystemAliases, entities: { e: entity() } }), [
      'gameSystemAliases: x stands for two game systems',
    ]);
  });
});
