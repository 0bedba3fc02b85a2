import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertUsable, type ServerFacts, versionNumbers } from '../../../src/database/server.ts';

function facts(more: Partial<ServerFacts>): ServerFacts {
  return {
    flavor: 'mariadb',
    serverVersion: '10.11.19',
    versionText: '10.11.19-MariaDB',
    currentUser: 'deploy@%',
    readOnly: false,
    replica: false,
    galera: false,
    database: { name: 'app', charset: 'utf8mb4', collation: 'utf8mb4_general_ci' },
    sizeBytes: 0,
    variables: {},
    grants: [],
    ...more,
  };
}

describe('versionNumbers', () => {
  for (const [text, version] of [
    ['10.11.19-MariaDB-0+deb12u1', '10.11.19'],
    ['5.5.5-10.6.24-MariaDB-1~jessie', '10.6.24'],
    ['11.8.6-MariaDB-ubu2404-log', '11.8.6'],
    ['8.4.3', '8.4.3'],
    ['', '0.0.0'],
  ] as const) {
    test(`reads ${version} from ${text === '' ? 'nothing' : text}`, () => {
      assert.equal(versionNumbers(text), version);
    });
  }
});

describe('assertUsable', () => {
  for (const serverVersion of ['10.6.0', '10.11.19', '11.4.2', '12.0.1']) {
    test(`takes MariaDB ${serverVersion}`, () => {
      assertUsable(facts({ serverVersion }));
    });
  }

  for (const [name, more, code] of [
    ['MySQL', { flavor: 'mysql', serverVersion: '8.4.3' }, 'SERVER_UNSUPPORTED'],
    ['MariaDB 10.5', { serverVersion: '10.5.29' }, 'SERVER_UNSUPPORTED'],
    ['MariaDB 5.5', { serverVersion: '5.5.68' }, 'SERVER_UNSUPPORTED'],
    ['a read-only server', { readOnly: true }, 'SERVER_READ_ONLY'],
    ['a replica', { replica: true }, 'SERVER_READ_ONLY'],
  ] as const) {
    test(`refuses ${name}`, () => {
      assert.throws(() => assertUsable(facts(more)), { code });
    });
  }
});
