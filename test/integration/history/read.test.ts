import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { readHistory } from '../../../src/history/read.ts';
import { ensureVersionTables } from '../../../src/history/tables.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function makeDatabase(): Promise<{ db: Db; name: string }> {
  const name = await server.createDatabase();
  return { db: await server.connect(name), name };
}

describe('ensureVersionTables', () => {
  test('makes the tables as the backend has them, with Unix seconds', async () => {
    const { db, name } = await makeDatabase();

    await ensureVersionTables(db);

    const rows = await db.query<{ line: string }>(
      `SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, COALESCE(column_default, '-'), extra) AS line
       FROM information_schema.columns WHERE table_schema = '${name}' ORDER BY table_name DESC, ordinal_position`,
    );
    assert.deepEqual(
      rows.map(({ line }) => line.trim()),
      [
        'schema_version id bigint(20) unsigned NO - auto_increment',
        'schema_version version varchar(20) NO -',
        'schema_version migration_number bigint(20) NO -',
        'schema_version applied_at bigint(20) YES NULL',
        'schema_version backend_version varchar(20) NO -',
        'schema_version description text YES NULL',
        'schema_version checksum varchar(64) YES NULL',
        'migration_history id bigint(20) unsigned NO - auto_increment',
        'migration_history migration_number bigint(20) NO -',
        'migration_history version varchar(20) NO -',
        'migration_history description text NO -',
        'migration_history applied_at bigint(20) YES NULL',
        'migration_history applied_by varchar(100) YES NULL',
        'migration_history execution_time_ms bigint(20) YES NULL',
        'migration_history success tinyint(1) YES 1',
        'migration_history error_message text YES NULL',
        'migration_history rollback_available tinyint(1) YES 1',
      ],
    );
    const keys = await db.query<{ name: string }>(
      `SELECT DISTINCT index_name AS name FROM information_schema.statistics WHERE table_schema = '${name}' ORDER BY 1`,
    );
    assert.deepEqual(
      keys.map((key) => key.name),
      [
        'idx_migration_history_migration_number',
        'idx_migration_history_version',
        'idx_schema_version_migration_number',
        'idx_schema_version_version',
        'PRIMARY',
      ],
    );
  });

  test('leaves existing tables and their rows as they are', async () => {
    const { db, name } = await makeDatabase();
    await db.run('CREATE TABLE schema_version (id int PRIMARY KEY, version varchar(9))');
    await db.run("INSERT INTO schema_version VALUES (1, '0.4.0')");

    await ensureVersionTables(db);

    const row = await db.one('SELECT * FROM schema_version');
    assert.deepEqual({ ...row }, { id: 1, version: '0.4.0' });
    assert.equal((await readTables(db, name)).length, 2);
  });
});

describe('readHistory', () => {
  test('finds nothing in an empty database and creates nothing', async () => {
    const { db, name } = await makeDatabase();

    const history = await readHistory(db, name);

    assert.deepEqual(history.present, { schemaVersion: false, migrationHistory: false });
    assert.deepEqual(history.applied, []);
    assert.deepEqual(await readTables(db, name), []);
  });

  test('reads Bamort’s own dump: a hand-made version row and no history', async () => {
    const { db, name } = await makeDatabase();
    await ensureVersionTables(db);
    await db.run("INSERT INTO schema_version VALUES (1, '0.4.0', 1, 1, '0.1.37', NULL, NULL)");

    const history = await readHistory(db, name);

    assert.deepEqual(history.applied, []);
    assert.deepEqual(history.schemaVersionRows, [
      { id: '1', version: '0.4.0', number: 1, checksum: null, backendVersion: '0.1.37' },
    ]);
    assert.equal(history.appliedAtType, 'epoch');
  });

  test('keeps the truth when the real backend appends its row after ours', async () => {
    const { db, name } = await makeDatabase();
    await ensureVersionTables(db);
    await db.run(`INSERT INTO migration_history VALUES
      (1, 1, '0.4.0', 'rename tables', 1768559400, 'deploy', 31, 1, NULL, 1)`);
    await db.run(`INSERT INTO schema_version VALUES
      (1, '0.4.0', 1, 1768559400, '0.1.37', 'rename tables', 'abc'),
      (2, '0.1.37', 1, 1768559999, '0.1.37', 'Initial schema version', '')`);

    const { applied, problems } = await readHistory(db, name);

    assert.deepEqual(problems, []);
    assert.deepEqual(applied, [
      {
        ...{ number: 1, version: '0.4.0', description: 'rename tables', checksum: 'abc' },
        ...{ appliedAt: '2026-01-16T10:30:00.000Z', appliedBy: 'deploy' },
        ...{ executionTimeMs: 31, rollbackAvailable: true },
      },
    ]);
  });

  test('reads times of a TIMESTAMP column, and numbers that such a column left behind', async () => {
    const { db, name } = await makeDatabase();
    await ensureVersionTables(db);
    await db.run('ALTER TABLE migration_history MODIFY applied_at timestamp NULL');
    await db.run(`INSERT INTO migration_history (migration_number, version, description, applied_at)
      VALUES (1, '0.4.0', 'a', '2026-01-16 10:30:00'), (2, '0.4.0', 'b', NULL)`);

    const asTimestamp = await readHistory(db, name);
    await db.run('ALTER TABLE migration_history MODIFY applied_at bigint');
    const asNumber = await readHistory(db, name);

    const times = (history: typeof asNumber) => history.applied.map(({ appliedAt }) => appliedAt);
    assert.equal(asTimestamp.appliedAtType, 'timestamp');
    assert.deepEqual(times(asTimestamp), ['2026-01-16T10:30:00.000Z', null]);
    assert.equal(asNumber.appliedAtType, 'epoch');
    assert.deepEqual(times(asNumber), times(asTimestamp));
  });

  test('orders rows by number, whatever their character sets and ids', async () => {
    const { db, name } = await makeDatabase();
    await ensureVersionTables(db);
    await db.run('ALTER TABLE schema_version CONVERT TO CHARACTER SET latin1');
    await db.run(`INSERT INTO migration_history (migration_number, version, description)
      VALUES (10, '0.5.0', 'größer → besser'), (9, '0.4.0', 'b')`);
    await db.run(`INSERT INTO schema_version (version, migration_number, backend_version, checksum)
      VALUES ('0.5.0', 10, '', 'x')`);

    const { applied } = await readHistory(db, name);

    assert.deepEqual(
      applied.map(({ number, description, checksum }) => [number, description, checksum]),
      [
        [9, 'b', null],
        [10, 'größer → besser', 'x'],
      ],
    );
  });

  test('refuses a table without a column that it needs, and names both', async () => {
    const { db, name } = await makeDatabase();
    await ensureVersionTables(db);
    await db.run('ALTER TABLE migration_history DROP COLUMN success, DROP COLUMN applied_by');

    await assert.rejects(readHistory(db, name), {
      code: 'HISTORY_UNREADABLE',
      message: 'table migration_history has no column applied_by, success',
      where: `${name}.migration_history`,
    });
  });
});

async function readTables(db: Db, name: string): Promise<unknown[]> {
  return db.query(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = '${name}'`,
  );
}
