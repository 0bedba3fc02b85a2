import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { changedObjects, digestOf, fingerprintSchema } from '../../../src/schema/fingerprint.ts';
import type { ObjectKey } from '../../../src/schema/model.ts';
import { readSchema } from '../../../src/schema/read.ts';
import { makeSchema, runAll } from '../../support/schema/make.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const db = await server.connect();

const base: readonly string[] = [
  'CREATE SEQUENCE sq',
  'CREATE TABLE p (id int PRIMARY KEY, code varchar(20) UNIQUE)',
  `CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a varchar(20) DEFAULT 'x' COMMENT 'note', b int NOT NULL DEFAULT 1,
    c int, g int AS (b + 1) VIRTUAL, d decimal(10,4), e enum('x','y'), KEY ka (a), KEY kb (b),
    CONSTRAINT fk FOREIGN KEY (c) REFERENCES p(id) ON DELETE CASCADE, CONSTRAINT positive CHECK (b > 0))`,
  'CREATE TABLE other (id int PRIMARY KEY, note varchar(10))',
  'CREATE TABLE parted (a int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))',
  'CREATE TABLE versioned (a int, b int) WITH SYSTEM VERSIONING',
  'CREATE TABLE dated (id int, s date, e date, PERIOD FOR ap(s,e))',
  `CREATE FUNCTION f(a int) RETURNS int RETURN a + 1`,
  'CREATE PROCEDURE pr(a int) SELECT a',
  'CREATE VIEW v AS SELECT id, a FROM t',
  'CREATE TRIGGER t1 BEFORE INSERT ON t FOR EACH ROW SET new.b = 1',
  'CREATE TRIGGER t2 BEFORE INSERT ON t FOR EACH ROW SET new.b = 2',
  `CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 00:00:00' DISABLE DO SELECT 1`,
];

type Change = readonly [
  name: string,
  statements: string | readonly string[],
  keys: readonly ObjectKey[],
];

const t = (statement: string) => `ALTER TABLE t ${statement}`;

const changes: readonly Change[] = [
  ['a column type', t('MODIFY d decimal(10,2)'), ['table:t']],
  ['a display width', t('MODIFY b int(5) NOT NULL DEFAULT 1'), ['table:t']],
  ['a column added', t('ADD COLUMN z int'), ['table:t']],
  ['a column dropped', t('DROP COLUMN d'), ['table:t']],
  ['a column renamed', t('RENAME COLUMN d TO dd'), ['table:t']],
  ['a default', t(`ALTER COLUMN a SET DEFAULT 'y'`), ['table:t']],
  ['a default dropped', t('ALTER COLUMN a DROP DEFAULT'), ['table:t']],
  ['a default beyond the basic plane', t(`ALTER COLUMN a SET DEFAULT '😀'`), ['table:t']],
  [
    'one such default for another',
    [t(`ALTER COLUMN a SET DEFAULT '😀'`), '--', t(`ALTER COLUMN a SET DEFAULT '😁'`)],
    ['table:t'],
  ],
  ['the nullability', t('MODIFY b int DEFAULT 1'), ['table:t']],
  [
    'the collation of a column',
    t(`MODIFY a varchar(20) COLLATE utf8mb4_bin DEFAULT 'x' COMMENT 'note'`),
    ['table:t'],
  ],
  ['the comment of a column', t(`MODIFY a varchar(20) DEFAULT 'x' COMMENT 'other'`), ['table:t']],
  ['the order of columns', t('MODIFY d decimal(10,4) FIRST'), ['table:t']],
  ['an invisible column', t('MODIFY d decimal(10,4) INVISIBLE'), ['table:t']],
  ['a member of an enum', t(`MODIFY e enum('x','y','z')`), ['table:t']],
  ['the expression of a generated column', t('MODIFY g int AS (b + 2) VIRTUAL'), ['table:t']],
  ['AUTO_INCREMENT taken away', t('MODIFY id int'), ['table:t']],
  ['an index added', t('ADD KEY kd (d)'), ['table:t']],
  ['an index renamed', t('RENAME KEY ka TO kz'), ['table:t']],
  ['an index made unique', t('DROP KEY ka, ADD UNIQUE KEY ka (a)'), ['table:t']],
  ['an index made a prefix', t('DROP KEY ka, ADD KEY ka (a(5))'), ['table:t']],
  ['an index made descending', t('DROP KEY ka, ADD KEY ka (a DESC)'), ['table:t']],
  ['an index ignored', t('ALTER KEY ka IGNORED'), ['table:t']],
  [
    'the action of a foreign key',
    [t('DROP FOREIGN KEY fk'), t('ADD CONSTRAINT fk FOREIGN KEY (c) REFERENCES p(id)')],
    ['table:t'],
  ],
  ['a foreign key dropped', t('DROP FOREIGN KEY fk'), ['table:t']],
  ['a check', t('DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (b >= 0)'), ['table:t']],
  ['a check of a column', t('MODIFY d decimal(10,4) CHECK (d > 0)'), ['table:t']],
  [
    'a check beyond the basic plane',
    [t(`ADD CHECK (a <> '😀')`), '--', t(`DROP CONSTRAINT CONSTRAINT_1, ADD CHECK (a <> '😁')`)],
    ['table:t'],
  ],
  ['the comment of a table', t(`COMMENT 'x'`), ['table:t']],
  ['the default collation of a table', t('COLLATE utf8mb4_bin'), ['table:t']],
  ['an option of a table', t('STATS_PERSISTENT=1'), ['table:t']],
  ['the engine', 'ALTER TABLE other ENGINE=MyISAM', ['table:other']],
  [
    'a partition added',
    'ALTER TABLE parted ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))',
    ['table:parted'],
  ],
  [
    'the limit of a partition',
    'ALTER TABLE parted REORGANIZE PARTITION p1 INTO (PARTITION p1 VALUES LESS THAN (25))',
    ['table:parted'],
  ],
  ['partitioning removed', 'ALTER TABLE parted REMOVE PARTITIONING', ['table:parted']],
  [
    'system versioning dropped',
    'ALTER TABLE versioned DROP SYSTEM VERSIONING',
    ['table:versioned'],
  ],
  [
    'a column taken out of system versioning',
    [
      'SET system_versioning_alter_history=KEEP',
      'ALTER TABLE versioned MODIFY b int WITHOUT SYSTEM VERSIONING',
    ],
    ['table:versioned'],
  ],
  ['a period that no key uses dropped', 'ALTER TABLE dated DROP PERIOD FOR ap', ['table:dated']],
  [
    'a key without overlaps',
    'ALTER TABLE dated ADD UNIQUE (id, ap WITHOUT OVERLAPS)',
    ['table:dated'],
  ],
  ['a table renamed', 'RENAME TABLE other TO another', ['table:another', 'table:other']],
  ['a table dropped', 'DROP TABLE other', ['table:other']],
  [
    'the body of a trigger',
    'CREATE OR REPLACE TRIGGER t2 BEFORE INSERT ON t FOR EACH ROW SET new.b = 3',
    ['trigger:t2'],
  ],
  [
    'the order of triggers',
    [
      'DROP TRIGGER t2',
      'CREATE TRIGGER t2 BEFORE INSERT ON t FOR EACH ROW PRECEDES t1 SET new.b = 2',
    ],
    ['trigger:t1', 'trigger:t2'],
  ],
  [
    'the timing of a trigger',
    ['DROP TRIGGER t2', 'CREATE TRIGGER t2 BEFORE UPDATE ON t FOR EACH ROW SET new.b = 2'],
    ['trigger:t2'],
  ],
  [
    'the sql_mode of a trigger',
    [
      `SET sql_mode='ANSI_QUOTES'`,
      'CREATE OR REPLACE TRIGGER t2 BEFORE INSERT ON t FOR EACH ROW SET new.b = 2',
    ],
    ['trigger:t2'],
  ],
  [
    'the definer of a trigger',
    'CREATE OR REPLACE DEFINER=nobody@localhost TRIGGER t2 BEFORE INSERT ON t FOR EACH ROW SET new.b = 2',
    ['trigger:t2'],
  ],
  [
    'the character set of a trigger',
    [
      'SET NAMES latin1',
      'CREATE OR REPLACE TRIGGER t2 BEFORE INSERT ON t FOR EACH ROW SET new.b = 2',
    ],
    ['trigger:t2'],
  ],
  ['the text of a view', 'CREATE OR REPLACE VIEW v AS SELECT id FROM t', ['view:v']],
  [
    'the security of a view',
    'ALTER SQL SECURITY INVOKER VIEW v AS SELECT id, a FROM t',
    ['view:v'],
  ],
  [
    'the check option of a view',
    'ALTER VIEW v AS SELECT id, a FROM t WITH LOCAL CHECK OPTION',
    ['view:v'],
  ],
  [
    'a literal of a view beyond the basic plane',
    [`ALTER VIEW v AS SELECT '😀' AS x`, '--', `ALTER VIEW v AS SELECT '😁' AS x`],
    ['view:v'],
  ],
  ['the body of a routine', 'CREATE OR REPLACE PROCEDURE pr(a int) SELECT a + 1', ['procedure:pr']],
  [
    'a body beyond the basic plane',
    [
      `CREATE OR REPLACE PROCEDURE pr(a int) SELECT '😀'`,
      '--',
      `CREATE OR REPLACE PROCEDURE pr(a int) SELECT '😁'`,
    ],
    ['procedure:pr'],
  ],
  [
    'the parameters of a routine',
    'CREATE OR REPLACE PROCEDURE pr(a bigint) SELECT a',
    ['procedure:pr'],
  ],
  [
    'the mode of a parameter',
    'CREATE OR REPLACE PROCEDURE pr(INOUT a int) SELECT a',
    ['procedure:pr'],
  ],
  [
    'what a function returns',
    'CREATE OR REPLACE FUNCTION f(a int) RETURNS bigint RETURN a + 1',
    ['function:f'],
  ],
  ['the security of a routine', 'ALTER PROCEDURE pr SQL SECURITY INVOKER', ['procedure:pr']],
  [
    'the schedule of an event',
    `ALTER EVENT e ON SCHEDULE EVERY 2 DAY STARTS '2020-01-01 00:00:00'`,
    ['event:e'],
  ],
  ['the status of an event', 'ALTER EVENT e ENABLE', ['event:e']],
  ['the body of an event', 'ALTER EVENT e DO SELECT 2', ['event:e']],
  ['the increment of a sequence', 'ALTER SEQUENCE sq INCREMENT BY 5', ['sequence:sq']],
  ['the defaults of the schema', 'ALTER DATABASE {schema} COLLATE utf8mb4_bin', ['database:']],
];

describe('fingerprintSchema', { concurrency: 4 }, () => {
  for (const [name, statements, keys] of changes) {
    test(`${name} changes the fingerprint of that object alone`, async () => {
      const schema = await makeSchema(server, base);
      const session = await server.connect(schema);
      const all = [statements].flat();
      const cut = all.indexOf('--');
      await runAll(session, schema, all.slice(0, Math.max(cut, 0)));
      const before = fingerprintSchema(await readSchema(db, schema));

      await runAll(session, schema, all.slice(cut + 1));

      const after = fingerprintSchema(await readSchema(db, schema));
      const changed = changedObjects(before, after);
      assert.deepEqual(
        changed.map(({ key }) => key),
        keys,
      );
      assert.notEqual(digestOf(before), digestOf(after));
      await session.close();
    });
  }

  test('what changes no structure changes no fingerprint', async () => {
    const schema = await makeSchema(server, base);
    const before = fingerprintSchema(await readSchema(db, schema));

    const session = await server.connect(schema);
    await runAll(session, schema, [
      `INSERT INTO p VALUES (1, 'a')`,
      'INSERT INTO t (c) VALUES (1), (1), (NULL)',
      'DELETE FROM t',
      'ALTER TABLE t AUTO_INCREMENT=1000',
      'ANALYZE TABLE t, p PERSISTENT FOR ALL',
      'OPTIMIZE TABLE t',
      'ALTER TABLE t FORCE',
      'ALTER TABLE t ADD COLUMN instant int',
      'ALTER TABLE t DROP COLUMN instant',
      'TRUNCATE TABLE other',
      'SELECT nextval(sq)',
      'ALTER TABLE t DROP KEY ka, ADD KEY ka (a)',
    ]);
    await session.close();

    assert.deepEqual(changedObjects(before, fingerprintSchema(await readSchema(db, schema))), []);
  });

  test('a restart of the server changes nothing', async () => {
    const own = await startTestServer({ after });
    const schema = await makeSchema(own, base);
    const before = digestOf(fingerprintSchema(await readSchema(await own.connect(), schema)));

    await own.restart();

    const after_ = digestOf(fingerprintSchema(await readSchema(await own.connect(), schema)));
    assert.equal(after_, before);
  });
});
