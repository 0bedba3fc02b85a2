import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decideHealth, type HealthInput } from '../../../healthcheck/decide-health.ts';
import type { DatabaseFacts, OpenRun, Trouble } from '../../../healthcheck/facts.ts';
import { noRecords } from '../../../healthcheck/read-records.ts';
import type { HistoryFacts } from '../../../src/history/read.ts';
import { makeApplied, makeFailed, makeMigration } from '../../support/migrations.ts';

const one = makeMigration({ number: 1, version: '0.9.0' });
const two = makeMigration({ number: 2, version: '0.10.0' });
const three = makeMigration({ number: 3, version: '0.10.0', critical: false });
const folder = { migrations: [one, two, three], versions: ['0.9.0', '0.10.0'] };

function history(given: Partial<HistoryFacts>): HistoryFacts {
  return {
    present: { schemaVersion: true, migrationHistory: true },
    ...{ applied: [], failed: [], schemaVersionRows: [], problems: [], appliedAtType: 'epoch' },
    ...given,
  };
}

const applied = (...migrations: (typeof one)[]) =>
  history({ applied: migrations.map((m) => makeApplied(m)) });

function openRun(given: Partial<OpenRun>): OpenRun {
  return {
    ...{ runId: 'r1', mode: 'update', state: 'changing', step: null, from: '0.9.0', to: '0.10.0' },
    ...{ startedAt: '2026-01-16T10:30:00.000Z', isAlive: true, progress: null },
    ...given,
  };
}

function input(database: Partial<DatabaseFacts>, given: Partial<HealthInput> = {}): HealthInput {
  const facts = {
    history: history({}),
    hasTables: true,
    openRun: null,
    lastRun: null,
    records: noRecords,
    ...database,
  };
  return {
    folder,
    requiredVersion: '0.10.0',
    reading: { trouble: null, database: facts },
    ...given,
  };
}

const trouble = (name: Trouble) => input({}, { reading: { trouble: name } });
const newer = makeMigration({ number: 4, version: '0.11.0' });

const rows: readonly (readonly [
  when: string,
  input: HealthInput,
  expected: readonly [state: string, http: number, status: string, ready: boolean],
])[] = [
  ['as required', input({ history: applied(one, two, three) }), ['as_required', 200, 'ok', true]],
  [
    'as required, and a migration that is not critical failed',
    input({ history: { ...applied(one, two), failed: [makeFailed(three)] } }),
    ['as_required', 200, 'warning', true],
  ],
  ['behind', input({ history: applied(one) }), ['behind', 200, 'warning', false]],
  [
    'behind, as a critical migration failed',
    input({ history: { ...applied(one), failed: [makeFailed(two)] } }),
    ['behind', 200, 'warning', false],
  ],
  [
    'unknown: a migration of its first version is missing in the history',
    input({ history: applied(two), hasTables: true }),
    ['unknown', 500, 'error', false],
  ],
  [
    'unknown: a critical migration failed, and a later one is applied',
    input({ history: { ...applied(one, three), failed: [makeFailed(two)] } }),
    ['unknown', 500, 'error', false],
  ],
  [
    'unknown: the file of a migration is another one than was applied',
    input({ history: applied({ ...one, checksum: 'of an older file' }, two, three) }),
    ['unknown', 500, 'error', false],
  ],
  [
    'unknown: a migration that is applied has no file in this release',
    input({ history: applied(one, two, three, makeMigration({ number: 9, version: '0.10.0' })) }),
    ['unknown', 500, 'error', false],
  ],
  [
    'unknown: somebody dropped schema_version',
    input({
      history: {
        ...applied(one, two, three),
        present: { schemaVersion: false, migrationHistory: true },
      },
    }),
    ['unknown', 500, 'error', false],
  ],
  ['empty', input({ hasTables: false }), ['empty', 200, 'warning', false]],
  [
    'being deployed',
    input({ history: applied(one), openRun: openRun({}) }),
    ['deploying', 200, 'warning', false],
  ],
  [
    'being deployed, although the history says that it is there',
    input({ history: applied(one, two, three), openRun: openRun({ state: 'changed' }) }),
    ['deploying', 200, 'warning', false],
  ],
  [
    'being deployed, and its history cannot be read',
    input({ history: null, openRun: openRun({ state: 'putting_back' }) }),
    ['deploying', 200, 'warning', false],
  ],
  [
    'ahead by a migration that this release does not know',
    input({ history: applied(one, two, three, newer) }),
    ['ahead', 500, 'error', false],
  ],
  [
    'ahead of the version that the settings require',
    input({ history: applied(one, two, three) }, { requiredVersion: '0.9.0' }),
    ['ahead', 500, 'error', false],
  ],
  [
    'ahead: of two migrations of a newer version, one is applied',
    input({ history: applied(one, two) }, { requiredVersion: '0.9.0' }),
    ['ahead', 500, 'error', false],
  ],
  ['unknown: tables without history', input({ hasTables: true }), ['unknown', 500, 'error', false]],
  [
    'half-way',
    input({ history: applied(one), openRun: openRun({ isAlive: false }) }),
    ['cut_off', 500, 'error', false],
  ],
  [
    'half-way, although the history says that it is there',
    input({ history: applied(one, two, three), openRun: openRun({ isAlive: false }) }),
    ['cut_off', 500, 'error', false],
  ],
  ['without readable history', input({ history: null }), ['unreadable', 500, 'error', false]],
  ['unreachable', trouble('unreachable'), ['unreachable', 500, 'error', false]],
  ['closed to its account', trouble('access_denied'), ['access_denied', 500, 'error', false]],
  ['missing', trouble('database_missing'), ['database_missing', 500, 'error', false]],
  [
    'fine, but the release has no readable migrations',
    input({ history: applied(one) }, { folder: null }),
    ['contents_invalid', 500, 'error', false],
  ],
  [
    'fine, but nobody says what is required',
    input(
      { history: applied(one) },
      { folder: { migrations: [], versions: [] }, requiredVersion: null },
    ),
    ['contents_invalid', 500, 'error', false],
  ],
];

describe('what the sidecar decides when the database is', () => {
  for (const [when, given, [state, http, status, ready]] of rows) {
    test(`${when}: ${http} ${status}, ${ready ? 'ready' : 'not ready'}`, () => {
      const health = decideHealth(given);

      assert.deepEqual(
        [health.state, health.httpStatus, health.status, health.ready],
        [state, http, status, ready],
      );
    });
  }
});

describe('what the sidecar says', () => {
  test('of a database that is behind: the path, and what is pending up to the required version', () => {
    const given = input({ history: applied(one) }, { requiredVersion: '0.10.0' });
    const later = {
      migrations: [...folder.migrations, newer],
      versions: [...folder.versions, '0.11.0'],
    };

    const health = decideHealth({ ...given, folder: later });

    assert.equal(health.reason, 'Database migration required: 0.9.0 → 0.10.0');
    assert.equal(health.migrationNeeded, true);
    assert.deepEqual(
      health.pending.map(({ number }) => number),
      [2, 3],
    );
  });

  test('of tables without history: no number that would be a guess', () => {
    const health = decideHealth(input({ hasTables: true }));

    assert.deepEqual(
      [health.pending, health.actualVersion, health.migrationNeeded],
      [[], null, false],
    );
  });

  test('of a newer version that is there in part: which one', () => {
    const health = decideHealth(
      input({ history: applied(one, two) }, { requiredVersion: '0.9.0' }),
    );

    assert.match(health.reason, /Backend requires 0\.9\.0, database is 0\.10\.0/);
    assert.deepEqual([health.actualVersion, health.migrationNeeded], ['0.9.0', false]);
  });

  test('of a history that does not fit: that it is not the version that is wrong', () => {
    const changed = applied({ ...one, checksum: 'of an older file' }, two, three);

    const health = decideHealth(input({ history: changed }));

    assert.match(health.reason, /does not fit the migrations of this release/);
    assert.deepEqual([health.pending, health.actualVersion], [[], '0.10.0']);
  });

  test('of a run that was cut off: whether it had changed anything', () => {
    const reasonOf = (state: OpenRun['state']) =>
      decideHealth(input({ openRun: openRun({ state, isAlive: false }) })).reason;

    assert.match(reasonOf('locked'), /before it changed anything/);
    assert.match(reasonOf('changing'), /half-way/);
    assert.match(reasonOf('putting_back'), /half-way/);
  });

  test('of trouble: the version that is required, where it is known', () => {
    assert.equal(decideHealth(trouble('unreachable')).requiredVersion, '0.10.0');
  });
});
