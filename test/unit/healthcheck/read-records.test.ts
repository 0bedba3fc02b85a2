import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noRecords, recordsOf } from '../../../healthcheck/read-records.ts';

describe('the records of runs', () => {
  test('are empty for a database without runs', () => {
    assert.deepEqual(recordsOf({}), noRecords);
  });

  test('have of a step that each version took the last duration', () => {
    const steps = JSON.stringify([
      { kind: 'backup', status: 'done', duration_ms: 100 },
      { kind: 'migrate', status: 'done', duration_ms: 20 },
      { kind: 'backup', status: 'done', duration_ms: 7 },
    ]);

    assert.deepEqual(recordsOf({ steps }).steps, [
      { step: 'backup', durationMs: 7 },
      { step: 'migrate', durationMs: 20 },
    ]);
  });

  test('count of each entity what was written and what was right already', () => {
    const masterdata = JSON.stringify([
      ['skills', 'spells'],
      [1, 2],
      [10, 20],
      [100, 200],
    ]);

    assert.deepEqual(recordsOf({ masterdata }).masterdata, [
      { entity: 'skills', records: 111 },
      { entity: 'spells', records: 222 },
    ]);
  });

  for (const [what, row] of Object.entries({
    'no JSON': { steps: '[{"kind":', backup: 'x', masterdata: '{', size_bytes: 'many' },
    'another form': {
      ...{ steps: '{"kind":"backup"}', backup: '"yes"', masterdata: '"all"', size_bytes: '"1"' },
      error_code: 'Access denied for user root@db',
    },
    'other fields': {
      steps: '[null,7,{"kind":"backup","duration_ms":"long"},{"kind":7,"duration_ms":7}]',
      backup: '{"proven_at":"yesterday","size_bytes":1}',
      ...{ masterdata: '[["skills"],"x",[null],[-1]]', size_bytes: '-1' },
    },
    'a size that is a text': {
      backup: '{"proven_at":"2026-01-16T10:30:00Z","size_bytes":"big"}',
    },
  })) {
    test(`leave out what has ${what}`, () => {
      const { masterdata, ...rest } = recordsOf(row);
      const { masterdata: none, ...expected } = noRecords;

      assert.deepEqual(rest, expected);
      assert.equal(
        masterdata.reduce((sum, { records }) => sum + records, 0),
        none.length,
      );
    });
  }

  test('give no label that is not a short word, and not more than a hundred', () => {
    const kinds = Array.from({ length: 150 }, (_, nth) => `step_${nth}`);
    const steps = ['a"b', 'x'.repeat(99), 'two words', ...kinds].map((kind) => {
      return { kind, duration_ms: 1 };
    });

    const given = recordsOf({ steps: JSON.stringify(steps) }).steps;

    assert.equal(given.length, 100);
    assert.equal(given[0]?.step, 'step_0');
  });
});
