import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { readHistory } from '../../../src/history/read.ts';
import {
  type RecordEntry,
  recordApplied,
  recordFailed,
  recordReverted,
} from '../../../src/history/record.ts';
import { ensureVersionTables } from '../../../src/history/tables.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function makeDatabase(): Promise<{ db: Db; name: string }> {
  const name = await server.createDatabase();
  const db = await server.connect(name);
  await ensureVersionTables(db);
  return { db, name };
}

function entry(number: number, given: Partial<RecordEntry> = {}): RecordEntry {
  return {
    number,
    version: '0.4.0',
    description: `change ${number}`,
    checksum: String(number).repeat(64).slice(0, 64),
    appliedBy: 'deploy 0.1.0',
    executionTimeMs: 12.6,
    rollbackAvailable: true,
    backendVersion: '0.1.37',
    ...given,
  };
}

describe('recordApplied', () => {
  test('writes what can be read again: history row, version row, checksum, server time', async () => {
    const { db, name } = await makeDatabase();
    const begun = await db.one<{ now: string }>('SELECT UNIX_TIMESTAMP() AS now');

    await recordApplied(db, entry(1));

    const { applied, schemaVersionRows } = await readHistory(db, name);
    const { appliedAt, ...rest } = applied[0]!;
    assert.deepEqual(rest, {
      ...{ number: 1, version: '0.4.0', description: 'change 1', checksum: '1'.repeat(64) },
      ...{ appliedBy: 'deploy 0.1.0', executionTimeMs: 13, rollbackAvailable: true },
    });
    assert.ok(Date.parse(appliedAt ?? '') >= Number(begun?.now) * 1000);
    assert.ok(Date.parse(appliedAt ?? '') < (Number(begun?.now) + 60) * 1000);
    assert.equal(schemaVersionRows.length, 1);
    const row = await db.one('SELECT backend_version, description FROM schema_version');
    assert.deepEqual({ ...row }, { backend_version: '0.1.37', description: 'change 1' });
  });

  test('writes times into TIMESTAMP columns too, each table in its own way', async () => {
    const { db, name } = await makeDatabase();
    await db.run('ALTER TABLE migration_history MODIFY applied_at timestamp NULL');

    await recordApplied(db, entry(1));
    await recordApplied(db, entry(2));

    const { applied, appliedAtType } = await readHistory(db, name);
    const row = await db.one<{ age: string }>(
      'SELECT UNIX_TIMESTAMP() - MIN(applied_at) AS age FROM schema_version',
    );
    assert.equal(appliedAtType, 'timestamp');
    assert.equal(applied.length, 2);
    for (const { appliedAt } of applied) {
      assert.ok(Math.abs(Date.now() - Date.parse(appliedAt ?? '')) < 60_000);
    }
    assert.ok(Number(row?.age) >= 0 && Number(row?.age) < 60);
  });

  test('notices that a migration has changed the type of applied_at', async () => {
    const { db } = await makeDatabase();
    await db.run('ALTER TABLE schema_version MODIFY applied_at timestamp NULL');
    await recordApplied(db, entry(1));
    await db.run('ALTER TABLE schema_version MODIFY applied_at bigint');

    await recordApplied(db, entry(2));

    const row = await db.one<{ age: string }>(
      'SELECT UNIX_TIMESTAMP() - applied_at AS age FROM schema_version WHERE migration_number = 2',
    );
    assert.ok(Number(row?.age) >= 0 && Number(row?.age) < 60);
  });

  test('takes the place of a row that says the migration failed', async () => {
    const { db, name } = await makeDatabase();
    await recordFailed(db, entry(1), 'no such column');

    await recordApplied(db, entry(1, { checksum: 'f'.repeat(64) }));

    const { applied, failed } = await readHistory(db, name);
    assert.equal(applied[0]?.checksum, 'f'.repeat(64));
    assert.deepEqual(failed, []);
    const row = await db.one<{ n: string; error: unknown }>(
      'SELECT COUNT(*) AS n, MAX(error_message) AS error FROM migration_history',
    );
    assert.equal(Number(row?.n), 1);
    assert.equal(row?.error, null);
  });

  test('cuts what is longer than its column, and needs no backend version', async () => {
    const { db } = await makeDatabase();

    await recordApplied(
      db,
      entry(1, {
        appliedBy: 'ü'.repeat(101),
        backendVersion: null,
        description: '😀'.repeat(20_000),
      }),
    );

    const row = await db.one<Record<string, unknown>>(
      'SELECT CHAR_LENGTH(applied_by) AS who, CHAR_LENGTH(description) AS what FROM migration_history',
    );
    const version = await db.one<{ backend: string }>(
      'SELECT backend_version AS backend FROM schema_version',
    );
    assert.equal(Number(row?.['who']), 100);
    assert.equal(Number(row?.['what']), 16_000);
    assert.equal(version?.backend, 'unknown');
  });

  test('is undone with the transaction around it', async () => {
    const { db, name } = await makeDatabase();

    await db.run('START TRANSACTION');
    await recordApplied(db, entry(1));
    await db.run('ROLLBACK');

    const { applied, schemaVersionRows } = await readHistory(db, name);
    assert.deepEqual([applied, schemaVersionRows], [[], []]);
  });

  test('refuses when a version table is missing', async () => {
    const { db } = await makeDatabase();
    await db.run('DROP TABLE schema_version');

    await assert.rejects(recordApplied(db, entry(1)), {
      code: 'HISTORY_UNREADABLE',
      where: 'schema_version',
    });
  });
});

describe('recordFailed', () => {
  test('keeps the error and lets the version count as reached', async () => {
    const { db, name } = await makeDatabase();

    await recordFailed(db, entry(1), 'Duplicate column name (1060 ER_DUP_FIELDNAME)');

    const { applied, failed, schemaVersionRows } = await readHistory(db, name);
    assert.deepEqual(applied, []);
    assert.equal(failed[0]?.error, 'Duplicate column name (1060 ER_DUP_FIELDNAME)');
    assert.equal(schemaVersionRows[0]?.version, '0.4.0');
  });
});

describe('recordReverted', () => {
  test('takes the migration out and shows the lower version last, with its checksum', async () => {
    const { db, name } = await makeDatabase();
    await recordApplied(db, entry(1));
    await recordApplied(db, entry(2));
    await recordApplied(db, entry(3, { version: '0.5.0' }));

    await recordReverted(db, { ...entry(3), lowerVersion: '0.4.0' });

    const { applied, schemaVersionRows } = await readHistory(db, name);
    assert.deepEqual(
      applied.map(({ number, checksum }) => [number, checksum]),
      [
        [1, '1'.repeat(64)],
        [2, '2'.repeat(64)],
      ],
    );
    assert.deepEqual(schemaVersionRows.at(-1), {
      ...{ id: '4', version: '0.4.0', number: 2, checksum: '2'.repeat(64) },
      backendVersion: '0.1.37',
    });
    const row = await db.one<{ description: string }>(
      'SELECT description FROM schema_version ORDER BY id DESC LIMIT 1',
    );
    assert.equal(row?.description, 'migration 3 reverted: change 3');
  });

  test('appends nothing when no version is left', async () => {
    const { db, name } = await makeDatabase();
    await recordApplied(db, entry(1));

    await recordReverted(db, { ...entry(1), lowerVersion: null });

    const { applied, schemaVersionRows } = await readHistory(db, name);
    assert.deepEqual(applied, []);
    assert.equal(schemaVersionRows.length, 1);
  });

  test('lets the migration be applied again', async () => {
    const { db, name } = await makeDatabase();
    await recordApplied(db, entry(1));
    await recordReverted(db, { ...entry(1), lowerVersion: null });

    await recordApplied(db, entry(1, { checksum: 'e'.repeat(64) }));

    assert.equal((await readHistory(db, name)).applied[0]?.checksum, 'e'.repeat(64));
  });
});
