import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { putSection, renderSection } from '../../../scripts/bench-document.ts';
import { formatMs, measureInTurn, median } from '../../bench/frame.ts';

describe('the document of the benches', () => {
  test('gets a new section at its end, and a known one in its place', () => {
    const two = putSection(putSection('', 'a', 'first'), 'b', 'second');

    const changed = putSection(two, 'a', 'changed');

    assert.match(two, /^# Benchmarks\n/);
    assert.match(
      changed,
      /<!-- begin a -->\nchanged\n<!-- end a -->\n\n<!-- begin b -->\nsecond\n<!-- end b -->\n$/,
    );
  });

  test('says the versions and the machine, but not its name', () => {
    const section = renderSection(
      { title: 'A title' },
      { columns: ['what', 'ms'], rows: [['it', '1']], notes: ['A note.'], versions: { peer: '3' } },
      { serverVersion: '10.11.1', date: '2026-01-02' },
    );

    assert.match(section, /^## A title\n\n2026-01-02; \d+ cores .*MariaDB 10\.11\.1, peer 3\.$/m);
    assert.match(section, /\| what \| ms \|\n\| --- \| ---: \|\n\| it \| 1 \|\n\nA note\.$/);
  });
});

describe('a measurement', () => {
  test('gives the middle', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 2, 9]), 3);
  });

  test('takes the candidates in turn and leaves the first round out', async () => {
    const order: string[] = [];
    let clock = 0;
    const candidate = (name: string) => async () => {
      order.push(name);
      return ++clock;
    };

    const times = await measureInTurn(2, { a: candidate('a'), b: candidate('b') });

    assert.deepEqual(order, ['a', 'b', 'a', 'b', 'a', 'b']);
    assert.deepEqual(times, { a: [3, 5], b: [4, 6] });
  });

  test('shows milliseconds where seconds would be too coarse', () => {
    assert.deepEqual([3.21, 412.4, 1234, 12_345].map(formatMs), [
      '3.2 ms',
      '412 ms',
      '1.23 s',
      '12.3 s',
    ]);
  });
});
