import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { readMigrations } from '../../../src/migrations/files.ts';
import { buildVersionModels } from '../../../src/migrations/structural-run.ts';
import type { SchemaModel } from '../../../src/schema/model.ts';
import { writeMigrations } from '../../support/migrations.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function build(
  t: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, SchemaModel>> {
  const folder = await readMigrations(writeMigrations(t, files));
  return buildVersionModels({
    ...{ scratch: server.scratch, folder },
    ...{ charset: 'latin1', collation: 'latin1_german2_ci' },
  });
}

describe('buildVersionModels', () => {
  test('gives the structure of every version, each on top of the one before', async (t) => {
    const models = await build(t, {
      '0.9.0/0001_a.up.sql': 'CREATE TABLE hero (id int PRIMARY KEY, name varchar(9));',
      '0.9.0/0002_b.up.sql': 'CREATE TABLE sword (id int);',
      '0.10.0/0003_c.up.sql': 'DROP TABLE sword; ALTER TABLE hero ADD age int;',
    });

    assert.deepEqual([...models.keys()], ['0.9.0', '0.10.0']);
    const versionTables = ['table:migration_history', 'table:schema_version'];
    assert.deepEqual(
      [...(models.get('0.9.0')?.objects.keys() ?? [])],
      ['table:hero', ...versionTables.slice(0, 1), 'table:schema_version', 'table:sword'],
    );
    assert.deepEqual(
      [...(models.get('0.10.0')?.objects.keys() ?? [])],
      ['table:hero', ...versionTables],
    );
    assert.equal(models.get('0.9.0')?.collation, 'latin1_german2_ci');
  });

  test('does not depend on rows: of data only the effect on the structure counts', async (t) => {
    const models = await build(t, {
      '0.9.0/0001_a.up.sql': `CREATE TABLE hero (id int PRIMARY KEY);
        CREATE TABLE sword (hero int NOT NULL, FOREIGN KEY (hero) REFERENCES hero (id));
        INSERT INTO sword VALUES (7);`,
      '0.9.0/0001_a.data.ts': "export async function up() { throw new Error('not here'); }",
    });

    assert.ok(models.get('0.9.0')?.objects.has('table:sword'));
  });

  test('says where the files fail', async (t) => {
    const failing = build(t, {
      '0.9.0/0001_a.up.sql': 'SELECT 1;\nALTER TABLE nothing ADD a int;',
    });

    await assert.rejects(failing, {
      code: 'MIGRATION_UNSOUND',
      where: 'migrations/0.9.0/0001_a.up.sql:2',
    });
  });

  test('runs no forbidden statement', async (t) => {
    await assert.rejects(build(t, { '0.9.0/0001_a.up.sql': 'FLUSH TABLES;' }), {
      code: 'STATEMENT_FORBIDDEN',
      where: 'migrations/0.9.0/0001_a.up.sql:1',
    });
  });

  test('leaves nothing on the scratch server', async (t) => {
    await build(t, { '0.9.0/0001_a.up.sql': 'CREATE TABLE hero (id int);' });

    const db = await server.connect();
    assert.deepEqual(await db.query("SHOW DATABASES LIKE 'deploy%'"), []);
  });
});
