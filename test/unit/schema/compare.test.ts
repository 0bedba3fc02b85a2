import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareSchemas } from '../../../src/schema/compare.ts';
import type { ForeignKey, SchemaModel, Table } from '../../../src/schema/model.ts';
import { codeOf, columnOf, indexOf, modelOf, tableOf } from '../../support/schema/models.ts';

const id = columnOf('id', 'bigint(20)', { nullable: false, default: null });
const name = columnOf('name', 'varchar(191)', { collation: 'utf8mb4_unicode_ci' });
const points = columnOf('points', 'bigint(20)');

function keyOf(more: Partial<ForeignKey> = {}): ForeignKey {
  return {
    name: 'fk',
    columns: ['parent'],
    references: { schema: null, table: 'users', columns: ['id'] },
    onUpdate: 'RESTRICT',
    onDelete: 'CASCADE',
    ...more,
  };
}

function messages(expected: SchemaModel, actual: SchemaModel): string[] {
  return compareSchemas(expected, actual).map(({ message }) => message);
}

function compare(wanted: Partial<Table>, found: Partial<Table>): string[] {
  return messages(modelOf(tableOf('t', wanted)), modelOf(tableOf('t', found)));
}

describe('compareSchemas', () => {
  const equal: readonly (readonly [name: string, wanted: Partial<Table>, found: Partial<Table>])[] =
    [
      ['equal tables', {}, {}],
      ['the order of columns', { columns: [id, name, points] }, { columns: [id, points, name] }],
      ['the case of a column', { columns: [id] }, { columns: [{ ...id, name: 'ID' }] }],
      ['the comment of a column', { columns: [name] }, { columns: [{ ...name, comment: 'x' }] }],
      ['a display width', { columns: [id] }, { columns: [{ ...id, type: 'bigint' }] }],
      ['the comment of a table', { comment: 'x' }, {}],
      ['the default collation', { collation: 'utf8mb4_bin' }, {}],
      [
        'the name of an index',
        { indexes: [indexOf('a', ['name'])] },
        { indexes: [indexOf('b', ['name'])] },
      ],
      [
        'an index that is there twice',
        { indexes: [indexOf('a', ['name'])] },
        { indexes: [indexOf('a', ['name']), indexOf('b', ['name'])] },
      ],
      [
        'the name of a foreign key',
        { foreignKeys: [keyOf()] },
        { foreignKeys: [keyOf({ name: 'other' })] },
      ],
      [
        'a foreign key that is there twice',
        { foreignKeys: [keyOf()] },
        { foreignKeys: [keyOf(), keyOf({ name: 'fk2' })] },
      ],
      [
        'NO ACTION for RESTRICT',
        { foreignKeys: [keyOf({ onUpdate: 'NO ACTION' })] },
        { foreignKeys: [keyOf()] },
      ],
      [
        'the name of a check',
        { checks: [{ name: 'a', clause: '`id` > 0' }] },
        { checks: [{ name: 'b', clause: '`id` > 0' }] },
      ],
    ];
  for (const [title, wanted, found] of equal)
    test(`${title}: no difference`, () => assert.deepEqual(compare(wanted, found), []));

  const different: readonly (readonly [
    wanted: Partial<Table>,
    found: Partial<Table>,
    message: string,
  ])[] = [
    [
      { columns: [id, points] },
      { columns: [id] },
      'table t: column points bigint(20) expected, missing',
    ],
    [
      { columns: [id] },
      { columns: [id, name] },
      'table t: column name varchar(191) collate utf8mb4_unicode_ci not expected',
    ],
    [
      { columns: [id, { ...name, default: `'standard'` }] },
      { columns: [id, { ...name, type: 'text' }] },
      `table t: column name varchar(191) collate utf8mb4_unicode_ci default 'standard' expected, text collate utf8mb4_unicode_ci found`,
    ],
    [
      { columns: [id] },
      { columns: [{ ...id, type: 'tinyint(1)' }] },
      'table t: column id bigint(20) not null expected, tinyint(1) not null found',
    ],
    [
      { columns: [points] },
      { columns: [{ ...points, default: null }] },
      'table t: column points bigint(20) expected, bigint(20) without default found',
    ],
    [
      {
        columns: [
          { ...points, default: null, generated: { expression: '`id` + 1', stored: true } },
        ],
      },
      {
        columns: [
          { ...points, default: null, generated: { expression: '`id` + 2', stored: false } },
        ],
      },
      'table t: column points bigint(20) as (`id` + 1) stored expected, bigint(20) as (`id` + 2) virtual found',
    ],
    [
      { indexes: [indexOf('a', ['name(10)', 'id desc'])] },
      { indexes: [] },
      'table t: index (name(10), id desc) expected, missing',
    ],
    [
      { indexes: [] },
      { indexes: [indexOf('a', ['name'], { unique: true })] },
      'table t: index unique (name) not expected',
    ],
    [
      { indexes: [indexOf('PRIMARY', ['id'], { unique: true })] },
      { indexes: [] },
      'table t: index primary key (id) expected, missing',
    ],
    [
      { indexes: [] },
      { indexes: [indexOf('a', ['name'], { kind: 'FULLTEXT', ignored: true })] },
      'table t: index (name) fulltext ignored not expected',
    ],
    [
      { foreignKeys: [keyOf()] },
      { foreignKeys: [] },
      'table t: foreign key (parent) → users (id) expected, missing',
    ],
    [
      { foreignKeys: [keyOf()] },
      { foreignKeys: [keyOf({ onDelete: 'SET NULL' })] },
      'table t: foreign key (parent) → users (id) on delete cascade on update restrict expected, on delete set null on update restrict found',
    ],
    [
      { foreignKeys: [] },
      { foreignKeys: [keyOf({ references: { schema: 'crm', table: 'users', columns: ['id'] } })] },
      'table t: foreign key (parent) → crm.users (id) not expected',
    ],
    [
      { checks: [{ name: 'a', clause: '`id` > 0' }] },
      { checks: [] },
      'table t: check (`id` > 0) expected, missing',
    ],
    [{}, { engine: 'MyISAM' }, 'table t: engine InnoDB expected, MyISAM found'],
    [
      { options: ['row_format=COMPRESSED'] },
      {},
      'table t: options row_format=COMPRESSED expected, none found',
    ],
    [
      {},
      { partitioning: 'PARTITION BY KEY (`id`)' },
      'table t: partitioning none expected, PARTITION BY KEY (`id`) found',
    ],
    [{ systemVersioned: true }, {}, 'table t: system versioning on expected, off found'],
  ];
  for (const [wanted, found, message] of different)
    test(`says "${message}"`, () => assert.deepEqual(compare(wanted, found), [message]));

  test('tells the default collation when the columns differ, too', () => {
    assert.deepEqual(
      compare({ columns: [id, points] }, { columns: [id], collation: 'latin1_swedish_ci' }),
      [
        'table t: column points bigint(20) expected, missing',
        'table t: collation utf8mb4_unicode_ci expected, latin1_swedish_ci found',
      ],
    );
  });

  test('only what is there in addition is additive', () => {
    const differences = compareSchemas(
      modelOf(tableOf('t', { columns: [id, name] }), tableOf('gone')),
      modelOf(tableOf('t', { columns: [id, points], engine: 'Aria' }), tableOf('new')),
    );

    assert.deepEqual(
      differences.map(({ key, kind, additive }) => [key, kind, additive]),
      [
        ['table:gone', 'missing', false],
        ['table:new', 'extra', true],
        ['table:t', 'missing', false],
        ['table:t', 'extra', true],
        ['table:t', 'different', false],
      ],
    );
    assert.equal(differences[0]?.message, 'table gone expected, missing');
    assert.equal(differences[1]?.message, 'table new not expected');
  });

  test('objects may be ignored', () => {
    const ignore = (key: string) => key === 'table:a' || key === 'table:b';

    assert.deepEqual(compareSchemas(modelOf(tableOf('a')), modelOf(tableOf('b')), { ignore }), []);
  });

  test('code is compared by its text and what changes its effect', () => {
    const wanted = codeOf('trigger', 'tr', 'set new.a = 1', {
      timing: 'BEFORE',
      definer: 'a@%',
      sqlMode: '',
      order: '1',
      charset: 'latin1',
    });
    const found = codeOf('trigger', 'tr', 'set new.a = 2', {
      timing: 'AFTER',
      definer: 'b@%',
      sqlMode: 'ANSI_QUOTES',
      order: '1',
      charset: 'utf8mb4',
    });

    assert.deepEqual(messages(modelOf(wanted), modelOf(found)), [
      'trigger tr: another text than expected',
      'trigger tr: sql_mode empty expected, ANSI_QUOTES found',
      'trigger tr: timing BEFORE expected, AFTER found',
    ]);
  });

  test('display widths of parameters do not count', () => {
    const wanted = codeOf('function', 'f', 'return a', {
      parameters: 'IN a int(11), IN b tinyint(1)',
      returns: 'bigint(20) unsigned',
    });
    const found = codeOf('function', 'f', 'return a ', {
      parameters: 'IN a int, IN b tinyint(1)',
      returns: 'bigint unsigned',
    });

    assert.deepEqual(messages(modelOf(wanted), modelOf(found)), []);
  });
});
