import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classifyObstacle } from '../../../src/database/wait.ts';

const address = { host: 'db', port: 3306, socketPath: null, user: 'app', password: 'hunter2' };

describe('classifyObstacle', () => {
  const cases: readonly [error: object, code: string, canBeFinal: boolean, words: RegExp][] = [
    [{ code: 'ECONNREFUSED' }, 'SERVER_UNREACHABLE', false, /nobody answers at db:3306/],
    [{ code: 'ENOTFOUND' }, 'SERVER_UNREACHABLE', false, /nobody answers/],
    [{ code: 'EHOSTUNREACH' }, 'SERVER_UNREACHABLE', false, /nobody answers/],
    [{ code: 'ETIMEDOUT' }, 'SERVER_UNREACHABLE', false, /nobody answers/],
    [{ errno: 1040 }, 'SERVER_UNREACHABLE', false, /no free connection/],
    [{ errno: 1203 }, 'SERVER_UNREACHABLE', false, /no free connection/],
    [{ errno: 1053 }, 'SERVER_STARTING', false, /shutting down/],
    [{ errno: 1047 }, 'SERVER_STARTING', false, /cluster node/],
    [{ code: 'ECONNRESET' }, 'SERVER_STARTING', false, /closes it again/],
    [{ code: 'PROTOCOL_CONNECTION_LOST' }, 'SERVER_STARTING', false, /closes it again/],
    [{ errno: 1045 }, 'ACCESS_DENIED', true, /refuses account app/],
    [{ errno: 1130 }, 'ACCESS_DENIED', true, /refuses account app/],
    [{ errno: 4151 }, 'ACCESS_DENIED', true, /refuses account app/],
    [{ errno: 1049 }, 'DATABASE_MISSING', true, /no database shop/],
    [{ errno: 1044 }, 'DATABASE_MISSING', true, /no database shop, or account app may not use it/],
  ];
  for (const [error, code, canBeFinal, words] of cases) {
    const name = Object.values(error)[0];
    test(`takes ${name} for ${code}${canBeFinal ? ', which can be final' : ''}`, () => {
      const obstacle = classifyObstacle(Object.assign(new Error('x'), error), address, 'shop');
      assert.equal(obstacle.code, code);
      assert.equal(obstacle.canBeFinal, canBeFinal);
      assert.match(obstacle.words, words);
      assert.doesNotMatch(obstacle.words, /hunter2/);
    });
  }

  test('does not go on waiting for what no waiting can mend', () => {
    assert.throws(() => classifyObstacle(new TypeError('a bug'), address, null), {
      code: 'QUERY_FAILED',
    });
  });
});
