import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { DeployError } from '../../../src/errors/deploy-error.ts';
import { checksumsOf } from '../../../src/migrations/checksum.ts';
import { readMigrations } from '../../../src/migrations/files.ts';
import { writeMigrations } from '../../support/migrations.ts';

const sound = {
  '0.9.0/0001_create_hero.up.sql':
    '-- The first table.\n--! description: create the heroes\n\nCREATE TABLE hero (id int PRIMARY KEY);\n',
  '0.9.0/0001_create_hero.down.sql': '--! rerunnable: true\nDROP TABLE hero;\n',
  '0.10.0/0002_name_heroes.up.sql':
    "--! critical: false\r\nALTER TABLE hero\r\n  ADD name text;\r\nUPDATE hero SET name = 'a;b';\r\n",
  '0.10.0/0002_name_heroes.data.ts': 'export async function up() {}\n',
  'schema.sql': 'CREATE TABLE hero (id int PRIMARY KEY, name text);\n',
  'README.md': '# Migrations\n',
  '.gitignore': '*.swp\n',
};

describe('readMigrations', () => {
  test('reads numbers, versions, headers, statements with their lines, and checksums', async (t) => {
    const dir = writeMigrations(t, sound);

    const folder = await readMigrations(dir);

    assert.deepEqual(folder.versions, ['0.9.0', '0.10.0']);
    assert.equal(folder.dir, dir);
    assert.deepEqual(folder.schemaSql, {
      path: 'migrations/schema.sql',
      text: sound['schema.sql'],
    });
    const [first, second] = folder.migrations;
    assert.deepEqual(
      { ...first, up: null, down: null },
      {
        ...{ number: 1, version: '0.9.0', name: 'create_hero', description: 'create the heroes' },
        ...{ critical: true, up: null, down: null, data: null },
        ...checksumsOf({ up: Buffer.from(sound['0.9.0/0001_create_hero.up.sql']), data: null }),
      },
    );
    assert.equal(first?.up.path, 'migrations/0.9.0/0001_create_hero.up.sql');
    assert.equal(first?.up.rerunnable, false);
    assert.equal(first?.down?.rerunnable, true);
    assert.deepEqual(
      first?.up.statements.map(({ sql, line, number }) => [sql, line, number]),
      [['CREATE TABLE hero (id int PRIMARY KEY)', 4, 1]],
    );
    assert.equal(first?.up.statements[0]?.classification.verb, 'CREATE TABLE');
    assert.match(first?.up.statements[0]?.hash ?? '', /^[0-9a-f]{64}$/);

    assert.equal(second?.description, 'name heroes');
    assert.equal(second?.critical, false);
    assert.equal(second?.down, null);
    assert.deepEqual(second?.data, {
      file: join(dir, '0.10.0/0002_name_heroes.data.ts'),
      path: 'migrations/0.10.0/0002_name_heroes.data.ts',
    });
    assert.deepEqual(
      second?.up.statements.map(({ line }) => line),
      [2, 4],
    );
  });

  test('has the same checksums when the checkout has other line endings', async (t) => {
    const windows = Object.fromEntries(
      Object.entries(sound).map(([name, text]) => [
        name,
        `\uFEFF${text.replace(/\r?\n/g, '\r\n')}`,
      ]),
    );

    const [here, there] = await Promise.all([
      readMigrations(writeMigrations(t, sound)),
      readMigrations(writeMigrations(t, windows)),
    ]);

    const checksums = (folder: typeof here) => folder.migrations.map(({ checksum }) => checksum);
    assert.deepEqual(checksums(there), checksums(here));
    assert.equal(there.migrations[0]?.description, 'create the heroes');
  });

  test('needs no schema.sql, and finds nothing in an empty folder', async (t) => {
    const folder = await readMigrations(writeMigrations(t, {}));

    assert.deepEqual([folder.migrations, folder.versions, folder.schemaSql], [[], [], null]);
  });

  test('follows symbolic links, which mounted folders are made of', async (t) => {
    const dir = writeMigrations(t, sound);
    const other = writeMigrations(t, {});
    symlinkSync(join(dir, '0.9.0'), join(other, '0.9.0'));
    symlinkSync(join(dir, 'schema.sql'), join(other, 'schema.sql'));

    const folder = await readMigrations(other);

    assert.deepEqual(folder.versions, ['0.9.0']);
    assert.notEqual(folder.schemaSql, null);
  });

  test('tells all problems of the folder at once, each with its place', async (t) => {
    const dir = writeMigrations(t, {
      'notes.txt': '',
      '0.9.0/0001_a.up.sql': '--! author: me\nSELECT 1;\n--! critical: false\nSELECT 2;\n',
      '0.9.0/0002_b.up.sql': "SELECT 'open;\n",
      '0.9.0/0003_c.down.sql': 'SELECT 1;\n',
      '0.9.0/0004_d.up.sql': Buffer.from([0x53, 0x45, 0x0a, 0xff]),
      '0.9.0/0005_e.up.sql': '-- nothing\n',
      '0.9.0/0006_f.up.sql': '-- only data\n',
      '0.9.0/0006_f.data.ts': "import { a } from '../a.ts';\n",
      '0.10.0/0001_g.up.sql': 'SELECT 1;\n',
      '0.10.0/create.sql': 'SELECT 1;\n',
    });

    const error = await readMigrations(dir).then(
      () => assert.fail('the folder was accepted'),
      (thrown: DeployError) => thrown,
    );

    assert.equal(error.code, 'MIGRATION_FILE_INVALID');
    const problems = error.facts['problems'] as { where: string; message: string }[];
    assert.deepEqual(problems.map(({ where }) => where).sort(), [
      'migrations/0.10.0/0001_g.up.sql',
      'migrations/0.10.0/create.sql',
      'migrations/0.9.0/0001_a.up.sql:1',
      'migrations/0.9.0/0001_a.up.sql:3',
      'migrations/0.9.0/0002_b.up.sql:1',
      'migrations/0.9.0/0003_c.up.sql',
      'migrations/0.9.0/0004_d.up.sql:2',
      'migrations/0.9.0/0005_e.up.sql',
      'migrations/0.9.0/0006_f.data.ts:1',
      'migrations/notes.txt',
    ]);
    assert.equal(error.where, problems[0]?.where);
    assert.match(error.message, /^10 problems in the migrations folder\n/);
    assert.match(
      error.message,
      /\nmigrations\/0\.9\.0\/0003_c\.up\.sql: the migration has no up file/,
    );
  });

  test('says a single problem in its own words', async (t) => {
    const dir = writeMigrations(t, { '0.9.0/0001_a.up.sql': '--! critical: maybe\nSELECT 1;\n' });

    await assert.rejects(readMigrations(dir), {
      code: 'MIGRATION_FILE_INVALID',
      message: 'the header critical is either true or false',
      where: 'migrations/0.9.0/0001_a.up.sql:1',
    });
  });

  test('leaves it to the plan to refuse forbidden statements', async (t) => {
    const dir = writeMigrations(t, { '0.9.0/0001_a.up.sql': 'LOCK TABLES a READ;\n' });

    const { migrations } = await readMigrations(dir);

    assert.notEqual(migrations[0]?.up.statements[0]?.classification.forbidden, null);
  });

  test('refuses a folder that is not there', async (t) => {
    const dir = join(writeMigrations(t, {}), 'nowhere');

    await assert.rejects(readMigrations(dir), { code: 'MIGRATION_FILE_INVALID', where: 'nowhere' });
  });

  test('refuses a link that leads nowhere', async (t) => {
    const dir = writeMigrations(t, { '0.9.0/0001_a.up.sql': 'SELECT 1;\n' });
    symlinkSync('gone', join(dir, '0.9.0', '0002_b.up.sql'));

    await assert.rejects(readMigrations(dir), { code: 'MIGRATION_FILE_INVALID' });
  });

  test('refuses a folder where a version has none of its files', async (t) => {
    const dir = writeMigrations(t, {});
    mkdirSync(join(dir, '0.9.0'));

    await assert.rejects(readMigrations(dir), {
      message: 'the version has no migration',
      where: 'migrations/0.9.0',
    });
  });
});
