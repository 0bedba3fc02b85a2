/** The short way to "nothing to do" must never say so where the whole plan would not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunRow } from '../../../src/history/runs.ts';
import type { Facts } from '../../../src/run/facts.ts';
import { makePlan } from '../../../src/run/plan.ts';
import { planNothing } from '../../../src/run/plan-nothing.ts';
import { factsOf, folderOf, settings } from '../../support/facts.ts';

const run = { runId: 'r1', mode: 'rollback', outcome: 'done', startedAt: 'x', to: '0.4.0' };
const lastRun = run as unknown as RunRow;

/** What may have become of a history and its files besides. */
const twists: Readonly<Record<string, (facts: Facts) => Facts>> = {
  nothing: (facts) => facts,
  'an open run': (facts) => ({ ...facts, unfinished: lastRun }),
  'a rollback before': (facts) => ({ ...facts, lastRun }),
  'no table schema_version': (facts) => withHistory(facts, { present: false }),
  'another checksum': (facts) => withHistory(facts, { checksum: 'other' }),
  'no checksums': (facts) => withHistory(facts, { checksum: null }),
  'another version': (facts) => withHistory(facts, { version: '0.1.0' }),
  'a newer version besides': (facts) => withHistory(facts, { newer: true }),
};

function withHistory(
  facts: Facts,
  change: {
    readonly present?: false;
    readonly checksum?: string | null;
    readonly version?: string;
    readonly newer?: true;
  },
): Facts {
  const { present, newer, ...row } = change;
  const applied = facts.history.applied.map((one) => ({ ...one, ...row }));
  const more = applied.slice(0, newer ? 1 : 0);
  const history = {
    ...facts.history,
    present: { ...facts.history.present, schemaVersion: present ?? true },
    applied: [...applied, ...more.map((one) => ({ ...one, number: 90, version: '9.0.0' }))],
  };
  const { folder, requiredVersion, unfinished } = facts;
  return { ...factsOf({ folder, history }), requiredVersion, unfinished };
}

const numbers = [0, 1, 2, 3];
const subsets = Array.from({ length: 16 }, (_, bits) => numbers.filter((n) => bits & (1 << n)));

/** Folders in which every second migration may fail, or none. */
const folders = [false, true].map((lenient) => {
  const { migrations, ...folder } = folderOf();
  return {
    ...folder,
    migrations: migrations.map((one) => ({ ...one, critical: !lenient || one.number % 2 === 0 })),
  };
});

const cases = folders.flatMap((folder) =>
  subsets.flatMap((applied) =>
    subsets
      .filter((failed) => !failed.some((number) => applied.includes(number)))
      .flatMap((failed) =>
        folder.versions.flatMap((requiredVersion) =>
          Object.entries(twists).map(([name, twist]) => ({
            name: `applied ${applied}, failed ${failed}, ${requiredVersion} required, ${name}`,
            facts: twist({ ...factsOf({ folder, applied, failed }), requiredVersion }),
          })),
        ),
      ),
  ),
);

describe('planNothing', () => {
  test('says what makePlan says, or nothing', () => {
    let said = 0;
    for (const { name, facts } of cases) {
      const plan = planNothing(facts);
      if (plan === null) continue;
      said += 1;
      assert.deepEqual(plan, makePlan(facts, settings), name);
    }
    assert.ok(said > 10, `only ${said} of ${cases.length} cases needed nothing`);
  });

  test('says it wherever makePlan does and nothing is pending', () => {
    for (const { name, facts } of cases) {
      const idle = makePlan(facts, settings).mode === 'nothing to do';
      if (!idle || facts.resolution.pending.length > 0) continue;
      assert.notEqual(planNothing(facts), null, name);
    }
  });
});
