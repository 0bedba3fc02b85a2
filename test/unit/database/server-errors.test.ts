import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  isAccessDenied,
  isConnectionLost,
  isConnectionRefused,
  isNoSpace,
  isReadOnlyServer,
  serverText,
  toDeployError,
} from '../../../src/database/server-errors.ts';
import { DeployError } from '../../../src/errors/deploy-error.ts';

function serverError(errno: number, message: string, code?: string): Error {
  return Object.assign(new Error(message), { errno, sqlMessage: message, code });
}

describe('serverText', () => {
  const secret = "O'Hara, 7 Elm St";
  const cases: readonly [errno: number, message: string, shown: string][] = [
    [1060, "Duplicate column name 'x'", "Duplicate column name 'x' (1060 X)"],
    [
      1062,
      `Duplicate entry '${secret}' for key 'users.email'`,
      "Duplicate entry … for key 'users.email' (1062 X)",
    ],
    [
      1366,
      `Incorrect integer value: '${secret}' for column \`app\`.\`t\`.\`c\` at row 1`,
      'Incorrect integer value: … for column `app`.`t`.`c` at row 1 (1366 X)',
    ],
    [
      1292,
      `Truncated incorrect DOUBLE value: '${secret}'`,
      'Truncated incorrect DOUBLE value: … (1292 X)',
    ],
    [
      1292,
      `Incorrect datetime value: '${secret}' for column \`app\`.\`t\`.\`d\` at row 3`,
      'Incorrect datetime value: … for column `app`.`t`.`d` at row 3 (1292 X)',
    ],
    [
      1411,
      `Incorrect datetime value: '${secret}' for function str_to_date`,
      'Incorrect datetime value: … for function str_to_date (1411 X)',
    ],
    [
      1300,
      `Invalid utf8mb4 character string: '${secret}'`,
      'Invalid utf8mb4 character string: … (1300 X)',
    ],
    [1526, 'Table has no partition for value 4711', 'Table has no partition for value … (1526 X)'],
    [
      1690,
      "BIGINT UNSIGNED value is out of range in '4711 - 5'",
      'BIGINT UNSIGNED value is out of range in … (1690 X)',
    ],
    [1644, `user '${secret}' is blocked`, 'user … is blocked (1644 X)'],
    [
      1064,
      "You have an error in your SQL syntax near 'FROMM users WHERE name = 'Bob'' at line 2",
      "You have an error in your SQL syntax near 'FROMM users WHERE name =…' at line 2 (1064 X)",
    ],
    [
      1452,
      'Cannot add or update a child row: a foreign key constraint fails (`app`.`t`, CONSTRAINT `f` …)',
      'Cannot add or update a child row: a foreign key constraint fails (`app`.`t`, CONSTRAINT `f` …) (1452 X)',
    ],
  ];
  for (const [errno, message, shown] of cases) {
    test(`shows ${errno} as ${shown}`, () => {
      assert.equal(serverText(serverError(errno, message, 'X')), shown);
    });
  }

  test('finds the server error behind other errors', () => {
    const cause = serverError(1146, "Table 'a.b' doesn't exist", 'ER_NO_SUCH_TABLE');
    const error = new DeployError('MIGRATION_FAILED', 'statement 2 failed', { cause });
    assert.equal(serverText(error), "Table 'a.b' doesn't exist (1146 ER_NO_SUCH_TABLE)");
  });

  test('gives the message of an error that is not the server’s', () => {
    assert.equal(serverText(new Error('no such thing')), 'no such thing');
  });
});

describe('predicates', () => {
  test('look along the chain of causes', () => {
    const error = new Error('outer', { cause: serverError(1045, 'Access denied') });
    assert.equal(isAccessDenied(error), true);
    assert.equal(isConnectionLost(error), false);
  });

  test('end on a chain that is a circle', () => {
    const error = new Error('a');
    error.cause = error;
    assert.equal(isConnectionLost(error), false);
  });

  test('tell a missing socket from a missing file', () => {
    const missing = (syscall: string) => Object.assign(new Error('x'), { code: 'ENOENT', syscall });
    assert.equal(isConnectionRefused(missing('connect')), true);
    assert.equal(isConnectionRefused(missing('open')), false);
  });

  test('tell read_only from other options that prevent a statement', () => {
    const because = (option: string) =>
      serverError(
        1290,
        `The MariaDB server is running with the ${option} option so it cannot execute this statement`,
      );
    assert.equal(isReadOnlyServer(because('--read-only')), true);
    assert.equal(isReadOnlyServer(because('--secure-file-priv')), false);
  });

  test('recognise a full disk inside a message of the storage engine', () => {
    assert.equal(
      isNoSpace(
        serverError(1030, 'Got error 28 "No space left on device" from storage engine InnoDB'),
      ),
      true,
    );
    assert.equal(isNoSpace(serverError(1030, 'Got error 122 "Internal error"')), false);
  });
});

describe('toDeployError', () => {
  const cases: readonly [errno: number, code: string][] = [
    [2013, 'CONNECTION_LOST'],
    [1045, 'ACCESS_DENIED'],
    [4151, 'ACCESS_DENIED'],
    [1049, 'DATABASE_MISSING'],
    [1044, 'RIGHT_MISSING'],
    [1142, 'RIGHT_MISSING'],
    [1040, 'SERVER_UNREACHABLE'],
    [1792, 'SERVER_READ_ONLY'],
    [1064, 'QUERY_FAILED'],
  ];
  for (const [errno, code] of cases) {
    test(`makes ${code} of ${errno}`, () => {
      const error = toDeployError(serverError(errno, 'words'), 'something could not be done');
      assert.equal(error.code, code);
      assert.equal(error.message, 'something could not be done');
    });
  }

  test('leaves a DeployError as it is', () => {
    const error = new DeployError('LOCK_LOST', 'x');
    assert.equal(toDeployError(error, 'y'), error);
  });
});
