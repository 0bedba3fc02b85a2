import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connect } from '../../../src/database/connect.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { compareSchemas } from '../../../src/schema/compare.ts';
import { copyStructure } from '../../../src/schema/copy.ts';
import { readSchema } from '../../../src/schema/read.ts';
import { planReconcile, type ReconcilePlan } from '../../../src/schema/reconcile.ts';
import { readDefinitions, runAddition } from '../../../src/schema/reconcile-run.ts';
import { makeSchema, runAll } from '../../support/schema/make.ts';
import { tortureSchema } from '../../support/schema/torture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const db = await server.connect();
const collation = 'utf8mb4_unicode_ci';

const app = await makeSchema(server, [
  'CREATE SEQUENCE numbers START WITH 100',
  `CREATE TABLE source (id bigint(20) unsigned AUTO_INCREMENT PRIMARY KEY, code varchar(10) NOT NULL,
    name varchar(191) COLLATE utf8mb4_bin, UNIQUE KEY code (code)) COLLATE utf8mb4_unicode_ci COMMENT='it''s \\\\ a "source"'`,
  `CREATE TABLE skill (id bigint(20) unsigned AUTO_INCREMENT PRIMARY KEY, source_id bigint(20) unsigned,
    name varchar(191) NOT NULL, \`key\` varchar(50) NOT NULL DEFAULT 'it''s' COMMENT 'a \\\\ b', level int, note text,
    kind enum('a','it''s') DEFAULT 'a', data longtext CHECK (json_valid(data)), hidden int INVISIBLE DEFAULT 3,
    changed datetime(3) DEFAULT now(3) ON UPDATE now(3), twice int AS (level * 2) VIRTUAL, thrice int AS (twice + level) STORED,
    amount decimal(10,2) NOT NULL DEFAULT 0.5, tag varchar(37) DEFAULT (concat('x', uuid())), nr bigint DEFAULT nextval(numbers),
    latin varchar(20) CHARACTER SET latin1 COLLATE latin1_german1_ci, strict int,
    KEY source (source_id), KEY note (note(20), level DESC), UNIQUE KEY name_key (name, \`key\`), FULLTEXT KEY words (note),
    KEY quiet (level) IGNORED, CONSTRAINT small CHECK (level < 100), CONSTRAINT skill_source FOREIGN KEY (source_id)
    REFERENCES source (id) ON DELETE SET NULL ON UPDATE CASCADE) COLLATE utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC`,
  'ALTER TABLE skill ALTER COLUMN strict DROP DEFAULT',
  `CREATE TABLE chain (id int PRIMARY KEY, skill_id bigint(20) unsigned NOT NULL, self int,
    FOREIGN KEY (skill_id) REFERENCES skill (id) ON DELETE CASCADE, FOREIGN KEY (self) REFERENCES chain (id))`,
  'CREATE VIEW z_base AS SELECT id, name FROM skill WHERE level > 1 WITH CASCADED CHECK OPTION',
  'CREATE SQL SECURITY INVOKER VIEW a_top AS SELECT z.name FROM z_base z JOIN source s ON s.id = z.id',
  `CREATE FUNCTION twice(a int, b decimal(10,2)) RETURNS int DETERMINISTIC COMMENT 'it''s' RETURN a * 2`,
  'CREATE PROCEDURE fill(IN n int, OUT m varchar(10)) BEGIN INSERT INTO source (code) VALUES (n); SET m = "done"; END',
  'CREATE TRIGGER first BEFORE INSERT ON skill FOR EACH ROW SET NEW.level = 1',
  'CREATE TRIGGER second BEFORE INSERT ON skill FOR EACH ROW SET NEW.level = NEW.level + 1',
  'CREATE TRIGGER third BEFORE INSERT ON skill FOR EACH ROW SET NEW.level = NEW.level * 2',
  `SET sql_mode='ANSI_QUOTES,PIPES_AS_CONCAT'`,
  `CREATE TRIGGER odd AFTER DELETE ON source FOR EACH ROW UPDATE "skill" SET "note" = 'a' || 'b'`,
]);
const expected = await readSchema(db, app);
const definitions = await readDefinitions(db, app, expected);
const definitionOf = definitions.get.bind(definitions);

let copies = 0;

/** A copy of a schema on which statements were run; gives its name. */
async function change(source: string, statements: readonly string[]): Promise<string> {
  const name = `copy_${++copies}`;
  const target = await server.connect();
  await copyStructure(db, source, target, name);
  await target.run(`USE ${name}`);
  await target.run('SET foreign_key_checks=0');
  await runAll(target, name, statements);
  await target.close();
  return name;
}

async function reconcile(name: string): Promise<ReconcilePlan> {
  const plan = planReconcile(expected, await readSchema(db, name), { definitionOf });
  const target = await server.connect(name);
  for (const addition of plan.additions) await runAddition(target, { name, collation }, addition);
  await target.close();
  return plan;
}

describe('the safety net brings back', () => {
  const losses: readonly (readonly [title: string, statements: readonly string[]])[] = [
    ['a table that others point to', ['DROP TABLE source']],
    ['all tables', ['DROP TABLE chain, skill, source']],
    [
      'everything',
      [
        'DROP TABLE chain, skill, source',
        'DROP VIEW z_base, a_top',
        'DROP SEQUENCE numbers',
        'DROP FUNCTION twice',
        'DROP PROCEDURE fill',
      ],
    ],
    ['a table with foreign keys', ['DROP TABLE chain']],
    ['a text column in the middle', ['ALTER TABLE skill DROP COLUMN `key`, DROP INDEX name_key']],
    [
      'the columns of a skill that have defaults, are hidden or computed',
      [
        'ALTER TABLE skill DROP COLUMN thrice',
        'ALTER TABLE skill DROP COLUMN twice',
        'ALTER TABLE skill DROP COLUMN hidden, DROP COLUMN changed, DROP COLUMN amount, DROP COLUMN tag, DROP COLUMN kind, DROP COLUMN latin, DROP COLUMN nr',
      ],
    ],
    ['a nullable column without default', ['ALTER TABLE skill DROP COLUMN strict']],
    ['a column with a check of its own', ['ALTER TABLE skill DROP COLUMN data']],
    [
      'a column of a view, with the view',
      [
        'DROP VIEW z_base',
        'ALTER TABLE skill DROP INDEX note',
        'ALTER TABLE skill DROP COLUMN twice, DROP COLUMN thrice, DROP CONSTRAINT small, DROP INDEX quiet',
        'ALTER TABLE skill DROP COLUMN level',
      ],
    ],
    [
      'the column of a foreign key',
      ['ALTER TABLE skill DROP FOREIGN KEY skill_source, DROP INDEX source, DROP COLUMN source_id'],
    ],
    ['a prefix index with a falling column', ['ALTER TABLE skill DROP INDEX note']],
    ['a unique index', ['ALTER TABLE skill DROP INDEX name_key']],
    ['a full-text index', ['ALTER TABLE skill DROP INDEX words']],
    ['an ignored index', ['ALTER TABLE skill DROP INDEX quiet']],
    [
      'an index whose name is taken',
      ['ALTER TABLE skill DROP INDEX note', 'ALTER TABLE skill ADD INDEX NOTE (kind)'],
    ],
    [
      'a primary key',
      ['ALTER TABLE chain DROP FOREIGN KEY chain_ibfk_2', 'ALTER TABLE chain DROP PRIMARY KEY'],
    ],
    ['a foreign key', ['ALTER TABLE skill DROP FOREIGN KEY skill_source']],
    [
      'a foreign key whose name another table has',
      [
        'ALTER TABLE skill DROP FOREIGN KEY skill_source',
        'CREATE TABLE taken (id bigint(20) unsigned PRIMARY KEY, CONSTRAINT skill_source FOREIGN KEY (id) REFERENCES source (id))',
      ],
    ],
    ['a check', ['ALTER TABLE skill DROP CONSTRAINT small']],
    ['a sequence', ['DROP SEQUENCE numbers']],
    ['a view', ['DROP VIEW a_top']],
    ['views that read from one another', ['DROP VIEW a_top, z_base']],
    ['a function', ['DROP FUNCTION twice']],
    ['a procedure', ['DROP PROCEDURE fill']],
    ['the first of three triggers', ['DROP TRIGGER first']],
    ['the second of three triggers', ['DROP TRIGGER second']],
    ['the last two of three triggers', ['DROP TRIGGER second', 'DROP TRIGGER third']],
    ['a trigger that was written under another sql_mode', ['DROP TRIGGER odd']],
  ];
  for (const [title, statements] of losses)
    test(title, async () => {
      const name = await change(app, statements);
      const before = await readSchema(db, name);
      assert.notDeepEqual(
        compareSchemas(expected, before).filter((one) => one.kind === 'missing'),
        [],
      );

      const plan = await reconcile(name);

      const actual = await readSchema(db, name);
      const lasting = compareSchemas(expected, actual).filter(({ kind }) => kind !== 'extra');
      assert.deepEqual(lasting, []);
      const second = planReconcile(expected, actual, { definitionOf });
      assert.deepEqual(second.additions, []);
      assert.deepEqual(second.others, plan.others);
    });

  test('every construct that MariaDB knows, except events and code for another collation', async () => {
    const torture = await makeSchema(server, tortureSchema);
    const model = await readSchema(db, torture);
    const texts = await readDefinitions(db, torture, model);
    const name = await makeSchema(server, []);
    const target = await server.connect(name);

    const options = { definitionOf: texts.get.bind(texts) };
    const plan = planReconcile(model, await readSchema(db, name), options);
    for (const addition of plan.additions) await runAddition(target, { name, collation }, addition);

    const left = compareSchemas(model, await readSchema(db, name)).map(({ key }) => key);
    assert.deepEqual(
      plan.others.map(({ key }) => key).filter((key) => !key.startsWith('event:')),
      ['function:old_default', 'trigger:told'],
    );
    assert.deepEqual(left.sort(), plan.others.map(({ key }) => key).sort());
    const second = planReconcile(model, await readSchema(db, name), options);
    assert.deepEqual(second.additions, []);
  });
});

describe('the safety net', () => {
  test('keeps rows, and gives them the default of a new column', async () => {
    const name = await change(app, [
      'ALTER TABLE skill DROP COLUMN amount',
      `INSERT INTO skill (name) VALUES ('a'), ('b')`,
    ]);

    await reconcile(name);

    const rows = await db.query(`SELECT name, amount FROM ${name}.skill ORDER BY id`);
    assert.deepEqual(rows, [
      { name: 'a', amount: '0.50' },
      { name: 'b', amount: '0.50' },
    ]);
  });

  test('puts columns where they are expected', async () => {
    const name = await change(app, [
      'ALTER TABLE skill DROP COLUMN `key`, DROP INDEX name_key, DROP COLUMN kind',
    ]);

    await reconcile(name);

    const { objects } = await readSchema(db, name);
    const namesOf = (object: unknown) =>
      (object as { columns: { name: string }[] }).columns.map((column) => column.name);
    assert.deepEqual(
      namesOf(objects.get('table:skill')),
      namesOf(expected.objects.get('table:skill')),
    );
  });

  test('leaves a column to a person when rows would need a value', async () => {
    const name = await change(app, [
      'ALTER TABLE skill DROP COLUMN name, DROP INDEX name_key',
      'DROP VIEW a_top, z_base',
    ]);

    const plan = await reconcile(name);

    assert.deepEqual(plan.additions, []);
    assert.deepEqual(
      plan.others.map(({ message }) => message),
      [
        'table skill: column name varchar(191) collate utf8mb4_unicode_ci not null expected, missing; it is not added: it is not null without default, and nobody knows its value in existing rows',
        'table skill: index unique (name, key) expected, missing; it is not added: the column skill.name is missing',
        'view z_base expected, missing; it is not added: the table skill is not there in full',
        'view a_top expected, missing; it is not added: the view z_base is not there in full',
      ],
    );
  });

  test('never drops or changes: what is otherwise or besides is only reported', async () => {
    const name = await change(app, [
      'ALTER TABLE skill MODIFY level bigint, ADD COLUMN own int, ADD INDEX own (own)',
      'CREATE TABLE own (id int PRIMARY KEY)',
    ]);

    const plan = await reconcile(name);

    assert.deepEqual(plan.additions, []);
    assert.deepEqual(
      plan.others.map(({ kind, additive }) => ({ kind, additive })),
      [
        { kind: 'extra', additive: true },
        { kind: 'different', additive: false },
        { kind: 'extra', additive: true },
        { kind: 'extra', additive: true },
      ],
    );
  });

  test('does not put a foreign key on a column of another type', async () => {
    const name = await change(app, [
      'ALTER TABLE skill DROP FOREIGN KEY skill_source',
      'ALTER TABLE skill MODIFY source_id int',
    ]);

    const plan = await reconcile(name);

    assert.deepEqual(plan.additions, []);
    assert.match(
      plan.others.map(({ message }) => message).join('\n'),
      /foreign key .* not added: the column skill.source_id is of another type/,
    );
  });

  test('says that rows decide, and explains when they break a new unique index', async () => {
    const name = await change(app, [
      'ALTER TABLE source DROP INDEX code',
      `INSERT INTO source (code) VALUES ('a'), ('a')`,
    ]);

    const [addition] = planReconcile(expected, await readSchema(db, name)).additions;

    assert.equal(addition?.rowsDecide, true);
    await assert.rejects(
      reconcile(name),
      (error) => isDeployError(error, 'RECONCILE_FAILED') && error.facts['rowsDecide'] === true,
    );
  });

  test('refuses a foreign key that existing rows break', async () => {
    const name = await change(app, [
      'ALTER TABLE skill DROP FOREIGN KEY skill_source',
      `INSERT INTO skill (name, source_id) VALUES ('a', 99)`,
    ]);

    await assert.rejects(reconcile(name), (error) => isDeployError(error, 'RECONCILE_FAILED'));
  });

  test('creates code for the account that deploys, without any right on other accounts', async () => {
    const name = await change(app, [
      'DROP VIEW a_top',
      'DROP PROCEDURE fill',
      'DROP TRIGGER third',
    ]);
    await db.run(`CREATE USER deployer IDENTIFIED BY ''`);
    await db.run(`GRANT ALL ON ${name}.* TO deployer`);
    const plan = planReconcile(expected, await readSchema(db, name), { definitionOf });
    const target = await server.connect(name);
    const deployer = await connect({ ...server.address, user: 'deployer' }, { database: name });

    for (const addition of plan.additions)
      await runAddition(deployer, { name, collation }, addition);

    await deployer.close();
    const { objects } = await readSchema(target, name);
    for (const key of ['view:a_top', 'procedure:fill', 'trigger:third'] as const)
      assert.match(JSON.stringify(objects.get(key)), /"definer":"deployer@%"/);
  });
});
