import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toRunRow } from '../../../src/history/run-row.ts';

const row = {
  run_id: '20260116_103000-7f3a',
  epoch: '3',
  plan_digest: 'abc',
  mode: 'update',
  direction: 'up',
  from_version: '0.4.0',
  to_version: '0.5.0',
  state: 'changing',
  step: null,
  plan: '{"migrations":[4]}',
  backup_set: 'backup_20260116_103000',
  fenced_accounts: '[{"user":"app","host":"%","wasLocked":false}]',
  disabled_events: '[]',
  restore_state: null,
  started_at: '2026-01-16 10:30:00.123',
  finished_at: null,
  outcome: null,
  exit_code: null,
  report: null,
  masterdata_digest: null,
};

describe('toRunRow', () => {
  test('gives the run as data, times as UTC', () => {
    assert.deepEqual(toRunRow(row), {
      runId: '20260116_103000-7f3a',
      epoch: 3,
      planDigest: 'abc',
      mode: 'update',
      direction: 'up',
      from: '0.4.0',
      to: '0.5.0',
      state: 'changing',
      step: null,
      plan: { migrations: [4] },
      backupSet: 'backup_20260116_103000',
      fencedAccounts: [{ user: 'app', host: '%', wasLocked: false }],
      disabledEvents: [],
      restoreState: null,
      startedAt: '2026-01-16T10:30:00.123Z',
      finishedAt: null,
      outcome: null,
      exitCode: null,
      report: null,
      masterdataDigest: null,
    });
  });

  test('gives the end of a closed run', () => {
    const closed = toRunRow({
      ...row,
      ...{
        state: 'closed',
        outcome: 'put_back',
        exit_code: 20,
        finished_at: '2026-01-16 10:31:00.000',
      },
    });

    assert.equal(closed.outcome, 'put_back');
    assert.equal(closed.exitCode, 20);
    assert.equal(closed.finishedAt, '2026-01-16T10:31:00.000Z');
  });

  const broken = {
    state: 'chainging',
    mode: '',
    direction: null,
    outcome: 'fine',
    plan: '{',
    fenced_accounts: 'null',
    restore_state: 'half',
    plan_digest: null,
    started_at: null,
  };
  for (const [column, value] of Object.entries(broken)) {
    test(`refuses ${JSON.stringify(value)} in ${column}, and names the run and the column`, () => {
      assert.throws(() => toRunRow({ ...row, [column]: value }), {
        code: 'HISTORY_UNREADABLE',
        message: `run 20260116_103000-7f3a has an unknown value in ${column}`,
        where: `deploy_run.${column}`,
      });
    });
  }
});
