import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeHolder } from '../../../src/database/lock-judge.ts';
import type { LockFacts } from '../../../src/database/lock-table.ts';
import type { HolderThreads } from '../../../src/database/lock-threads.ts';

const LEASE_MS = 20_000;

function facts(more: Partial<LockFacts> = {}): LockFacts {
  return {
    database: 'app',
    owner: 'run-1',
    host: 'h',
    pid: 7,
    connectionId: 10,
    otherConnections: [11, 12],
    epoch: 3,
    acquiredAt: null,
    heartbeatAt: null,
    expiresAt: null,
    expired: false,
    held: true,
    heldBy: 10,
    sameServerLife: true,
    ...more,
  };
}

function judge(
  row: LockFacts | null,
  heldBy: number | null,
  threads: HolderThreads | null = null,
  times: { unrecordedForMs?: number; expiredForMs?: number } = {},
) {
  const seen = { unrecordedForMs: 0, expiredForMs: LEASE_MS, threads, ...times };
  return judgeHolder(row, heldBy, seen, LEASE_MS);
}

const expired = facts({ expired: true });
const frozen: HolderThreads = { working: 'idle', othersOpen: true };

describe('judgeHolder', () => {
  test('tries again when nobody holds the lock', () => {
    assert.deepEqual(judge(facts(), null), { act: 'retry' });
  });

  test('waits for a run whose lease is alive', () => {
    assert.deepEqual(judge(facts(), 10), { act: 'wait' });
  });

  test('takes over from a run that does not renew its lease', () => {
    const judgement = judge(expired, 10, frozen);
    assert.deepEqual(judgement, { act: 'take over', connectionIds: [10, 11, 12] });
  });

  test('takes over from a frozen run in the middle of a statement', () => {
    const judgement = judge(expired, 10, { working: 'busy', othersOpen: true });
    assert.equal(judgement.act, 'take over');
  });

  test('waits a little longer before it believes that a lease has expired', () => {
    assert.deepEqual(judge(expired, 10, frozen, { expiredForMs: 5_999 }), { act: 'wait' });
    assert.equal(judge(expired, 10, frozen, { expiredForMs: 6_000 }).act, 'take over');
  });

  test('waits for the statement of a run whose process is gone', () => {
    const judgement = judge(expired, 10, { working: 'busy', othersOpen: false });
    assert.deepEqual(judgement, { act: 'wait for statement' });
  });

  test('ends the idle connection of a run whose host is gone', () => {
    const judgement = judge(expired, 10, { working: 'idle', othersOpen: false });
    assert.equal(judgement.act, 'take over');
  });

  test('kills only the lock’s own connection when the server has restarted since', () => {
    const judgement = judge(facts({ expired: true, sameServerLife: false }), 10, frozen);
    assert.deepEqual(judgement, { act: 'take over', connectionIds: [10] });
  });

  for (const [name, row] of [
    ['without a table', null],
    ['recorded as released', facts({ owner: '' })],
    ['recorded as another one', facts({ connectionId: 9 })],
  ] as const) {
    test(`gives a holder ${name} a lease’s time to record itself`, () => {
      assert.deepEqual(judge(row, 10, null, { unrecordedForMs: LEASE_MS - 1 }), { act: 'wait' });
      assert.deepEqual(judge(row, 10, null, { unrecordedForMs: LEASE_MS }), {
        act: 'take over',
        connectionIds: [10],
      });
    });
  }
});
