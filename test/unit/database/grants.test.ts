import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  missingRights,
  type Need,
  needsOfFence,
  needsOfRun,
} from '../../../src/database/grants.ts';
import { withoutPassword } from '../../../src/database/server.ts';

const USAGE = 'GRANT USAGE ON *.* TO `deploy`@`%`';
const APP = 'GRANT ALL PRIVILEGES ON `app`.* TO `deploy`@`%`';
const STAGING = 'GRANT ALL PRIVILEGES ON `app\\_deploy\\_%`.* TO `deploy`@`%`';

function missing(grants: readonly string[], needs: readonly Need[], serverVersion = '10.11.19') {
  return missingRights({ grants, currentUser: 'deploy@%', serverVersion }, needs);
}

describe('the rights of a run', () => {
  const enough: readonly [name: string, grants: readonly string[]][] = [
    ['all on the server', ['GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION']],
    ['all on the database and on its staging schemas', [USAGE, APP, STAGING]],
    [
      'all on names that begin like the database',
      [USAGE, 'GRANT ALL PRIVILEGES ON `app%`.* TO `deploy`@`%`'],
    ],
    [
      'all on both staging schemas by name',
      [
        APP,
        'GRANT ALL PRIVILEGES ON `app_deploy_stg`.* TO `deploy`@`%`',
        'GRANT ALL PRIVILEGES ON `app\\_deploy\\_old`.* TO `deploy`@`%`',
      ],
    ],
    [
      'all through a role',
      [
        'GRANT `deployer` TO `deploy`@`%`',
        USAGE,
        'GRANT USAGE ON *.* TO `deployer`',
        'GRANT ALL PRIVILEGES ON `app`.* TO `deployer`',
        'GRANT ALL PRIVILEGES ON `app\\_deploy\\_%`.* TO `deployer`',
      ],
    ],
    [
      'each one by itself on the server',
      [
        'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, LOCK TABLES, EXECUTE, ' +
          'CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER ON *.* TO `deploy`@`%`',
      ],
    ],
  ];
  for (const [name, grants] of enough) {
    test(`are there with ${name}`, () => {
      assert.deepEqual(missing(grants, needsOfRun('app')), []);
    });
  }

  test('lack the staging schemas for the account that the image makes', () => {
    const [found, ...others] = missing([USAGE, APP], needsOfRun('app'));
    assert.deepEqual(others, []);
    assert.equal(found?.grant, "GRANT ALL PRIVILEGES ON `app\\_deploy\\_%`.* TO 'deploy'@'%';");
    assert.match(found?.right ?? '', /SELECT, .* on app_deploy_%$/);
  });

  test('name what is missing of a list, and escape the name in the GRANT', () => {
    const most =
      'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, LOCK TABLES, EXECUTE, ' +
      'CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT ON `my\\_app`.* TO `deploy`@`%`';
    const found = missing([most], needsOfRun('my_app').slice(0, 1));
    assert.deepEqual(
      found.map(({ right, grant }) => ({ right, grant })),
      [
        {
          right: 'TRIGGER on my_app',
          grant: "GRANT ALL PRIVILEGES ON `my\\_app`.* TO 'deploy'@'%';",
        },
      ],
    );
  });

  const notEnough: readonly [name: string, grant: string][] = [
    ['a right on some columns only', 'GRANT SELECT (`a`, `b`) ON `app`.`t` TO `deploy`@`%`'],
    ['a right on one table only', 'GRANT ALL PRIVILEGES ON `app`.`t` TO `deploy`@`%`'],
    ['a right on one routine only', 'GRANT EXECUTE ON PROCEDURE `app`.`p` TO `deploy`@`%`'],
    [
      'a database whose name the pattern does not match',
      'GRANT ALL PRIVILEGES ON `ap\\_`.* TO `deploy`@`%`',
    ],
    ['a database whose name only begins so', 'GRANT ALL PRIVILEGES ON `ap`.* TO `deploy`@`%`'],
    ['a proxy', "GRANT PROXY ON ''@'%' TO 'deploy'@'%' WITH GRANT OPTION"],
  ];
  for (const [name, grant] of notEnough) {
    test(`are not there with ${name}`, () => {
      assert.equal(missing([grant, STAGING], needsOfRun('app')).length, 1);
    });
  }

  test('are those of the most specific grant only, as the server decides', () => {
    const wide = 'GRANT ALL PRIVILEGES ON `app%`.* TO `deploy`@`%`';
    const narrow = 'GRANT SELECT ON `app`.* TO `deploy`@`%`';
    const found = missing([wide, narrow], needsOfRun('app'));
    assert.equal(found.length, 1);
    assert.match(found[0]?.right ?? '', /^INSERT, .* on app$/);
  });

  test('are asked for by the name of the staging schema when the database’s is long', () => {
    const [, staging] = missing([USAGE], needsOfRun('a'.repeat(64)));
    assert.match(staging?.grant ?? '', /ON `a{44}\\_[0-9a-f]{8}\\_deploy\\_%`\.\*/);
  });
});

describe('the rights of the fence', () => {
  const FENCE = 'GRANT CREATE USER, CONNECTION ADMIN, PROCESS ON *.* TO `deploy`@`%`';

  test('are there with three on the server and one on a table', () => {
    const table = 'GRANT SELECT ON `mysql`.`global_priv` TO `deploy`@`%`';
    assert.deepEqual(missing([FENCE, table], needsOfFence()), []);
  });

  test('are each asked for with a GRANT', () => {
    assert.deepEqual(
      missing([USAGE], needsOfFence()).map(({ grant }) => grant),
      [
        "GRANT CREATE USER ON *.* TO 'deploy'@'%';",
        "GRANT CONNECTION ADMIN ON *.* TO 'deploy'@'%';",
        "GRANT PROCESS ON *.* TO 'deploy'@'%';",
        "GRANT SELECT ON `mysql`.`global_priv` TO 'deploy'@'%';",
      ],
    );
  });

  test('include CONNECTION ADMIN by SUPER before MariaDB 11', () => {
    const grants = ['GRANT CREATE USER, SUPER, PROCESS, SELECT ON *.* TO `deploy`@`%`'];
    assert.deepEqual(missing(grants, needsOfFence(), '10.11.19'), []);
    assert.equal(missing(grants, needsOfFence(), '11.8.6').length, 1);
  });
});

test('a grant is shown without the hash of the password', () => {
  for (const [grant, shown] of [
    [
      "GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*B69027D4'",
      'GRANT USAGE ON *.* TO `a`@`%`',
    ],
    [
      "GRANT ALL PRIVILEGES ON *.* TO `a`@`%` IDENTIFIED VIA mysql_native_password USING '*B6' OR unix_socket WITH GRANT OPTION",
      'GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION',
    ],
    [APP, APP],
  ] as const) {
    assert.equal(withoutPassword(grant), shown);
  }
});
