import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Situation, whatNow } from '../../../scripts/release-advice.ts';

const situation: Situation = {
  ...{ oldRelease: '0.5.0', newRelease: '0.6.0', oldVersion: '0.5.0', step: 'deploy' },
};

test('a plan that is refused: the old release serves, and the database is as it was', () => {
  const [first] = whatNow({ ...situation, step: 'plan' }, 13);

  assert.equal(first, '0.5.0 serves on; the database is as it was');
});

test('a run that was put back: one command brings the old release back', () => {
  const lines = whatNow(situation, 20);

  assert.equal(lines[0], '0.5.0 serves on; the database is as before, compared');
  assert.match(lines[2]!, /RELEASE=0\.5\.0 docker compose up --detach --wait/);
});

test('a run that ended half-way: no release is started, the runbook is named', () => {
  for (const exitCode of [21, 22, 23]) {
    const lines = whatNow(situation, exitCode).join('\n');

    assert.match(lines, /not as before.*runbook/s);
    assert(!lines.includes('up --detach'), lines);
  }
});

test('a backend that does not start: first the database goes back, then the old release comes', () => {
  const lines = whatNow({ ...situation, step: 'start' }, 1);

  assert.match(
    lines[2]!,
    /rollback --to-version 0\.5\.0 && RELEASE=0\.5\.0 docker compose up --detach --wait$/,
  );
});

test('a database that was empty has no version to go back to', () => {
  const lines = whatNow({ ...situation, step: 'start', oldVersion: null }, 1).join('\n');

  assert(!lines.includes('rollback'), lines);
});

test('a first release has no old one', () => {
  for (const step of ['build', 'plan', 'deploy', 'start'] as const) {
    const lines = whatNow({ ...situation, oldRelease: null, step }, 20).join('\n');

    assert(!lines.includes('RELEASE='), lines);
  }
});
