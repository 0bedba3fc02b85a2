import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EndedRun, foldRuns, lastUps } from '../../../src/history/traces.ts';

const run = (runId: string, numbers: number[], more: Partial<EndedRun> = {}): EndedRun => ({
  ...{ runId, numbers, mode: 'update', direction: 'up', outcome: 'done' },
  ...more,
});

describe('what the runs have left applied', () => {
  test('is what went up and did not go down since', () => {
    const down = { mode: 'rollback', direction: 'down' };

    const applied = foldRuns([run('a', [1, 2]), run('b', [3]), run('c', [3, 2], down)]);

    assert.deepEqual([...applied], [[1, 'a']]);
    assert.deepEqual([...foldRuns([run('c', [3], down), run('d', [3])])], [[3, 'd']]);
  });

  test('begins anew with a restore: its history is that of the set', () => {
    assert.deepEqual([...foldRuns([run('a', [1]), run('b', [], { mode: 'restore' })])], []);
  });

  test('knows nothing of a run that a person took as it was', () => {
    const left = run('b', [2], { outcome: 'left' });

    assert.deepEqual([...foldRuns([run('a', [1, 2]), left])], [[1, 'a']]);
  });

  test('is not what a run found before it: that is still known after a restore', () => {
    const down = { mode: 'rollback', direction: 'down' };
    const runs = [
      run('a', [1]),
      run('b', [1], down),
      run('c', [1]),
      run('d', [], { mode: 'restore' }),
    ];

    assert.deepEqual([...lastUps(runs)], [[1, 'c']]);
  });
});
