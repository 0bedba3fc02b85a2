import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeSampler } from '../../../healthcheck/sampler.ts';

/** Looks that end when the test says so. */
function makeLooks() {
  const waiting: { resolve(value: string): void; reject(error: Error): void }[] = [];
  return {
    waiting,
    look: () =>
      new Promise<string>((resolve, reject) => {
        waiting.push({ resolve, reject });
      }),
  };
}

describe('the sampler', () => {
  test('looks once for all who ask at the same time', async () => {
    const { look, waiting } = makeLooks();
    const sampler = makeSampler({ look, cacheMs: 60_000 });

    const asked = [sampler.sample(), sampler.sample(), sampler.sample()];
    assert.equal(waiting.length, 1);
    waiting[0]!.resolve('one');

    for (const { value, isStale } of await Promise.all(asked)) {
      assert.deepEqual([value, isStale], ['one', false]);
    }
    assert.equal((await sampler.sample()).value, 'one');
    assert.equal(waiting.length, 1);
  });

  test('looks again when the cache time is over', async () => {
    const { look, waiting } = makeLooks();
    const sampler = makeSampler({ look, cacheMs: 0, patienceMs: 60_000 });
    const first = sampler.sample();
    waiting[0]!.resolve('one');
    await first;

    const second = sampler.sample();
    waiting[1]!.resolve('two');

    assert.equal((await second).value, 'two');
  });

  test('gives the last look, marked stale, to who asks while a new one takes long', async () => {
    const { look, waiting } = makeLooks();
    const sampler = makeSampler({ look, cacheMs: 0, patienceMs: 20 });
    const first = sampler.sample();
    waiting[0]!.resolve('one');
    await first;

    const { value, isStale, ageMs } = await sampler.sample();

    assert.deepEqual([value, isStale], ['one', true]);
    assert.ok(ageMs >= 15);
    assert.equal((await sampler.sample()).value, 'one');
    assert.equal(waiting.length, 2);
    waiting[1]!.resolve('two');
    const next = await sampler.sample();
    assert.equal(waiting.length <= 3, true);
    assert.ok(['one', 'two'].includes(next.value));
  });

  test('gives who must know what is, the new look, however long it takes', async () => {
    const { look, waiting } = makeLooks();
    const sampler = makeSampler({ look, cacheMs: 0, patienceMs: 0 });
    const first = sampler.current();
    waiting[0]!.resolve('one');
    assert.equal((await first).value, 'one');

    const current = sampler.current();
    const stale = await sampler.sample();
    assert.deepEqual([stale.value, stale.isStale, waiting.length], ['one', true, 2]);
    waiting[1]!.resolve('two');

    const { value, isStale } = await current;
    assert.deepEqual([value, isStale], ['two', false]);
  });

  test('does not give a look that is too old, however long the new one takes', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const now = t.mock.method(performance, 'now', () => 1_000);
    const { look, waiting } = makeLooks();
    const sampler = makeSampler({ look, cacheMs: 2_000, patienceMs: 500 });
    const first = sampler.sample();
    waiting[0]!.resolve('one');
    await first;
    now.mock.mockImplementation(() => 100_000);

    let settled = false;
    const second = sampler.sample().finally(() => {
      settled = true;
    });
    t.mock.timers.tick(1_000);
    await new Promise((resolve) => setImmediate(resolve));

    assert.equal(settled, false);
    waiting[1]!.resolve('two');
    assert.equal((await second).value, 'two');
  });

  test('hands a failed look to those who asked, and looks again for the next', async () => {
    const { look, waiting } = makeLooks();
    const sampler = makeSampler({ look, cacheMs: 60_000 });
    const first = sampler.sample();
    waiting[0]!.reject(new Error('a bug'));
    await assert.rejects(first, /a bug/);

    const second = sampler.sample();
    waiting[1]!.resolve('fine');

    assert.equal((await second).value, 'fine');
  });

  test('tells each look together with the one before', async () => {
    const told: (readonly [string, string | null])[] = [];
    let counter = 0;
    const sampler = makeSampler({
      look: async () => `look ${++counter}`,
      cacheMs: 0,
      onLook: (now, before) => told.push([now, before]),
    });

    await sampler.sample();
    await sampler.sample();

    assert.deepEqual(told, [
      ['look 1', null],
      ['look 2', 'look 1'],
    ]);
  });
});
