import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolve } from '../../../src/migrations/resolve.ts';
import type { Facts } from '../../../src/run/facts.ts';
import { makePlan } from '../../../src/run/plan.ts';
import { refuseHistory } from '../../../src/run/refuse-history.ts';
import { factsOf, folderOf, migrationOf, settings } from '../../support/facts.ts';

/** Facts whose history is edited: what differs between the cases is only that. */
function edited(
  facts: Facts,
  edit: (history: Facts['history']) => Partial<Facts['history']>,
): Facts {
  const history = { ...facts.history, ...edit(facts.history) };
  return { ...facts, history, resolution: resolve(facts.folder, history) };
}

const all = factsOf({ applied: [0, 1, 2, 3] });
const withChecksum = (checksum: string | null, number = 1) =>
  edited(all, ({ applied }) => ({
    applied: applied.map((row) => (row.number === number ? { ...row, checksum } : row)),
  }));

const crlf = { ...migrationOf(1, '0.4.0', 'DO 1;'), crlfChecksum: 'of-crlf' };
const crlfFolder = folderOf([migrationOf(0, '0.3.0', 'DO 0;'), crlf]);

const traces = (applied: readonly (readonly [number, string])[], strayRuns: string[] = []) => ({
  traces: { applied: new Map(applied), lastUp: new Map(), strayRuns },
});

const version = (id: string, number: number, name: string) => ({
  ...{ id, number, version: name, checksum: null, backendVersion: '' },
});

const cases: readonly (readonly [what: string, Facts, code: string, text: RegExp, way: RegExp])[] =
  [
    [
      'other contents',
      withChecksum('another'),
      'CHECKSUM_CHANGED',
      /was applied with other contents than its file has now/,
      /if it was changed on purpose .*--accept-checksum 1$/,
    ],
    [
      'only other line endings',
      edited(factsOf({ folder: crlfFolder, applied: [0, 1] }), ({ applied }) => ({
        applied: applied.map((row) => (row.number === 1 ? { ...row, checksum: 'of-crlf' } : row)),
      })),
      'CHECKSUM_CHANGED',
      /other line endings, and nothing else differs/,
      /^record the checksum of the file as it is: deploy resolve --accept-checksum 1$/,
    ],
    [
      'a file that moved to another version',
      edited(all, ({ applied }) => ({
        applied: applied.map((row) => (row.number === 1 ? { ...row, version: '0.3.0' } : row)),
      })),
      'CHECKSUM_CHANGED',
      /was applied as one of 0\.3\.0, and its file is in 0\.4\.0/,
      /move the file back to the folder 0\.3\.0/,
    ],
    [
      'a missing file',
      edited(all, ({ applied }) => ({
        applied: [...applied, { ...applied[0]!, number: 9, version: '0.4.0' }],
      })),
      'MIGRATION_MISSING',
      /migration 9 \(0\.4\.0\) is applied and has no file here/,
      /use an image whose folder 0\.4\.0 has the file/,
    ],
    [
      'a row whose version is none',
      edited(all, ({ applied }) => ({
        applied: [...applied, { ...applied[0]!, number: 9, version: 'nine' }],
      })),
      'MIGRATION_MISSING',
      /is recorded with version "nine", which is none/,
      /correct the version in migration_history/,
    ],
    [
      'a file that came late',
      factsOf({ applied: [0, 2, 3] }),
      'OUT_OF_ORDER',
      /is pending, but a later one is already applied/,
      /^$/,
    ],
    [
      'a critical one that another tool recorded as failed',
      factsOf({ applied: [0, 2, 3], failed: [1] }),
      'OUT_OF_ORDER',
      /is recorded as failed, and later ones are applied/,
      /error_message/,
    ],
    [
      'a hole that schema_version knows',
      edited(factsOf({ applied: [0, 2, 3] }), () => ({
        schemaVersionRows: [version('1', 1, '0.4.0')],
      })),
      'HISTORY_INCOMPLETE',
      /is a hole: schema_version has it/,
      /INSERT INTO migration_history .* VALUES \(1, '0\.4\.0', 'change 1', 1, 1\);/,
    ],
    [
      'a row that somebody removed',
      {
        ...factsOf({ applied: [0, 1] }),
        ...traces([
          [0, 'r1'],
          [1, 'r1'],
          [2, 'r2'],
          [3, 'r2'],
        ]),
      },
      'HISTORY_INCOMPLETE',
      /migration 2 change_2 was applied by run r2, and its row is gone/,
      /VALUES \(2, .*\), \(3, .*\);\nif somebody put the database back by hand: DROP TABLE deploy_run/,
    ],
    [
      'a run that somebody removed',
      { ...factsOf({ applied: [0, 1] }), ...traces([], ['r7']) },
      'HISTORY_INCOMPLETE',
      /deploy_journal knows runs that deploy_run does not: r7/,
      /deploy schema diff .*\n.*DROP TABLE deploy_run, deploy_journal/,
    ],
    [
      'a version table that somebody dropped',
      edited(all, () => ({ present: { schemaVersion: false, migrationHistory: true } })),
      'HISTORY_INCOMPLETE',
      /schema_version is missing, and migration_history has rows/,
      /docs\/runbook\.md/,
    ],
  ];

describe('a history that does not fit the files', () => {
  for (const [what, facts, code, text, way] of cases) {
    test(`${what}: ${code} in its own words, with its own way on`, () => {
      const [first] = refuseHistory(facts);

      assert.equal(first?.code, code);
      assert.match(first.message, text);
      assert.match((first.next ?? []).join('\n'), way);
      assert.equal(makePlan(facts, settings).mode, 'refused');
    });
  }

  test('the way on for many removed rows is said once, however many there are', () => {
    const numbers = Array.from({ length: 300 }, (_, number) => number);
    const folder = folderOf(numbers.map((number) => migrationOf(number, '0.3.0', 'DO 0;')));
    const facts = { ...factsOf({ folder }), ...traces(numbers.map((number) => [number, 'r1'])) };

    const refusals = refuseHistory(facts);
    const next = refusals.flatMap((refusal) => refusal.next ?? []).join('\n');

    assert.equal(refusals.length, 300);
    assert.equal(next.match(/INSERT INTO/g)?.length, 1);
    assert.equal(next.match(/'change \d+'/g)?.length, 300);
  });

  test('no two cases have the same sentence or the same way on', () => {
    const first = cases.map(([, facts]) => refuseHistory(facts)[0]!);
    const shape = ({ message }: { message: string }) => message.replaceAll(/\d+|change_\d/g, '');

    assert.equal(new Set(first.map(shape)).size, cases.length);
    assert.equal(new Set(first.map(({ next }) => (next ?? []).join('\n'))).size, cases.length);
  });

  test('a checksum that nobody recorded is only a warning, with the way on', () => {
    const plan = makePlan(withChecksum(null), settings);

    assert.equal(plan.mode, 'nothing to do');
    assert.match(
      plan.warnings.join(),
      /no checksum is recorded of migration 1: .*--accept-checksum/,
    );
  });

  test('a history that lost all its rows is not adopted again', () => {
    const facts = {
      ...factsOf({ relations: ['a'] }),
      ...traces([[0, 'r1']]),
    };
    const plan = makePlan(facts, settings);

    assert.equal(plan.mode, 'refused');
    assert.deepEqual(
      plan.refusals.map(({ code }) => code),
      ['HISTORY_INCOMPLETE'],
    );
  });

  test('a failed one that is not critical is a warning that names the way to try it again', () => {
    const folder = folderOf([
      migrationOf(0, '0.3.0', 'DO 0;'),
      migrationOf(1, '0.3.0', 'DO 1;', { critical: false }),
    ]);
    const plan = makePlan(factsOf({ folder, applied: [0], failed: [1] }), settings);

    assert.equal(plan.mode, 'nothing to do');
    assert.match(plan.warnings.join(), /failed earlier .*deploy resolve --retry 1/);
  });
});
