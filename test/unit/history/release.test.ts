import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryFacts } from '../../../src/history/history-facts.ts';
import { formerRelease, releaseOf } from '../../../src/history/release.ts';

function recorded(...backends: readonly string[]): Pick<HistoryFacts, 'schemaVersionRows'> {
  const row = { id: 1, version: '0.5.0', migrationNumber: 1, checksum: null, description: '' };
  const rows = backends.map((backendVersion) => ({ ...row, backendVersion }));
  return { schemaVersionRows: rows as unknown as HistoryFacts['schemaVersionRows'] };
}

test('the release is the one that recorded the version last, or is called like it', () => {
  assert.equal(releaseOf(recorded('1.0.6', '1.0.7', 'unknown'), '0.5.0'), '1.0.7');
  assert.equal(releaseOf(recorded('unknown'), '0.5.0'), '0.5.0');
  assert.equal(releaseOf(recorded('1.0.7'), null), null);
});

test('a release that walked through a version on its way to a newer one does not belong to it', () => {
  const walked = recorded('0.5.0', '0.5.0').schemaVersionRows.map((row, index) => ({
    ...row,
    version: index === 0 ? '0.4.0' : '0.10.0',
  }));
  const stayed = recorded('0.4.2').schemaVersionRows.map((row) => ({ ...row, version: '0.4.0' }));

  assert.equal(releaseOf({ schemaVersionRows: walked }, '0.4.0'), '0.4.0');
  assert.equal(releaseOf({ schemaVersionRows: walked }, '0.10.0'), '0.5.0');
  assert.equal(releaseOf({ schemaVersionRows: [...stayed, ...walked] }, '0.4.0'), '0.4.2');
});

test('a name that may have been cut is not given: no image has such a tag', () => {
  assert.equal(releaseOf(recorded('0.5.0-2026-01-16-abc'), '0.5.0'), null);
  assert.equal(releaseOf(recorded('0.5.0-2026-01-16-ab'), '0.5.0'), '0.5.0-2026-01-16-ab');
});

test('the release of the run itself is not the former one', () => {
  assert.equal(formerRelease(recorded('1.0.7'), '0.5.0', '2.0.0'), '1.0.7');
  assert.equal(formerRelease(recorded('1.0.7', '2.0.0'), '0.5.0', '2.0.0'), null);
  assert.equal(formerRelease(recorded(), null, '2.0.0'), null);
});

test('a history of thousands is looked at row by row, not pair by pair', () => {
  let looks = 0;
  const rowOf = (number: number) => ({
    ...{ id: String(number), number, checksum: null, version: '0.4.0' },
    get backendVersion() {
      looks += 1;
      return `0.4.${number % 7}`;
    },
  });
  const schemaVersionRows = Array.from({ length: 500 }, (_, number) => rowOf(number));

  formerRelease({ schemaVersionRows }, '0.4.0', null);

  assert.ok(looks > 0 && looks <= 10 * schemaVersionRows.length, `${looks} looks`);
});
