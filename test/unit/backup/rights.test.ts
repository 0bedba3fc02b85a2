import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertBackupRights, assertRestoreRights } from '../../../src/backup/rights.ts';
import { assertSpace, neededBytes } from '../../../src/backup/space.ts';
import type { ServerFacts } from '../../../src/database/server.ts';

function facts(grants: string[], more: Partial<ServerFacts> = {}): ServerFacts {
  return {
    ...{
      flavor: 'mariadb',
      serverVersion: '10.11.19',
      versionText: '10.11.19-MariaDB',
      currentUser: 'app@%',
    },
    ...{ readOnly: false, replica: false, galera: false, sizeBytes: 0, variables: {} },
    database: { name: 'my_app', charset: 'utf8mb4', collation: 'utf8mb4_bin' },
    grants: grants.map((grant) => `${grant} TO \`app\`@\`%\``),
    ...more,
  };
}

const ALL = [
  'GRANT ALL PRIVILEGES ON `my\\_app`.*',
  'GRANT ALL PRIVILEGES ON `my\\_app\\_deploy\\_%`.*',
];
const OWN = { definers: ['app@%'], hasCode: true };
const OTHERS = { definers: ['app@%', 'root@localhost'], hasCode: true };

test('an account with all rights on its database and the staging schemas may back up and restore its own', () => {
  assertBackupRights(facts(ALL), OWN);
  assertRestoreRights(facts(ALL), OWN);
});

test('a restore needs the staging schemas', () => {
  assert.throws(() => assertRestoreRights(facts(ALL.slice(0, 1)), OWN), {
    code: 'RIGHT_MISSING',
    next: [
      'let an administrator run:',
      "GRANT ALL PRIVILEGES ON `my\\_app\\_deploy\\_%`.* TO 'app'@'%';",
    ],
  });
});

test('objects of other accounts need SET USER, or SUPER before MariaDB 11', () => {
  assert.throws(() => assertRestoreRights(facts(ALL), OTHERS), { code: 'RIGHT_MISSING' });
  assertRestoreRights(facts([...ALL, 'GRANT SET USER ON *.*']), OTHERS);
  assertRestoreRights(facts([...ALL, 'GRANT SUPER ON *.*']), OTHERS);
  assert.throws(
    () =>
      assertRestoreRights(
        facts([...ALL, 'GRANT SUPER ON *.*'], { serverVersion: '11.8.6' }),
        OTHERS,
      ),
    { code: 'RIGHT_MISSING' },
  );
});

test('the text of other accounts’ routines needs mysql.proc, or its own right from 11.3 on', () => {
  assert.throws(() => assertBackupRights(facts(ALL), OTHERS), { code: 'RIGHT_MISSING' });
  assertBackupRights(facts([...ALL, 'GRANT SELECT ON `mysql`.`proc`']), OTHERS);
  assertBackupRights(facts(ALL, { serverVersion: '11.8.6' }), OTHERS);
});

test('with a binary log that trusts nobody, triggers and functions need SUPER', () => {
  const variables = { log_bin: 'ON', log_bin_trust_function_creators: 'OFF' };
  assert.throws(() => assertRestoreRights(facts(ALL, { variables }), OWN), {
    code: 'RIGHT_MISSING',
  });
  assertRestoreRights(facts(ALL, { variables }), { ...OWN, hasCode: false });
  assertRestoreRights(
    facts(ALL, { variables: { ...variables, log_bin_trust_function_creators: 'ON' } }),
    OWN,
  );
});

test('too little space is refused with the numbers', () => {
  assert.equal(neededBytes(1000, null), 100 + 1024 ** 2);
  assert.equal(neededBytes(1_000_000, 1000), 1100 + 1024 ** 2);
  const need = { who: 'the backup', dir: '/b', needBytes: 100 };
  assertSpace(need, 100);
  assertSpace(need, null);
  assert.throws(() => assertSpace(need, 99), {
    code: 'SPACE_SHORT',
    facts: { needBytes: 100, freeBytes: 99 },
  });
});
