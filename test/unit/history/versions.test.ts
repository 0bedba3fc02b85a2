import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  compareVersions,
  compatibility,
  parseVersion,
  pathTo,
} from '../../../src/history/versions.ts';

describe('parseVersion', () => {
  test('reads three numbers', () => {
    assert.deepEqual(parseVersion('0.10.3'), [0, 10, 3]);
  });

  for (const text of [
    '',
    '1',
    '0.10',
    'v0.1.0',
    '0.1.0-rc1',
    '0.01.0',
    '0.1.0.0',
    ' 0.1.0',
    '0.1.0\n',
    '0.1.1e3',
    '0.1.9999999999',
  ]) {
    test(`takes ${JSON.stringify(text)} for no version`, () => {
      assert.equal(parseVersion(text), null);
    });
  }
});

describe('compareVersions', () => {
  test('orders by number, so that 0.9.0 comes before 0.10.0', () => {
    const sorted = ['1.0.0', '0.10.0', '0.9.12', '0.9.2', '0.10.1', '2.0.0'].sort(compareVersions);

    assert.deepEqual(sorted, ['0.9.2', '0.9.12', '0.10.0', '0.10.1', '1.0.0', '2.0.0']);
  });

  test('finds a version equal to itself', () => {
    assert.equal(compareVersions('0.4.0', '0.4.0'), 0);
  });

  test('refuses what is no version, on either side', () => {
    assert.throws(() => compareVersions('0.4', '0.4.0'), /not a version: 0\.4$/);
    assert.throws(() => compareVersions('0.4.0', 'latest'), /not a version: latest/);
  });
});

describe('compatibility', () => {
  test('is given when the database is exactly as required', () => {
    assert.deepEqual(compatibility('0.5.0', '0.5.0'), {
      compatible: true,
      migrationNeeded: false,
      reason: 'Database version matches required version',
    });
  });

  test('needs a migration when the database is behind, also from 0.9.0 to 0.10.0', () => {
    assert.deepEqual(compatibility('0.5.0', '0.4.0'), {
      compatible: false,
      migrationNeeded: true,
      reason: 'Database migration required: 0.4.0 → 0.5.0',
    });
    assert.equal(compatibility('0.10.0', '0.9.0').migrationNeeded, true);
  });

  test('calls the backend too old when the database is ahead', () => {
    assert.deepEqual(compatibility('0.4.0', '0.5.0'), {
      compatible: false,
      migrationNeeded: false,
      reason: 'Backend too old for database version. Backend requires 0.4.0, database is 0.5.0',
    });
  });

  test('needs a migration when the database has no version', () => {
    assert.deepEqual(compatibility('0.5.0', null), {
      compatible: false,
      migrationNeeded: true,
      reason: 'Database migration required: none → 0.5.0',
    });
  });
});

describe('pathTo', () => {
  const known = ['0.10.0', '0.3.0', '0.9.0', '0.4.0'];

  test('names every version after the first, in order', () => {
    assert.deepEqual(pathTo(known, '0.3.0', '0.10.0'), ['0.4.0', '0.9.0', '0.10.0']);
  });

  test('begins at the first version for an empty database', () => {
    assert.deepEqual(pathTo(known, null, '0.4.0'), ['0.3.0', '0.4.0']);
  });

  test('is empty when the goal is reached or lies behind', () => {
    assert.deepEqual(pathTo(known, '0.9.0', '0.9.0'), []);
    assert.deepEqual(pathTo(known, '0.9.0', '0.4.0'), []);
  });

  test('leaves the known versions as they were', () => {
    const versions = Object.freeze([...known]);

    pathTo(versions, null, '0.10.0');

    assert.deepEqual(versions, known);
  });
});
