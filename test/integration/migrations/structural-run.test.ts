import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Db } from '../../../src/database/connect.ts';
import { serverText } from '../../../src/database/server-errors.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { readMigrations } from '../../../src/migrations/files.ts';
import { runStructurally, type StructuralRun } from '../../../src/migrations/structural-run.ts';
import { changedObjects, fingerprintSchema } from '../../../src/schema/fingerprint.ts';
import { readSchema } from '../../../src/schema/read.ts';
import type { Direction } from '../../../src/statements/statement.ts';
import { writeMigrations } from '../../support/migrations.ts';
import { startTestServer } from '../../support/server.ts';

const collation = 'utf8mb4_unicode_ci';
const live = await startTestServer({ after });
const other = await startTestServer({ after });

async function makeDatabase(...statements: readonly string[]): Promise<Database> {
  const name = await live.createDatabase();
  const db = await live.connect(name);
  for (const statement of statements) await db.run(statement);
  return { name, db };
}

type Database = { readonly name: string; readonly db: Db };

/** Runs the files of one version on a copy of the database. */
async function run(
  t: TestContext,
  { name, db }: Database,
  files: Readonly<Record<string, string>>,
  direction: Direction = 'up',
): Promise<StructuralRun> {
  const inFolder = Object.entries(files).map(([file, text]) => [`0.2.0/${file}`, text]);
  const { migrations } = await readMigrations(writeMigrations(t, Object.fromEntries(inFolder)));
  return runStructurally({
    ...{ db, database: name, scratch: other.scratch, direction, collation },
    migrations: direction === 'up' ? migrations : migrations.toReversed(),
  });
}

function keysOf({ statements }: StructuralRun): string[][] {
  return statements.map(({ changes }) => changes.map(({ key }) => key));
}

function causeOf({ failure }: StructuralRun): string {
  return serverText(failure?.cause);
}

describe('runStructurally', () => {
  test('copies what the migrations can touch, and it is as in the database', async (t) => {
    const database = await makeDatabase(
      'CREATE TABLE smith (id int PRIMARY KEY)',
      'CREATE TABLE hero (id int PRIMARY KEY, name varchar(20))',
      `CREATE TABLE sword (id int PRIMARY KEY, hero int, smith int,
        CONSTRAINT fk_hero FOREIGN KEY (hero) REFERENCES hero (id) ON DELETE CASCADE,
        CONSTRAINT fk_smith FOREIGN KEY (smith) REFERENCES smith (id))`,
      'CREATE TABLE far (id int PRIMARY KEY)',
      'CREATE VIEW faraway AS SELECT * FROM far',
    );
    const model = await readSchema(database.db, database.name);
    const before = new Map<string, string>(fingerprintSchema(model));

    const result = await run(t, database, {
      '0001_a.up.sql': 'ALTER TABLE hero CHANGE id number int, ADD COLUMN age int',
    });

    assert.equal(result.failure, null);
    const [{ changes }] = result.statements as [StructuralRun['statements'][0]];
    assert.deepEqual(
      changes.map(({ key, before: was }) => [key, was === before.get(key)]),
      [
        ['table:hero', true],
        ['table:sword', true],
      ],
    );
    const copied = [...result.modelAfter.objects.keys()].filter((key) => !/_/.test(key));
    assert.deepEqual(copied, ['table:hero', 'table:sword']);
  });

  test('copies everything for a statement whose work is hidden in code', async (t) => {
    const database = await makeDatabase(
      'CREATE TABLE hero (id int PRIMARY KEY)',
      'CREATE TABLE far (id int PRIMARY KEY)',
    );

    const result = await run(t, database, { '0001_a.up.sql': 'DO (SELECT 1)' });

    assert.ok(result.modelAfter.objects.has('table:far'));
  });

  test('knows the defaults of the schema after a statement that changes them', async (t) => {
    const database = await makeDatabase('CREATE TABLE hero (id int PRIMARY KEY)');

    const result = await run(t, database, {
      '0001_a.up.sql': `ALTER TABLE hero ADD age int;
        EXECUTE IMMEDIATE CONCAT('ALTER DATABASE', ' COLLATE utf8mb4_bin');
        ALTER TABLE hero ADD name varchar(20);`,
    });

    assert.deepEqual(keysOf(result), [['table:hero'], ['database:'], ['table:hero']]);
    assert.equal(result.modelAfter.collation, 'utf8mb4_bin');
  });

  test('gives what each statement changes, and leaves the database as it was', async (t) => {
    const database = await makeDatabase('CREATE TABLE hero (id int PRIMARY KEY)');
    const before = await readSchema(database.db, database.name);

    const result = await run(t, database, {
      '0001_a.up.sql': `CREATE TABLE sword (id int PRIMARY KEY, hero int);
        INSERT INTO sword VALUES (1, 2);
        SET sql_mode = 'ANSI_QUOTES';
        ALTER TABLE sword ADD "sharp" int, ADD FOREIGN KEY (hero) REFERENCES hero (id);`,
      '0002_b.up.sql': `CREATE VIEW blunt AS SELECT id FROM sword WHERE sharp = 0;
        CREATE TRIGGER sharpen BEFORE INSERT ON sword FOR EACH ROW SET NEW.sharp = 1;
        CREATE PROCEDURE forge() INSERT INTO sword VALUES (1, 1, 1);
        DROP TABLE IF EXISTS nothing;`,
    });

    assert.equal(result.failure, null);
    assert.deepEqual(keysOf(result), [
      ['table:sword'],
      [],
      [],
      ['table:sword'],
      ['view:blunt'],
      ['trigger:sharpen'],
      ['procedure:forge'],
      [],
    ]);
    const [created, , , altered] = result.statements;
    assert.deepEqual([created?.migration, created?.number], [1, 1]);
    assert.equal(created?.changes[0]?.before, null);
    assert.equal(altered?.changes[0]?.before, created?.changes[0]?.after);
    assert.equal(
      fingerprintSchema(result.modelAfter).get('table:sword'),
      altered?.changes[0]?.after,
    );
    assert.deepEqual(await readSchema(database.db, database.name), before);
  });

  test('knows the changes that a statement makes to objects that it does not name', async (t) => {
    const database = await makeDatabase(
      'CREATE TABLE hero (id int PRIMARY KEY, name text)',
      'CREATE TABLE sword (id int, hero int, FOREIGN KEY (hero) REFERENCES hero (id))',
      'CREATE TRIGGER t BEFORE INSERT ON sword FOR EACH ROW SET NEW.id = 1',
    );

    const result = await run(t, database, {
      '0001_a.up.sql': `ALTER TABLE hero RENAME COLUMN id TO hero_id;
        ALTER TABLE sword RENAME TO blade;
        RENAME TABLE hero TO person;
        DROP TABLE blade;`,
    });

    assert.equal(result.failure, null);
    assert.deepEqual(keysOf(result), [
      ['table:hero', 'table:sword'],
      ['table:blade', 'table:sword', 'trigger:t'],
      ['table:blade', 'table:hero', 'table:person'],
      ['table:blade', 'trigger:t'],
    ]);
  });

  test('follows the structure exactly: the sum of all changes is the whole difference', async (t) => {
    const database = await makeDatabase(
      'CREATE TABLE a (id int PRIMARY KEY, v int)',
      'CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id))',
      'CREATE SEQUENCE s',
      'CREATE VIEW v AS SELECT * FROM a',
    );
    const before = fingerprintSchema(await readSchema(database.db, database.name));

    const result = await run(t, database, {
      '0001_a.up.sql': `CREATE OR REPLACE VIEW v AS SELECT id FROM a;
        ALTER TABLE a CHANGE v w bigint, ADD UNIQUE KEY (w);
        CREATE INDEX i ON b (a, id);
        ALTER SEQUENCE s MAXVALUE 100;
        CREATE TRIGGER t1 AFTER INSERT ON b FOR EACH ROW SET @x = 1;
        CREATE TRIGGER t2 AFTER INSERT ON b FOR EACH ROW PRECEDES t1 SET @x = 2;
        DROP TRIGGER t1;
        DROP VIEW v;
        ALTER TABLE a RENAME COLUMN id TO key_;
        DROP SEQUENCE s;
        TRUNCATE TABLE b;
        CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @x = 1;
        CREATE OR REPLACE TABLE c (id int);`,
    });

    assert.equal(result.failure, null);
    const followed = new Map(before);
    for (const { key, before: old, after: now } of result.statements.flatMap(
      (one) => one.changes,
    )) {
      assert.equal(followed.get(key as never) ?? null, old);
      if (now === null) followed.delete(key as never);
      else followed.set(key as never, now);
    }
    const versionTables = ['table:schema_version', 'table:migration_history'];
    const differences = changedObjects(followed, fingerprintSchema(result.modelAfter));
    assert.deepEqual(
      differences.filter(({ key }) => !versionTables.includes(key)),
      [],
    );
  });

  test('finds the version tables, which a real run makes before the first migration', async (t) => {
    const result = await run(t, await makeDatabase(), {
      '0001_a.up.sql': 'CREATE TABLE IF NOT EXISTS schema_version (id int);',
    });

    assert.equal(result.failure, null);
    assert.deepEqual(keysOf(result), [[]]);
  });

  test('says which statement fails and where it stands', async (t) => {
    const database = await makeDatabase('CREATE TABLE hero (id int PRIMARY KEY)');

    const result = await run(t, database, {
      '0001_a.up.sql': 'ALTER TABLE hero ADD a int;\n\nALTER TABLE hero\n  ADD a int;\nSELECT 1;\n',
      '0002_b.up.sql': 'DROP TABLE hero;',
    });

    assert.equal(causeOf(result), "Duplicate column name 'a' (1060 ER_DUP_FIELDNAME)");
    const { failure } = result;
    assert.equal(failure?.migration.number, 1);
    assert.deepEqual([failure?.number, failure?.of], [2, 3]);
    assert.equal(failure?.where, 'migrations/0.2.0/0001_a.up.sql:3');
    assert.deepEqual(keysOf(result), [['table:hero']]);
    assert.ok(result.modelAfter.objects.has('table:hero'));
  });

  test('runs no forbidden statement', async (t) => {
    const result = await run(t, await makeDatabase(), { '0001_a.up.sql': 'FLUSH TABLES;' });

    assert.equal(isDeployError(result.failure?.cause, 'STATEMENT_FORBIDDEN'), true);
  });

  test('lets no file take another encoding from a variable: its letters would become others', async (t) => {
    const database = await makeDatabase('CREATE TABLE hero (name varchar(20))');
    const insert = "INSERT INTO hero VALUES ('日本');";
    for (const [what, set] of Object.entries({
      character_set_client: "SET @cs = 'latin1'; SET character_set_client = @cs;",
      character_set_connection: 'SET character_set_connection = @@character_set_filesystem;',
      collation_connection: "SET collation_connection = 'latin1_bin';",
    })) {
      const { failure } = await run(t, database, { '0001_a.up.sql': `${set} ${insert}` });
      assert.ok(isDeployError(failure?.cause, 'STATEMENT_FORBIDDEN'), what);
    }
    const saved = `SET @old = @@character_set_client; SET character_set_client = utf8mb4;
      SET character_set_client = @old, collation_connection = @@collation_connection; ${insert}`;
    assert.equal((await run(t, database, { '0001_a.up.sql': saved })).failure, null);
  });

  test('lets no code give back the deploy lock, wherever a statement leads to it', async (t) => {
    const release = 'BEGIN DECLARE n INT; SET n = RELEASE_ALL_LOCKS(); END';
    const before = [
      'CREATE TABLE hero (x int)',
      'CREATE TABLE note (x int)',
      `CREATE PROCEDURE let_go() ${release}`,
      'CREATE FUNCTION gone() RETURNS int RETURN RELEASE_ALL_LOCKS ()',
      'CREATE TRIGGER letting_go AFTER INSERT ON hero FOR EACH ROW CALL let_go()',
    ];
    for (const [up, isRefused] of [
      ['INSERT INTO hero VALUES (1)', true],
      ['CALL let_go()', true],
      ['INSERT INTO note VALUES (gone())', true],
      ['SET @x = gone()', true],
      ['INSERT INTO note VALUES (1)', false],
      ['DROP FUNCTION gone; DROP PROCEDURE let_go; DROP TRIGGER letting_go', false],
    ] as const) {
      const database = await makeDatabase(...before);
      const text = `--! rerunnable: true\n${up};`;
      const { failure } = await run(t, database, { '0001_a.up.sql': text });
      assert.equal(isDeployError(failure?.cause, 'STATEMENT_FORBIDDEN'), isRefused, up);
      assert.equal(failure !== null, isRefused, String(failure?.cause));
    }
  });

  test('begins every file with a fresh session', async (t) => {
    const result = await run(t, await makeDatabase(), {
      '0001_a.up.sql': 'SET sql_mode = \'ANSI_QUOTES\'; CREATE TABLE "a" (id int);',
      '0002_b.up.sql': 'CREATE TABLE b (c varchar(9) DEFAULT "x");',
    });

    assert.equal(result.failure, null);
    assert.equal(result.modelAfter.objects.size, 4);
  });

  test('may be used twice on one scratch server', async (t) => {
    const database = await makeDatabase('CREATE TABLE hero (id int PRIMARY KEY)');
    const files = { '0001_a.up.sql': 'ALTER TABLE hero ADD a int;' };

    const first = await run(t, database, files);
    const second = await run(t, database, files);

    assert.deepEqual(second, { ...first });
  });

  test('goes down: newest first, the data function before the statements', async (t) => {
    const database = await makeDatabase('CREATE TABLE hero (id int PRIMARY KEY, a int, b int)');
    const files = {
      '0001_a.up.sql': 'ALTER TABLE hero ADD a int;',
      '0001_a.down.sql': 'ALTER TABLE hero DROP COLUMN a;',
      '0001_a.data.ts': `export async function up() {}
        export async function down(db) { await db.query('SELECT a FROM hero'); }`,
      '0002_b.up.sql': 'ALTER TABLE hero ADD b int;',
      '0002_b.down.sql': 'ALTER TABLE hero DROP COLUMN b;\nALTER TABLE hero COMMENT = "x";',
    };

    const result = await run(t, database, files, 'down');

    assert.equal(result.failure, null);
    assert.deepEqual(
      result.statements.map(({ migration, number }) => [migration, number]),
      [
        [2, 1],
        [2, 2],
        [1, 2],
        [1, 1],
      ],
    );
  });

  test('ends with its own error when the scratch server dies', async (t) => {
    const dying = await startTestServer(t);
    const { name, db } = await makeDatabase();
    const { migrations } = await readMigrations(
      writeMigrations(t, { '0.2.0/0001_a.up.sql': 'SELECT SLEEP(20);\n' }),
    );

    const running = runStructurally({
      ...{ db, database: name, scratch: dying.scratch, direction: 'up', collation, migrations },
    });
    const expected = assert.rejects(running, { code: 'SCRATCH_FAILED' });
    const watcher = await dying.connect();
    const deadline = performance.now() + 10_000;
    for (;;) {
      const busy = await watcher.one(
        "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'",
      );
      if (busy !== undefined || performance.now() > deadline) break;
      await setTimeout(10);
    }
    await dying.kill9();

    await expected;
  });
});

describe('a statement that changes rows, in the structural run', () => {
  const lacking = [
    'CREATE TABLE hero (id int PRIMARY KEY, name varchar(5) NOT NULL)',
    'CREATE TABLE sword (id int PRIMARY KEY, hero int NOT NULL, FOREIGN KEY (hero) REFERENCES hero (id))',
  ];

  const accepted = {
    'misses its parent row': 'INSERT INTO sword VALUES (1, 77);',
    'finds no row to take a value from':
      "INSERT INTO sword SELECT 1, (SELECT id FROM hero WHERE name = 'x');",
    'takes a value from a variable that no row has set':
      "SELECT id INTO @hero FROM hero WHERE name = 'Anna';\nINSERT INTO sword VALUES (1, @hero);",
    'is written by a trigger that needs a row':
      'CREATE TRIGGER t BEFORE INSERT ON sword FOR EACH ROW SET NEW.hero = (SELECT MAX(id) FROM hero);\nINSERT INTO sword VALUES (1, 1);',
  };
  for (const [what, sql] of Object.entries(accepted)) {
    test(`does not count as failed when it ${what}: the copy has no rows`, async (t) => {
      const result = await run(t, await makeDatabase(...lacking), { '0001_a.up.sql': sql });

      assert.equal(result.failure, null);
    });

    test(`counts as failed in an empty database when it ${what}: there the copy is exact`, async (t) => {
      const first = `${lacking.join(';\n')};\n`;

      const result = await run(t, await makeDatabase(), { '0001_a.up.sql': first + sql });

      assert.notEqual(result.failure, null);
    });
  }

  const refused = {
    'INSERT INTO hero VALUES (1);': '1136 ER_WRONG_VALUE_COUNT_ON_ROW',
    'INSERT INTO heroes VALUES (1, 2);': '1146 ER_NO_SUCH_TABLE',
    'UPDATE hero SET nam = 1;': '1054 ER_BAD_FIELD_ERROR',
    'DELETE FROM hero WHERE nam = 1;': '1054 ER_BAD_FIELD_ERROR',
    "INSERT INTO hero VALUES (1, 'Wolfram');": '1406 ER_DATA_TOO_LONG',
    "INSERT INTO hero VALUES (1, 'a'), (1, 'b');": '1062 ER_DUP_ENTRY',
    'INSERT INTO hero VALUES (1, NULL);': '1048 ER_BAD_NULL_ERROR',
    'INSERT INTO hero (id) VALUES (1);': '1364 ER_NO_DEFAULT_FOR_FIELD',
    'INSERT INTO sword VALUES (1, NULL);': '1048 ER_BAD_NULL_ERROR',
  };
  for (const [sql, expected] of Object.entries(refused)) {
    test(`counts as failed whatever the rows are: ${sql}`, async (t) => {
      const result = await run(t, await makeDatabase(...lacking), { '0001_a.up.sql': sql });

      assert.match(causeOf(result), new RegExp(`\\(${expected}\\)$`));
    });
  }

  test('leaves no row that a later statement could stumble over', async (t) => {
    const result = await run(t, await makeDatabase(...lacking), {
      '0001_a.up.sql': `INSERT INTO hero VALUES (1, 'a');
        INSERT INTO hero VALUES (2, 'a');
        ALTER TABLE hero ADD UNIQUE KEY (name);`,
    });

    assert.equal(result.failure, null);
  });

  test('keeps its rows in an empty database, where they are all the rows', async (t) => {
    const result = await run(t, await makeDatabase(), {
      '0001_a.up.sql': `CREATE TABLE hero (id int PRIMARY KEY, name varchar(5));
        INSERT INTO hero VALUES (1, 'a'), (2, 'a');
        ALTER TABLE hero ADD UNIQUE KEY (name);`,
    });

    assert.match(causeOf(result), /1062/);
  });
});

describe('a data function, in the structural run', () => {
  const up = (body: string) => ({
    '0001_a.up.sql': '-- only data\n',
    '0001_a.data.ts': `export async function up(db) { ${body} }\n`,
  });
  const hero = 'CREATE TABLE hero (id int PRIMARY KEY, name varchar(5) NOT NULL)';

  test('is tried after the statements of its migration', async (t) => {
    const result = await run(t, await makeDatabase(hero), {
      '0001_a.up.sql': 'ALTER TABLE hero ADD a int;',
      '0001_a.data.ts': "export async function up(db) { await db.query('SELECT a FROM hero'); }",
    });

    assert.equal(result.failure, null);
    assert.deepEqual(
      result.statements.map(({ number, changes }) => [number, changes.length]),
      [
        [1, 1],
        [2, 0],
      ],
    );
  });

  const failing = {
    'sends DDL': "await db.run('DROP TABLE hero');",
    'names a column that is not there': "await db.query('SELECT nam FROM hero');",
    'is not SQL': "await db.query('SELEKT 1');",
  };
  for (const [what, body] of Object.entries(failing)) {
    test(`fails there when it ${what}`, async (t) => {
      const result = await run(t, await makeDatabase(hero), up(body));

      assert.equal(result.failure?.statement, null);
      assert.equal(result.failure?.where, 'migrations/0.2.0/0001_a.data.ts');
      assert.deepEqual([result.failure?.number, result.failure?.of], [1, 1]);
    });
  }

  const lacking = {
    'misses a row': "const [row] = await db.query('SELECT id FROM hero'); row.id;",
    'inserts what it took from a row':
      "const [row] = await db.query('SELECT MAX(name) AS n FROM hero'); await db.run('INSERT INTO hero VALUES (1, ?)', [row.n]);",
  };
  for (const [what, body] of Object.entries(lacking)) {
    test(`does not fail there when it ${what}, unless the database is empty`, async (t) => {
      const onCopy = await run(t, await makeDatabase(hero), up(body));
      const onEmpty = await run(t, await makeDatabase(), {
        ...up(body),
        '0001_a.up.sql': `${hero};`,
      });

      assert.equal(onCopy.failure, null);
      assert.notEqual(onEmpty.failure, null);
    });
  }

  test('is kept in an empty database, so that later migrations find its rows', async (t) => {
    const result = await run(t, await makeDatabase(), {
      '0001_a.up.sql': `${hero};`,
      '0001_a.data.ts':
        'export async function up(db) { await db.run("INSERT INTO hero VALUES (1, \'a\')"); }',
      '0002_b.up.sql': "INSERT INTO hero VALUES (1, 'b');",
    });

    assert.match(causeOf(result), /1062/);
  });

  test('that cannot be imported is a failure', async (t) => {
    const result = await run(t, await makeDatabase(hero), {
      '0001_a.up.sql': '-- only data\n',
      '0001_a.data.ts': 'export async function sideways() {}\n',
    });

    assert.equal(isDeployError(result.failure?.cause, 'MIGRATION_FILE_INVALID'), true);
  });
});

/** Its journal row would be rolled back by a crash, and the rows would not: written twice afterwards. */
describe('rows of a table whose engine cannot roll back', () => {
  const aria = 'CREATE TABLE log (x int) ENGINE=Aria';
  const insert = 'INSERT INTO log VALUES (1);';
  for (const [what, before, up] of [
    ['that was there before', [aria], insert],
    ['that the same file makes', [], `${aria};\n${insert}`],
    [
      'that has its engine from the session',
      [],
      `SET default_storage_engine=MyISAM;\nCREATE TABLE log (x int);\n${insert}`,
    ],
    [
      'that gets its engine by ALTER',
      ['CREATE TABLE log (x int)'],
      `ALTER TABLE log ENGINE=MyISAM;\nUPDATE log SET x = 2;`,
    ],
    [
      'to which a trigger writes',
      [aria, 'CREATE TABLE hero (x int)'],
      `CREATE TRIGGER noting AFTER INSERT ON hero FOR EACH ROW INSERT INTO log VALUES (NEW.x);
INSERT INTO hero VALUES (1);`,
    ],
    [
      'behind two views',
      [aria, 'CREATE VIEW logs AS SELECT x FROM log', 'CREATE VIEW all_logs AS SELECT x FROM logs'],
      'DELETE FROM all_logs;',
    ],
    [
      'behind a function',
      [
        aria,
        'CREATE TABLE hero (x int)',
        'CREATE FUNCTION noted() RETURNS int BEGIN INSERT INTO log VALUES (1); RETURN 1; END',
      ],
      'INSERT INTO hero VALUES (noted());',
    ],
    [
      'by a function that is only selected',
      [
        aria,
        'CREATE FUNCTION noted() RETURNS int BEGIN INSERT INTO log VALUES (1); RETURN 1; END',
        'CREATE VIEW noting AS SELECT noted() AS done',
      ],
      'SELECT * FROM noting;',
    ],
  ] as const) {
    test(`are not written to a table ${what}, unless the file is rerunnable`, async (t) => {
      const database = await makeDatabase(...before);

      const refused = await run(t, database, { '0001_a.up.sql': up });
      const allowed = await run(t, database, { '0001_a.up.sql': `--! rerunnable: true\n${up}` });

      const last = up.split('\n').length;
      assert.ok(isDeployError(refused.failure?.cause, 'STATEMENT_FORBIDDEN'));
      assert.match(String(refused.failure?.cause), /on log, whose engine cannot roll back/);
      assert.match(refused.failure!.where, new RegExp(`0001_a\\.up\\.sql:${last}$`));
      assert.equal(allowed.failure, null);
    });
  }

  const sequence = [
    'CREATE SEQUENCE numbers',
    'CREATE TABLE hero (id bigint DEFAULT NEXTVAL(numbers) PRIMARY KEY, x int)',
    'CREATE TABLE note (x int)',
  ];
  const next = 'CREATE FUNCTION next_one() RETURNS bigint RETURN NEXTVAL(numbers)';
  for (const [what, before, up] of [
    ['by the default of a column', sequence, 'INSERT INTO hero (x) VALUES (1)'],
    [
      'by a trigger that inserts',
      [
        ...sequence,
        'CREATE TRIGGER t AFTER UPDATE ON note FOR EACH ROW INSERT INTO hero (x) VALUES (1)',
      ],
      'UPDATE note SET x = 2',
    ],
    ['by a function that is only selected', [...sequence, next], 'SELECT next_one()'],
  ] as const) {
    test(`are not numbered by a sequence ${what}, unless the file is rerunnable`, async (t) => {
      const database = await makeDatabase(...before);

      const refused = await run(t, database, { '0001_a.up.sql': up });
      const allowed = await run(t, database, { '0001_a.up.sql': `--! rerunnable: true\n${up}` });

      assert.ok(isDeployError(refused.failure?.cause, 'STATEMENT_FORBIDDEN'));
      assert.match(String(refused.failure?.cause), /takes values of a sequence/);
      assert.equal(allowed.failure, null);
    });
  }

  test('may be changed and read beside a sequence that has no part in it', async (t) => {
    const database = await makeDatabase(
      ...sequence,
      next,
      aria,
      'CREATE VIEW v AS SELECT * FROM log',
    );

    const result = await run(t, database, {
      '0001_a.up.sql': `UPDATE hero SET x = 2 WHERE id = 7;
        DELETE FROM hero; INSERT INTO note VALUES (1); SELECT * FROM v;`,
    });

    assert.equal(result.failure, null);
  });

  test('are written once the table can roll back, and others beside it always', async (t) => {
    const database = await makeDatabase(aria, 'CREATE TABLE hero (x int)');

    const result = await run(t, database, {
      '0001_a.up.sql': `INSERT INTO hero VALUES (1);
        SELECT * FROM log;
        ALTER TABLE log ENGINE=InnoDB;
        INSERT INTO log VALUES (1);`,
    });

    assert.equal(result.failure, null);
  });
});
