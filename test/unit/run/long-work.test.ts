import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { describeProgress, noteLongWork } from '../../../src/run/long-work.ts';

test('long work says how far it is and how long it will take', () => {
  const half = { phase: 'load', done: 100 * 2 ** 20, of: 400 * 2 ** 20, what: 'bytes' } as const;

  assert.equal(
    describeProgress(half, 4000),
    'loading: 100.0 MiB of 400.0 MiB, 25 %, 25.0 MiB/s, about 12 s left',
  );
  assert.equal(
    describeProgress({ phase: 'hash', done: 3, of: 4, what: 'orders' }, 900),
    'hashing: 3 of 4 (orders), 75 %, about 1 s left',
  );
  assert.equal(
    describeProgress({ phase: 'dump', done: 5, of: 0, what: 'tables' }, 1),
    'dumping: 5 (tables)',
  );
});

test('a line comes every three seconds, and none for short work', () => {
  const lines: string[] = [];
  let at = 0;
  const note = noteLongWork(pino({}, { write: (line: string) => lines.push(line) }), () => at);

  for (at = 0; at <= 7000; at += 500) note({ phase: 'load', done: at, of: 7000, what: 'bytes' });
  note({ phase: 'compare', done: 1, of: 2, what: 'a' });

  assert.equal(lines.length, 2);
});
