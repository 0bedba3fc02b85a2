import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunRow } from '../../../src/history/runs.ts';
import { makePlan, type Plan } from '../../../src/run/plan.ts';
import { factsOf, folderOf, migrationOf, settings } from '../../support/facts.ts';

const codes = (plan: Plan) => plan.refusals.map(({ code }) => code);
const numbers = (plan: Plan) =>
  plan.cycles.map(({ migrations }) => migrations.map(({ number }) => number));

const wentBack: RunRow = {
  ...{
    runId: 'r1',
    epoch: 1,
    planDigest: 'x',
    mode: 'rollback',
    direction: 'down',
    from: '0.5.0',
    to: '0.4.0',
  },
  ...{
    state: 'closed',
    step: null,
    plan: null,
    backupSet: null,
    fencedAccounts: [],
    disabledEvents: [],
    restoreState: null,
  },
  ...{
    startedAt: '2026-01-16T10:30:00Z',
    finishedAt: '2026-01-16T10:31:00Z',
    outcome: 'done',
    exitCode: 0,
    report: null,
    masterdataDigest: null,
  },
};

describe('what there is to do', () => {
  test('a database at the required version needs nothing', () => {
    const plan = makePlan(factsOf({ applied: [0, 1, 2, 3] }), settings);

    assert.equal(plan.mode, 'nothing to do');
    assert.deepEqual(plan.cycles, []);
    assert.equal(plan.from, '0.5.0');
  });

  test('an empty database gets all migrations in one cycle', () => {
    const plan = makePlan(factsOf(), settings);

    assert.equal(plan.mode, 'install');
    assert.deepEqual(numbers(plan), [[0, 1, 2, 3]]);
  });

  test('a database one version behind gets the migrations of the next version', () => {
    const plan = makePlan(factsOf({ applied: [0, 1] }), settings);

    assert.equal(plan.mode, 'update');
    assert.deepEqual(numbers(plan), [[2, 3]]);
    assert.deepEqual([plan.from, plan.to], ['0.4.0', '0.5.0']);
  });

  test('a version that is applied by half is completed', () => {
    assert.deepEqual(numbers(makePlan(factsOf({ applied: [0, 1, 2] }), settings)), [[3]]);
  });

  test('stepwise walks each version in a cycle of its own', () => {
    const plan = makePlan(factsOf({ applied: [0] }), { ...settings, updatePath: 'stepwise' });

    assert.deepEqual(numbers(plan), [[1], [2, 3]]);
    assert.deepEqual(
      plan.cycles.map(({ from, to }) => [from, to]),
      [
        ['0.3.0', '0.4.0'],
        ['0.4.0', '0.5.0'],
      ],
    );
  });

  test('an unfinished run comes before everything else', () => {
    const plan = makePlan(
      factsOf({ applied: [0], unfinished: { ...wentBack, state: 'changing', outcome: null } }),
      settings,
    );

    assert.equal(plan.mode, 'recover');
  });

  test('an older required version leaves later files alone', () => {
    const plan = makePlan(factsOf({ applied: [0], requiredVersion: '0.4.0' }), settings);

    assert.deepEqual(numbers(plan), [[1]]);
  });

  test('the same files make the same digest, an edited statement another', () => {
    const digest = (up: string) => {
      const folder = folderOf([migrationOf(0, '0.3.0', up)]);
      return makePlan(factsOf({ folder }), settings).cycles[0]!.digest;
    };

    assert.equal(digest('CREATE TABLE a (id INT);'), digest('CREATE TABLE a (id INT);'));
    assert.notEqual(digest('CREATE TABLE a (id INT);'), digest('CREATE TABLE a (id BIGINT);'));
  });

  test('a migration that failed and is not critical is tried again only with other work', () => {
    const folder = folderOf([
      migrationOf(0, '0.3.0', 'CREATE TABLE a (id INT);'),
      migrationOf(1, '0.3.0', 'ALTER TABLE a ADD b INT;', { critical: false }),
      migrationOf(2, '0.4.0', 'ALTER TABLE a ADD c INT;'),
    ]);
    const behind = makePlan(factsOf({ folder, applied: [0], failed: [1] }), settings);
    const done = makePlan(factsOf({ folder, applied: [0, 2], failed: [1] }), settings);

    assert.deepEqual(numbers(behind), [[1, 2]]);
    assert.equal(done.mode, 'nothing to do');
    assert.equal(done.warnings.length, 1);
  });
});

describe('a schema without history', () => {
  const relations = ['a'];

  test('must be looked at first', () => {
    assert.equal(makePlan(factsOf({ relations }), settings).needs, 'adoption');
  });

  test('is recorded as the version that it equals, and goes on from there', () => {
    const adoption = {
      version: '0.4.0',
      nearest: '0.4.0',
      differences: [
        { key: 'table:x' as const, kind: 'extra' as const, message: 'table x', additive: true },
      ],
    };
    const plan = makePlan(factsOf({ relations, adoption }), settings);

    assert.equal(plan.mode, 'adopt');
    assert.deepEqual(
      plan.cycles[0]!.adopt.map(({ number }) => number),
      [0, 1],
    );
    assert.deepEqual(numbers(plan), [[2, 3]]);
    assert.match(plan.warnings.join(), /table x/);
  });

  test('is only recorded when it is already as required', () => {
    const plan = makePlan(
      factsOf({ relations, adoption: { version: '0.5.0', nearest: '0.5.0', differences: [] } }),
      settings,
    );

    assert.equal(plan.cycles[0]!.adopt.length, 4);
    assert.deepEqual(numbers(plan), [[]]);
  });

  test('is refused with the difference when it equals no version', () => {
    const differences = [
      {
        key: 'table:a' as const,
        kind: 'missing' as const,
        message: 'table a missing',
        additive: false,
      },
    ];
    const plan = makePlan(
      factsOf({ relations, adoption: { version: null, nearest: '0.3.0', differences } }),
      settings,
    );

    assert.deepEqual(codes(plan), ['SCHEMA_UNKNOWN']);
    assert.match(plan.refusals[0]!.message, /table a missing/);
  });
});

describe('refusals', () => {
  test('a jump over a version is refused with the path', () => {
    const plan = makePlan(factsOf({ applied: [0] }), settings);

    assert.deepEqual(codes(plan), ['STEP_TOO_LONG']);
    assert.match(plan.refusals[0]!.message, /0\.3\.0 → 0\.4\.0 → 0\.5\.0/);
  });

  test('a database that is ahead of the image is refused', () => {
    assert.deepEqual(
      codes(makePlan(factsOf({ applied: [0, 1, 2, 3], requiredVersion: '0.4.0' }), settings)),
      ['DATABASE_AHEAD'],
    );
  });

  test('going forward again after a rollback needs --forward', () => {
    const facts = factsOf({ applied: [0, 1], lastRun: wentBack });

    assert.deepEqual(codes(makePlan(facts, settings)), ['ROLLED_BACK']);
    assert.deepEqual(
      codes(makePlan({ ...facts, lastRun: { ...wentBack, finishedAt: null } }, settings)),
      ['ROLLED_BACK'],
    );
    assert.deepEqual(codes(makePlan(facts, { ...settings, forward: true })), []);
    assert.deepEqual(codes(makePlan({ ...facts, requiredVersion: '0.4.0' }, settings)), []);
  });

  test('a changed, a missing and an out-of-order file are refused', () => {
    const facts = factsOf({ applied: [0, 1] });
    const [first] = facts.resolution.applied;
    const recorded = facts.history.applied[0]!;
    const resolution = {
      ...facts.resolution,
      changed: [{ migration: first!, recorded, onlyLineEndings: false }],
      missing: [recorded],
      outOfOrder: [first!],
    };

    assert.deepEqual(codes(makePlan({ ...facts, resolution }, settings)), [
      'CHECKSUM_CHANGED',
      'MIGRATION_MISSING',
      'OUT_OF_ORDER',
    ]);
  });

  test('missing rights are refused with the GRANT to run', () => {
    const missingRights = [
      { right: 'CREATE', why: 'restores need it', grant: 'GRANT ALL ON x.* TO y;' },
    ];
    const plan = makePlan(factsOf({ applied: [0, 1], missingRights }), settings);

    assert.deepEqual(codes(plan), ['RIGHT_MISSING']);
    assert.deepEqual(plan.refusals[0]!.next, ['GRANT ALL ON x.* TO y;']);
  });

  test('the account of this program itself cannot be fenced out', () => {
    const plan = makePlan(factsOf({ applied: [0, 1] }), {
      ...settings,
      fence: 'warn',
      fenceUsers: ['deploy'],
    });

    assert.deepEqual(codes(plan), ['RIGHT_MISSING']);
    assert.match(plan.refusals[0]!.next!.join(), /CREATE USER/);
  });

  test('FENCE=require needs accounts and rights, FENCE=warn warns', () => {
    const missingFenceRights = [
      { right: 'CREATE USER', why: 'fencing needs it', grant: 'GRANT CREATE USER ON *.* TO y;' },
    ];
    const facts = factsOf({ applied: [0, 1], missingFenceRights });

    assert.deepEqual(codes(makePlan(facts, { ...settings, fence: 'require' })), [
      'RIGHT_MISSING',
      'RIGHT_MISSING',
    ]);
    assert.deepEqual(
      codes(makePlan(factsOf({ applied: [0, 1] }), { ...settings, fence: 'require' })),
      ['RIGHT_MISSING'],
    );
    const warned = makePlan(facts, { ...settings, fence: 'warn', fenceUsers: ['app'] });
    assert.deepEqual(codes(warned), []);
    assert.match(warned.warnings.join(), /not fenced out/);
  });

  test('a name of FENCE_USERS without an account is refused by FENCE=require, and FENCE=warn warns', () => {
    const facts = factsOf({ applied: [0, 1], unknownFenceUsers: ['bakend'] });
    const fenceUsers = ['bakend'];

    const refused = makePlan(facts, { ...settings, fence: 'require', fenceUsers });
    const warned = makePlan(facts, { ...settings, fence: 'warn', fenceUsers });

    assert.deepEqual(codes(refused), ['CONFIG_INVALID']);
    assert.match(refused.refusals[0]!.message, /bakend/);
    assert.deepEqual(codes(warned), []);
    assert.match(warned.warnings.join(), /bakend/);
  });

  const pendingOf = (up: string, more: Parameters<typeof migrationOf>[3] = {}) =>
    factsOf({
      applied: [0],
      folder: folderOf([
        migrationOf(0, '0.3.0', 'CREATE TABLE a (id INT);'),
        migrationOf(1, '0.4.0', up, more),
      ]),
    });

  test('a forbidden statement is refused with file and line', () => {
    const plan = makePlan(
      pendingOf('ALTER TABLE a ADD b INT;\nSET GLOBAL sql_mode = "";'),
      settings,
    );

    assert.deepEqual(codes(plan), ['STATEMENT_FORBIDDEN']);
    assert.match(plan.refusals[0]!.where!, /0001_change_1\.up\.sql:2$/);
  });

  test('a CALL is refused unless the file is rerunnable', () => {
    assert.deepEqual(codes(makePlan(pendingOf('CALL fill();'), settings)), ['STATEMENT_FORBIDDEN']);
    assert.deepEqual(
      codes(makePlan(pendingOf('CALL fill();', { rerunnable: true }), settings)),
      [],
    );
  });

  test('a swap that leaves no trace in the structure is refused, a visible one is not', () => {
    const facts = pendingOf('ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b;');
    const seen = {
      migration: 1,
      number: 1,
      writes: null,
      changes: [{ key: 'table:a' as const, before: '1', after: '2' }],
    };

    assert.deepEqual(codes(makePlan(facts, settings)), ['STATEMENT_FORBIDDEN']);
    assert.deepEqual(
      codes(
        makePlan({ ...facts, structural: { ...facts.structural!, statements: [seen] } }, settings),
      ),
      [],
    );
  });

  test('what fails on an empty copy is refused with its place', () => {
    const facts = pendingOf('ALTER TABLE a ADD b INT;');
    const migration = facts.folder.migrations[1]!;
    const failure = {
      migration,
      statement: migration.up.statements[0]!,
      number: 1,
      of: 1,
      where: 'x.sql:1',
      cause: new Error('Duplicate column'),
    };
    const plan = makePlan({ ...facts, structural: { ...facts.structural!, failure } }, settings);

    assert.deepEqual(codes(plan), ['MIGRATION_UNSOUND']);
    assert.equal(plan.refusals[0]!.where, 'x.sql:1');
  });

  test('a plan that is fine so far needs the structural run', () => {
    assert.equal(
      makePlan({ ...factsOf({ applied: [0, 1] }), structural: null }, settings).needs,
      'structural-run',
    );
  });
});
