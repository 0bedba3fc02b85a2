import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAppliedAt } from '../../../src/history/applied-at.ts';

describe('readAppliedAt', () => {
  const cases = [
    ['epoch', '1768559400', '2026-01-16T10:30:00.000Z', 'Unix seconds'],
    ['epoch', 1768559400, '2026-01-16T10:30:00.000Z', 'Unix seconds as a number'],
    ['epoch', '20261122080725', '2026-11-22T08:07:25.000Z', 'a TIMESTAMP that became a number'],
    ['epoch', '20261399080725', null, 'a number that looks like a time and is none'],
    ['epoch', '1', null, 'the 1 that somebody set by hand'],
    ['epoch', '0', null, 'zero'],
    ['epoch', '-5', null, 'a negative number'],
    ['epoch', '1768559400000', null, 'milliseconds'],
    ['epoch', 'yesterday', null, 'a word'],
    ['epoch', null, null, 'NULL'],
    ['timestamp', '2026-01-16 10:30:00', '2026-01-16T10:30:00.000Z', 'a time'],
    [
      'timestamp',
      '2026-01-16 10:30:00.250',
      '2026-01-16T10:30:00.250Z',
      'a time with parts of a second',
    ],
    ['timestamp', '0000-00-00 00:00:00', null, 'the zero date'],
    ['timestamp', '2026-02-31 00:00:00', null, 'a day that does not exist'],
    ['timestamp', null, null, 'NULL'],
  ] as const;
  for (const [type, value, expected, what] of cases) {
    test(`understands ${what} in a column of type ${type}`, () => {
      assert.equal(readAppliedAt(value, type), expected);
    });
  }
});
