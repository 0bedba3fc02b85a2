import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findMisspelt } from '../../../src/config/misspelt.ts';
import { variableNames } from '../../../src/config/variables.ts';

const nearestTo = (name: string) => findMisspelt([name], variableNames)[0]?.nearest ?? null;

describe('findMisspelt', () => {
  for (const [name, nearest] of [
    ['DB_PASWORD', 'DB_PASSWORD'],
    ['BACKUP_DIRR', 'BACKUP_DIR'],
    ['UPDATEPATH', 'UPDATE_PATH'],
    ['PATH_UPDATE', 'UPDATE_PATH'],
    ['HEALTH_PROT', 'HEALTH_PORT'],
    ['FENCE_USER', 'FENCE_USERS'],
    ['fence', 'FENCE'],
    ['PAKAGE', 'PACKAGE'],
  ] as const) {
    test(`takes ${name} for ${nearest}`, () => {
      assert.equal(nearestTo(name), nearest);
    });
  }

  for (const name of [
    'PATH',
    'HOME',
    'HOSTNAME',
    'DB_TYPE',
    'MARIADB_PASSWORD',
    'TERM',
    'BACKEND',
  ]) {
    test(`leaves ${name} alone`, () => {
      assert.equal(nearestTo(name), null);
    });
  }
});
