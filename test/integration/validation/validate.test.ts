import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { readHistory } from '../../../src/history/read.ts';
import { ensureVersionTables } from '../../../src/history/tables.ts';
import type { MigrationFolder } from '../../../src/migrations/files.ts';
import type { SchemaModel } from '../../../src/schema/model.ts';
import { readSchema } from '../../../src/schema/read.ts';
import { classify } from '../../../src/statements/classify.ts';
import type { Finding, KnownMigrations } from '../../../src/validation/finding.ts';
import { newErrors, validate } from '../../../src/validation/validate.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

const schema = [
  'CREATE TABLE source (id int AUTO_INCREMENT PRIMARY KEY, code varchar(10) NOT NULL)',
  `CREATE TABLE skill (id int AUTO_INCREMENT PRIMARY KEY, source_id int, name varchar(50),
    CONSTRAINT one FOREIGN KEY (source_id) REFERENCES source (id), CONSTRAINT two FOREIGN KEY (source_id) REFERENCES source (id))`,
  `CREATE TABLE cost (skill_id int, name varchar(20), self_skill int, self_name varchar(20), PRIMARY KEY (skill_id, name),
    FOREIGN KEY (skill_id) REFERENCES skill (id), FOREIGN KEY (self_skill, self_name) REFERENCES cost (skill_id, name))`,
  'CREATE TABLE note (text varchar(20), skill_id int, FOREIGN KEY (skill_id) REFERENCES skill (id))',
];

const folder: KnownMigrations = {
  versions: ['0.1.0', '0.2.0', '0.3.0'],
  migrations: [
    ...[
      migration(1, '0.1.0', 'CREATE TABLE old_source (id int)'),
      migration(2, '0.2.0', 'RENAME TABLE old_source TO source'),
    ],
    { ...migration(3, '0.2.0', 'CREATE INDEX a ON skill (name)'), critical: false },
    migration(4, '0.3.0', 'CREATE TABLE later (id int)'),
  ],
};
// The folder that is read from files can be given as it is.
((read: MigrationFolder): KnownMigrations => read) satisfies unknown;

function migration(
  number: number,
  version: string,
  sql: string,
): KnownMigrations['migrations'][number] {
  const up = { statements: [{ classification: classify(sql) }] };
  return {
    number,
    version,
    name: `m${number}`,
    critical: true,
    checksum: `sum${number}`,
    rawChecksum: `raw${number}`,
    up,
  };
}

type Place = { readonly database: string; readonly db: Db; readonly expected: SchemaModel };

/** A database at 0.2.0 with nothing wrong; then `statements` run, without checks of foreign keys. */
async function make(statements: readonly string[] = []): Promise<Place> {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  for (const statement of schema) await db.run(statement);
  await ensureVersionTables(db);
  for (const number of [1, 2, 3]) {
    const version = number === 1 ? '0.1.0' : '0.2.0';
    await db.run(
      `INSERT INTO migration_history (migration_number, version, description) VALUES (${number}, '${version}', '')`,
    );
    await db.run(
      `INSERT INTO schema_version (version, migration_number, backend_version, checksum) VALUES ('${version}', ${number}, '', 'sum${number}')`,
    );
  }
  await db.run(`INSERT INTO source (code) VALUES ('KOD'), ('ARK')`);
  await db.run(
    `INSERT INTO skill (source_id, name) VALUES (1, 'Reiten'), (2, 'Klettern'), (NULL, 'Laufen')`,
  );
  const expected = await readSchema(db, database);
  await db.run('SET foreign_key_checks=0');
  for (const statement of statements) await db.run(statement);
  return { database, db, expected };
}

async function check(
  { db, database, expected }: Place,
  requiredVersion = '0.2.0',
): Promise<Finding[]> {
  return validate({
    ...{ db, database, expected, folder, requiredVersion },
    history: await readHistory(db, database),
    masterdata: [
      { table: 'source', entity: 'sources' },
      { table: 'skill', entity: 'skills' },
    ],
  });
}

async function findingsAfter(...statements: string[]): Promise<Finding[]> {
  return check(await make(statements));
}

function texts(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, check: name, message }) => `${severity} ${name}: ${message}`);
}

describe('a database is valid', () => {
  test('when it is as its version must be', async () => {
    assert.deepEqual(await findingsAfter(), []);
  });

  test('when columns, indexes and tables of others are in it: that is information', async () => {
    const findings = await findingsAfter(
      'ALTER TABLE skill ADD COLUMN extra int, ADD INDEX (extra)',
      'CREATE TABLE theirs (id int)',
      'ALTER TABLE schema_version MODIFY applied_at timestamp NULL',
    );

    assert.deepEqual(texts(findings), [
      'info structure: table skill: column extra int(11) not expected',
      'info structure: table skill: index (extra) not expected',
      'info old-tables: table theirs belongs to nothing that this version knows',
    ]);
  });
});

describe('the structure', () => {
  test('must have every table and column, as they are expected', async () => {
    const findings = await findingsAfter(
      'DROP TABLE note',
      'ALTER TABLE skill MODIFY name varchar(60), DROP FOREIGN KEY one, DROP FOREIGN KEY two',
      'ALTER TABLE cost DROP COLUMN self_name, DROP FOREIGN KEY cost_ibfk_2',
    );

    const kinds = findings
      .filter(({ check: name }) => name === 'structure')
      .map(({ severity, message }) => `${severity} ${message.split(/ \(| varchar/)[0]}`);
    assert.deepEqual(kinds, [
      'error table cost: column self_name',
      'error table cost: index',
      'error table cost: foreign key',
      'error table note expected, missing',
      'error table skill: column name',
      'error table skill: foreign key',
      'info table cost: index',
    ]);
  });

  test('says that a table which a migration renamed is still there', async () => {
    const findings = await findingsAfter('CREATE TABLE old_source (id int)');

    assert.deepEqual(texts(findings), [
      'warning old-tables: table old_source is still there, and this version has it no longer (migration 2)',
    ]);
  });
});

describe('a table', () => {
  test('that only a later version has is not known at this one', async () => {
    const findings = await findingsAfter('CREATE TABLE later (id int)');

    assert.deepEqual(texts(findings), [
      'info old-tables: table later belongs to nothing that this version knows',
    ]);
  });
});

describe('foreign keys', () => {
  test('whose table was dropped are found', async () => {
    const findings = await findingsAfter('DROP TABLE source');

    assert.ok(
      texts(findings).includes(
        'error foreign-key-definition: foreign key skill (source_id) → source (id): there is no table source',
      ),
    );
  });

  test('with rows that point to nothing are counted once, with the primary keys of the first ten', async () => {
    const findings = await findingsAfter(
      `INSERT INTO skill (id, source_id, name) SELECT seq, 99, 'secret' FROM seq_10_to_34`,
    );

    assert.deepEqual(
      findings.map(({ check: name, severity, count, keys }) => ({ name, severity, count, keys })),
      [
        {
          name: 'foreign-key-data',
          severity: 'error',
          count: 25,
          keys: ['10', '11', '12', '13', '14', '15', '16', '17', '18', '19'],
        },
      ],
    );
    assert.doesNotMatch(JSON.stringify(findings), /secret/);
  });

  test('of several columns are checked together, and NULL points to nothing on purpose', async () => {
    const findings = await findingsAfter(
      `INSERT INTO cost VALUES (1, 'a', NULL, NULL), (1, 'b', 1, 'a'), (2, 'a', NULL, 'x'), (2, 'b', 2, 'z')`,
    );

    assert.deepEqual(
      findings.map(({ message, keys }) => ({ message, keys })),
      [
        {
          message:
            'foreign key cost (self_skill, self_name) → cost (skill_id, name): 1 row points to nothing',
          keys: ['(2, b)'],
        },
      ],
    );
  });

  test('of a table without primary key are counted without keys', async () => {
    const [finding] = await findingsAfter(`INSERT INTO note VALUES ('secret', 77), ('b', 78)`);

    assert.equal(finding?.count, 2);
    assert.deepEqual(finding?.keys, []);
  });

  test('into another database are followed', async () => {
    const other = await server.createDatabase();
    const findings = await findingsAfter(
      `CREATE TABLE ${other}.parent (id int PRIMARY KEY)`,
      `CREATE TABLE far (id int PRIMARY KEY, FOREIGN KEY (id) REFERENCES ${other}.parent (id))`,
      'INSERT INTO far VALUES (1)',
    );

    assert.ok(
      texts(findings).includes(
        `error foreign-key-data: foreign key far (id) → ${other}.parent (id): 1 row points to nothing`,
      ),
    );
  });
});

describe('the version tables', () => {
  test('may have rows of a backend that goes its own way: that is information', async () => {
    const findings = await findingsAfter(
      `INSERT INTO schema_version (version, migration_number, backend_version, checksum) VALUES ('0.1.37', 1, '0.1.37', '')`,
    );

    assert.deepEqual(texts(findings), [
      'info version-tables: schema_version has 1 rows that migration_history does not confirm: 0.1.37 (1)',
      'info version-tables: the last row of schema_version says 0.1.37, the history says 0.2.0',
    ]);
  });

  test('must be there', async () => {
    const findings = await findingsAfter('DROP TABLE schema_version');

    assert.equal(texts(findings)[0], 'error version-tables: table schema_version is missing');
  });

  test('tell when a migration was applied from another file', async () => {
    const findings = await findingsAfter(
      `UPDATE schema_version SET checksum='other' WHERE migration_number=2`,
    );

    assert.deepEqual(texts(findings), [
      'warning version-tables: migration 2 of 0.2.0 was applied from another file than this image has',
    ]);
  });
});

describe('the history', () => {
  test('must have every migration up to the required version', async () => {
    const findings = await check(await make(), '0.3.0');

    assert.deepEqual(texts(findings), ['error history: migration 4 m4 of 0.3.0 is not applied']);
  });

  test('may lack one that failed and is not critical', async () => {
    const findings = await findingsAfter(
      'UPDATE migration_history SET success=0 WHERE migration_number=3',
      'DELETE FROM schema_version WHERE migration_number=3',
    );

    assert.deepEqual(texts(findings), [
      'warning history: migration 3 m3 of 0.2.0 failed and is not critical',
    ]);
  });

  test('may not lack one that failed and is critical', async () => {
    const findings = await findingsAfter(
      'UPDATE migration_history SET success=0 WHERE migration_number=2',
    );

    assert.ok(texts(findings).includes('error history: migration 2 m2 of 0.2.0 is not applied'));
  });

  test('warns of what this image does not know', async () => {
    const findings = await findingsAfter(
      `INSERT INTO migration_history (migration_number, version, description) VALUES (9, '0.2.0', ''), (10, '9.0.0', '')`,
      `INSERT INTO schema_version (version, migration_number, backend_version, checksum) VALUES ('0.2.0', 9, '', 'x'), ('9.0.0', 10, '', 'x')`,
    );

    assert.deepEqual(texts(findings), [
      'warning history: migration 9 of 0.2.0 is applied, and this image has no file of it',
      'warning history: migration 10 of 9.0.0 is applied, and the required version is 0.2.0',
    ]);
  });
});

describe('master data', () => {
  test('must be there, and a table that once had some says so', async () => {
    const findings = await findingsAfter('DELETE FROM skill', 'DELETE FROM source');

    assert.deepEqual(texts(findings), [
      'error masterdata: table source is empty: there are no sources',
      'error masterdata: table skill is empty: there are no skills',
      'warning emptied-tables: table skill is empty, and its next number is 4: it had rows once',
      'warning emptied-tables: table source is empty, and its next number is 3: it had rows once',
    ]);
  });
});

describe('a run', () => {
  test('has caused only the errors that were not there before, or with fewer rows', async () => {
    const place = await make([`INSERT INTO skill (id, source_id) VALUES (50, 99)`]);
    const before = await check(place);
    assert.equal(before.length, 1);

    assert.deepEqual(newErrors(before, await check(place)), []);
    await place.db.run('INSERT INTO skill (id, source_id) VALUES (51, 99)');
    assert.deepEqual(
      newErrors(before, await check(place)).map(({ count }) => count),
      [2],
    );
    await place.db.run('DELETE FROM skill WHERE id IN (50, 51)');
    await place.db.run('DROP TABLE note');
    assert.deepEqual(
      newErrors(before, await check(place)).map(({ message }) => message),
      ['table note expected, missing'],
    );
  });

  test('is validated with as many queries as there are tables and foreign keys, whatever the rows', async () => {
    const place = await make([`INSERT INTO skill (source_id) SELECT 99 FROM seq_1_to_5000`]);
    const count = async () =>
      Number(
        (await place.db.one<{ Value: string }>(`SHOW SESSION STATUS LIKE 'Questions'`))?.Value,
      );

    const first = await count();
    await check(place);
    const queries = (await count()) - first;

    assert.ok(queries < 40, `${queries} queries`);
  });
});
