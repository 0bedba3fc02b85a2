import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type HistoryRow,
  makeHistory,
  type VersionRow,
} from '../../../src/history/history-facts.ts';

function historyRow(number: string | null, given: Partial<HistoryRow> = {}): HistoryRow {
  return {
    migrationNumber: number,
    version: '0.4.0',
    description: 'add things',
    appliedAt: '1768559400',
    appliedBy: 'deploy 0.1.0',
    executionTimeMs: '12',
    rollbackAvailable: '1',
    success: '1',
    errorMessage: null,
    ...given,
  };
}

function versionRow(
  id: number,
  number: string | null,
  given: Partial<VersionRow> = {},
): VersionRow {
  return {
    id: String(id),
    migrationNumber: number,
    version: '0.4.0',
    checksum: null,
    backendVersion: null,
    ...given,
  };
}

function facts(history: readonly HistoryRow[] | null, versions: readonly VersionRow[] | null) {
  return makeHistory({ history, versions, appliedAtType: 'epoch' });
}

describe('makeHistory', () => {
  test('has nothing to say without the tables', () => {
    assert.deepEqual(facts(null, null), {
      present: { schemaVersion: false, migrationHistory: false },
      applied: [],
      failed: [],
      schemaVersionRows: [],
      problems: [],
      appliedAtType: 'epoch',
    });
  });

  test('gives applied migrations by number, with everything that their row says', () => {
    const { applied } = facts([historyRow('2'), historyRow('1', { appliedBy: '' })], []);

    assert.deepEqual(
      applied.map(({ number }) => number),
      [1, 2],
    );
    assert.deepEqual(applied[0], {
      number: 1,
      version: '0.4.0',
      description: 'add things',
      appliedAt: '2026-01-16T10:30:00.000Z',
      appliedBy: null,
      executionTimeMs: 12,
      rollbackAvailable: true,
      checksum: null,
    });
  });

  test('keeps failed migrations apart, with their error', () => {
    const { applied, failed } = facts(
      [historyRow('1', { success: '0', errorMessage: 'no such column' })],
      [],
    );

    assert.deepEqual(applied, []);
    assert.deepEqual(failed, [
      { number: 1, version: '0.4.0', description: 'add things', error: 'no such column' },
    ]);
  });

  test('takes the checksum from the latest row of the same migration and version', () => {
    const { applied } = facts(
      [historyRow('1')],
      [
        versionRow(1, '1', { checksum: 'old' }),
        versionRow(2, '1', { checksum: 'new' }),
        versionRow(3, '2', { checksum: 'other' }),
      ],
    );

    assert.equal(applied[0]?.checksum, 'new');
  });

  test('does not let the rows that the real backend appends hide a checksum', () => {
    const { applied, schemaVersionRows } = facts(
      [historyRow('1')],
      [
        versionRow(1, '1', { checksum: 'ours' }),
        versionRow(2, '1', { version: '0.1.37', checksum: 'theirs' }),
        versionRow(3, '1', { checksum: '' }),
      ],
    );

    assert.equal(applied[0]?.checksum, 'ours');
    assert.deepEqual(schemaVersionRows[1], {
      id: '2',
      version: '0.1.37',
      number: 1,
      checksum: 'theirs',
      backendVersion: '',
    });
  });

  test('knows no checksum when only empty ones are recorded', () => {
    const { applied } = facts([historyRow('1')], [versionRow(1, '1', { checksum: '' })]);

    assert.equal(applied[0]?.checksum, null);
  });

  test('believes the history, not schema_version: a claimed version alone is nothing', () => {
    const { applied } = facts([], [versionRow(1, '1')]);

    assert.deepEqual(applied, []);
  });

  test('names oddities without stopping: two rows of a number, a version that is none', () => {
    const { problems, applied, failed } = facts(
      [historyRow('1', { success: '0' }), historyRow('1'), historyRow('2', { version: 'two' })],
      [],
    );

    assert.deepEqual(problems, [
      'migration_history has more than one row of migration 1',
      'migration_history has no usable version for migration 2',
    ]);
    assert.equal(applied.length, 2);
    assert.deepEqual(failed, []);
  });

  test('is lenient about columns that may be NULL', () => {
    const row = historyRow('1', {
      ...{ version: null, description: null, executionTimeMs: null, rollbackAvailable: null },
    });

    const { applied } = facts([row], [versionRow(1, '1', { version: null })]);

    assert.equal(applied[0]?.version, '');
    assert.equal(applied[0]?.executionTimeMs, null);
    assert.equal(applied[0]?.rollbackAvailable, false);
  });

  test('refuses a row that does not say whether it was successful', () => {
    assert.throws(() => facts([historyRow('1', { success: null })], []), {
      code: 'HISTORY_UNREADABLE',
    });
  });

  test('refuses a row without a number, in either table', () => {
    assert.throws(() => facts([historyRow(null)], []), { code: 'HISTORY_UNREADABLE' });
    assert.throws(() => facts([], [versionRow(1, 'one')]), { code: 'HISTORY_UNREADABLE' });
  });
});
