import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TokenBuckets } from '../../../healthcheck/token-buckets.ts';

/** Buckets of ten tokens, one more each second, by a clock that the test turns. */
function makeBuckets() {
  let now = 1_000_000;
  const store = new TokenBuckets({}, () => now);
  const ask = (client = 'a') => {
    let answer = { isAllowed: false, waitMs: 0 };
    store.incr(
      client,
      (_error, result) => {
        answer = { isAllowed: result!.current <= 10, waitMs: result!.ttl };
      },
      10_000,
      10,
    );
    return answer;
  };
  return {
    ask,
    pass(ms: number) {
      now += ms;
    },
    /** Asks until it is refused, and gives how often it was not. */
    drain(client = 'a') {
      let allowed = 0;
      while (ask(client).isAllowed) allowed += 1;
      return allowed;
    },
  };
}

describe('the buckets of the rate limit', () => {
  test('give ten at once, and then one a second', () => {
    const { drain, pass, ask } = makeBuckets();
    assert.equal(drain(), 10);

    for (let second = 0; second < 30; second++) {
      pass(1_000);
      assert.deepEqual([ask().isAllowed, ask().isAllowed], [true, false]);
    }
  });

  test('say how long to wait for the next, and keep that', () => {
    const { drain, pass, ask } = makeBuckets();
    drain();
    pass(300);

    const { waitMs } = ask();

    assert.ok(Math.abs(waitMs - 700) < 1, `${waitMs} ms`);
    pass(waitMs - 1);
    assert.equal(ask().isAllowed, false);
    pass(2);
    assert.equal(ask().isAllowed, true);
  });

  test('are never fuller than ten, and let no more through at the edge of a window', () => {
    const { drain, pass } = makeBuckets();
    drain();
    pass(9_900);
    assert.equal(drain(), 9);
    pass(200);
    assert.ok(drain() <= 1);
    pass(3_600_000);
    assert.equal(drain(), 10);
  });

  test('are one for each client', () => {
    const { drain, ask } = makeBuckets();
    drain('a');

    assert.equal(drain('b'), 10);
    assert.equal(ask('a').isAllowed, false);
  });

  test('are kept of the last five thousand clients only', () => {
    const { drain, ask } = makeBuckets();
    drain('first');
    drain('second');
    for (let nth = 0; nth < 4_998; nth++) ask(`client ${nth}`);
    assert.equal(ask('first').isAllowed, false);

    ask('one more');

    assert.equal(ask('second').isAllowed, true);
    assert.equal(ask('first').isAllowed, false);
  });
});
