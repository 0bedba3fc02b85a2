import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SchemaModel } from '../../../src/schema/model.ts';
import { planReconcile, type ReconcileOptions } from '../../../src/schema/reconcile.ts';
import { codeOf, columnOf, indexOf, modelOf, tableOf } from '../../support/schema/models.ts';

const id = columnOf('id', 'bigint(20)', { nullable: false, default: null });

function sqlOf(
  expected: SchemaModel,
  actual: SchemaModel,
  options: ReconcileOptions = {},
): string[] {
  return planReconcile(expected, actual, options).additions.map(({ sql }) => sql);
}

function reasons(
  expected: SchemaModel,
  actual: SchemaModel,
  options: ReconcileOptions = {},
): string[] {
  const plan = planReconcile(expected, actual, options);
  assert.deepEqual(plan.additions, []);
  return plan.others.map(({ message }) => message.replace(/^.* it is not added: /, ''));
}

describe('planReconcile', () => {
  test('plans nothing when nothing is missing', () => {
    const model = modelOf(tableOf('a'));

    assert.deepEqual(planReconcile(model, model), { additions: [], others: [] });
  });

  test('quotes every name and writes a column in full, behind its neighbour', () => {
    const text = columnOf('na`me', 'varchar(20)', {
      ...{ nullable: false, default: "'it''s'", charset: 'utf8mb4', collation: 'utf8mb4_bin' },
      ...{ extra: 'INVISIBLE', comment: `it's a \\ note` },
    });
    const expected = modelOf(tableOf('a`b', { columns: [id, text] }));

    assert.deepEqual(sqlOf(expected, modelOf(tableOf('a`b'))), [
      "ALTER TABLE `a``b` ADD COLUMN `na``me` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'it''s' INVISIBLE COMMENT 'it''s a \\\\ note' AFTER `id`",
    ]);
  });

  test('puts an expression in brackets and leaves literals and the current time as they are', () => {
    const defaults = [
      'NULL',
      '-1.5',
      "b'01'",
      "_latin1 x'e9'",
      'current_timestamp(3)',
      'uuid()',
      "concat('a','b')",
    ];
    const columns = defaults.map((text, at) =>
      columnOf(`c${at}`, 'varchar(99)', { default: text }),
    );
    const expected = modelOf(tableOf('a', { columns: [id, ...columns] }));

    const written = sqlOf(expected, modelOf(tableOf('a'))).map(
      (text) => / DEFAULT (.*) AFTER/.exec(text)?.[1],
    );

    assert.deepEqual(written, [...defaults.slice(0, 5), '(uuid())', "(concat('a','b'))"]);
  });

  test('puts computed columns behind the others, and the first column in front', () => {
    const sum = columnOf('sum', 'int(11)', {
      default: null,
      generated: { expression: '`b` + 1', stored: false },
    });
    const expected = modelOf(tableOf('a', { columns: [sum, columnOf('b', 'int(11)'), id] }));

    assert.deepEqual(sqlOf(expected, modelOf(tableOf('a'))), [
      'ALTER TABLE `a` ADD COLUMN `b` int(11) NULL DEFAULT NULL FIRST',
      'ALTER TABLE `a` ADD COLUMN `sum` int(11) GENERATED ALWAYS AS (`b` + 1) VIRTUAL FIRST',
    ]);
  });

  test('knows a column by its name whatever its case is', () => {
    const expected = modelOf(tableOf('a', { columns: [{ ...id, name: 'ID' }] }));

    assert.deepEqual(sqlOf(expected, modelOf(tableOf('a'))), []);
  });

  test('adds foreign keys that are there twice once, and after all tables', () => {
    const references = { schema: null, table: 'z', columns: ['id'] };
    const rules = { onUpdate: 'CASCADE', onDelete: 'SET NULL' };
    const keys = ['k1', 'k2'].map((name) => ({ name, columns: ['id'], references, ...rules }));
    const expected = modelOf(tableOf('a', { foreignKeys: keys }), tableOf('z'));

    const [, , ...rest] = sqlOf(expected, modelOf());

    assert.deepEqual(rest, [
      'ALTER TABLE `a` ADD CONSTRAINT `k1` FOREIGN KEY (`id`) REFERENCES `z` (`id`) ON DELETE SET NULL ON UPDATE CASCADE',
    ]);
  });

  test('says of an addition whether rows decide', () => {
    const found = modelOf(tableOf('a'));
    const wanted = tableOf('a', {
      indexes: [
        indexOf('PRIMARY', ['id'], { unique: true }),
        indexOf('u', ['id'], { unique: true }),
        indexOf('i', ['id desc']),
      ],
      checks: [{ name: 'c', clause: '`id` > 0' }],
    });

    const { additions } = planReconcile(modelOf(wanted), found);

    assert.deepEqual(
      additions.map(({ what, rowsDecide }) => [what, rowsDecide]),
      [
        ['table a: index unique (id)', true],
        ['table a: index (id desc)', false],
        ['table a: check (`id` > 0)', true],
      ],
    );
  });
});

describe('planReconcile leaves to a person', () => {
  test('a column that would number the existing rows', () => {
    const nr = columnOf('nr', 'int(11)', {
      nullable: false,
      default: null,
      extra: 'auto_increment',
    });
    const expected = modelOf(tableOf('a', { columns: [id, nr] }));

    assert.deepEqual(reasons(expected, modelOf(tableOf('a'))), [
      'it would number the existing rows',
    ]);
  });

  test('a part of a system-versioned table', () => {
    const versioned = { systemVersioned: true };
    const expected = modelOf(
      tableOf('a', { ...versioned, columns: [id, columnOf('b', 'int(11)')] }),
    );

    assert.deepEqual(reasons(expected, modelOf(tableOf('a', versioned))), [
      'the table is system-versioned, its history would change',
    ]);
  });

  test('a table that the model does not describe in full, unless its text is given', () => {
    const expected = modelOf(tableOf('a', { options: ['engine attributes 0123456789abcdef'] }));

    assert.deepEqual(reasons(expected, modelOf()), [
      'it has options that need its own CREATE TABLE',
    ]);
    assert.deepEqual(sqlOf(expected, modelOf(), { definitionOf: (key) => `CREATE ${key}` }), [
      'CREATE table:a',
    ]);
  });

  test('another primary key', () => {
    const expected = modelOf(
      tableOf('a', {
        columns: [id, columnOf('b', 'int(11)')],
        indexes: [indexOf('PRIMARY', ['b'], { unique: true })],
      }),
    );
    const actual = modelOf(tableOf('a', { columns: [id, columnOf('b', 'int(11)')] }));

    assert.match(reasons(expected, actual)[0] ?? '', /the table has another primary key/);
  });

  test('a foreign key of a table whose engine forgets it', () => {
    const references = { schema: null, table: 'z', columns: ['id'] };
    const key = { name: 'k', columns: ['id'], references, onUpdate: '', onDelete: '' };
    const expected = modelOf(tableOf('a', { foreignKeys: [key] }), tableOf('z'));
    const actual = modelOf(tableOf('a', { engine: 'MyISAM' }), tableOf('z'));

    assert.equal(reasons(expected, actual)[0], 'the engine of the table a is MyISAM');
  });

  test('a foreign key to columns without an index', () => {
    const references = { schema: null, table: 'z', columns: ['b'] };
    const key = { name: 'k', columns: ['id'], references, onUpdate: '', onDelete: '' };
    const parent = tableOf('z', { columns: [id, { ...id, name: 'b' }] });
    const expected = modelOf(tableOf('a', { foreignKeys: [key] }), parent);

    assert.deepEqual(reasons(expected, modelOf(tableOf('a'), parent)), [
      'the table z has no index on (b)',
    ]);
  });

  test('a routine without its text, and an event always', () => {
    const expected = modelOf(
      codeOf('procedure', 'p', 'SELECT 1'),
      codeOf('event', 'e', 'SELECT 1'),
    );

    assert.deepEqual(reasons(expected, modelOf()), [
      'its text is not known',
      'an event acts by itself; a migration must create it',
    ]);
  });

  test('a trigger whose table is missing', () => {
    const trigger = codeOf('trigger', 't', 'SET @a = 1', {
      table: 'gone',
      timing: 'BEFORE',
      event: 'INSERT',
      order: '1',
    });

    assert.deepEqual(reasons(modelOf(trigger), modelOf()), ['the table gone is missing']);
  });
});

describe('code of the safety net', () => {
  const attributes = {
    algorithm: 'UNDEFINED',
    definer: 'root@localhost',
    security: 'DEFINER',
    checkOption: 'NONE',
  };

  test('has no definer when the scratch server’s own account built it, and keeps any other', () => {
    const view = (name: string, definer: string) =>
      codeOf('view', name, 'select 1 AS `a`', { ...attributes, definer });

    assert.deepEqual(sqlOf(modelOf(view('a', 'root@localhost'), view('b', 'x@%')), modelOf()), [
      'CREATE ALGORITHM=UNDEFINED SQL SECURITY DEFINER\n    VIEW `a` AS select 1 AS `a`',
      'CREATE ALGORITHM=UNDEFINED DEFINER=`x`@`%` SQL SECURITY DEFINER\n    VIEW `b` AS select 1 AS `a`',
    ]);
  });

  test('is taken from the text that the server shows, in either kind of quotes', () => {
    const routine = (name: string) =>
      codeOf('procedure', name, 'SELECT 1', { definer: 'root@localhost' });
    const texts = new Map<string, string>([
      ['procedure:a', 'CREATE DEFINER=`root`@`localhost` PROCEDURE `a`() SELECT 1'],
      ['procedure:b', 'CREATE DEFINER="root"@"localhost" PROCEDURE "b"() SELECT 1'],
    ]);

    assert.deepEqual(
      sqlOf(modelOf(routine('a'), routine('b')), modelOf(), {
        definitionOf: (key) => texts.get(key),
      }),
      ['CREATE PROCEDURE `a`() SELECT 1', 'CREATE PROCEDURE "b"() SELECT 1'],
    );
  });

  test('creates views after those that they read from, even in a circle', () => {
    const view = (name: string, from: string) =>
      codeOf('view', name, `select 1 from \`${from}\``, attributes);
    const names = (model: SchemaModel) =>
      planReconcile(model, modelOf()).additions.map(({ what }) => what);

    assert.deepEqual(names(modelOf(view('a', 'b'), view('b', 'c'), view('c', 'x'))), [
      'view c',
      'view b',
      'view a',
    ]);
    assert.equal(names(modelOf(view('a', 'b'), view('b', 'a'))).length, 2);
  });
});
