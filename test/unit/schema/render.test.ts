import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderSchema } from '../../../src/schema/render.ts';
import { codeOf, columnOf, indexOf, modelOf, tableOf } from '../../support/schema/models.ts';

const indexes = [
  indexOf('PRIMARY', ['id'], { unique: true }),
  indexOf('by_name', ['name(10)'], { comment: 'search' }),
];
const a = tableOf('a', {
  columns: [
    columnOf('id', 'int(11)', { nullable: false, default: null, extra: 'auto_increment' }),
    columnOf('name', 'varchar(50)', { collation: 'utf8mb4_bin', comment: 'two\nlines' }),
  ],
  indexes,
  checks: [{ name: 'named', clause: "`name` <> ''" }],
  foreignKeys: [
    {
      ...{ name: 'a_b', columns: ['b_id'], onUpdate: 'RESTRICT', onDelete: 'CASCADE' },
      references: { schema: null, table: 'b', columns: ['id'] },
    },
  ],
});
const trigger = codeOf('trigger', 't', 'BEGIN\n  SET @x = 1;\nEND', { timing: 'AFTER', event: '' });

describe('renderSchema', () => {
  test('writes every part of a table and of code, one to a line', () => {
    assert.equal(
      renderSchema(modelOf(a, trigger)),
      `database utf8mb4 utf8mb4_unicode_ci

table a
  InnoDB, utf8mb4_unicode_ci
  column id int not null auto_increment
  column name varchar(50) utf8mb4_bin null default NULL comment "two\\nlines"
  index PRIMARY unique btree (id)
  index by_name btree (name(10)) comment "search"
  foreign key a_b (b_id) to b (id) on update restrict on delete cascade
  check named (\`name\` <> '')

trigger t
  timing AFTER
  | BEGIN
  |   SET @x = 1;
  | END
`,
    );
  });

  test('is the same text in whatever order objects, indexes and attributes come', () => {
    const other = tableOf('b');

    const one = renderSchema(
      modelOf(a, other, codeOf('view', 'v', 'select 1', { x: '1', y: '2' })),
    );
    const two = renderSchema(
      modelOf(codeOf('view', 'v', 'select 1', { y: '2', x: '1' }), other, {
        ...a,
        indexes: indexes.toReversed(),
      }),
    );

    assert.equal(two, one);
  });

  test('keeps the order of columns, which is structure', () => {
    const turned = { ...a, columns: a.columns.toReversed() };

    assert.notEqual(renderSchema(modelOf(turned)), renderSchema(modelOf(a)));
  });
});
