import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DatabaseState,
  findSetOfBefore,
  type Situation,
  whatNow,
} from '../../../scripts/release-advice.ts';

const at = (version: string | null, more: Partial<DatabaseState> = {}): DatabaseState => ({
  ...{ version, isEmpty: false, isUnfinished: false },
  ...more,
});

const situation: Situation = {
  ...{ newRelease: '0.6.0', step: 'deploy', setOfBefore: 'backup_20260116_103000' },
  old: { release: '0.5.0', composeFiles: '/srv/app/docker-compose.yml' },
  ...{ before: at('0.5.0'), now: at('0.5.0') },
};
const untagged = { release: null, composeFiles: '/srv/app/docker-compose.yml:/srv/app/more.yml' };

const oldOne = 'RELEASE=0.5.0 docker compose up --detach --wait --no-build';

test('a plan that is refused: the old release serves, and the database is as it was', () => {
  const [first] = whatNow({ ...situation, step: 'plan', now: null }, 13);

  assert.equal(first, '0.5.0 serves on; the database is as it was');
});

test('a question that nobody said yes to: there is nothing to correct', () => {
  const lines = whatNow({ ...situation, step: 'question', now: null }, 13);

  assert.equal(lines[0], '0.5.0 serves on; the database is as it was');
  assert.match(lines[1]!, /^next: nobody said yes/);
  assert.doesNotMatch(lines.join(), /correct what is said/);
});

test('a run that was put back: one command brings the old release back, and builds nothing', () => {
  const lines = whatNow(situation, 20);

  assert.equal(lines[0], '0.5.0 serves on; the database is as before, compared');
  assert.equal(lines[2], `or bring the old release back: ${oldOne}`);
});

test('a run whose first version was recorded: the database is not said to be as before', () => {
  const lines = whatNow({ ...situation, now: at('0.5.1') }, 20);

  assert.match(
    lines[0]!,
    /^0\.5\.0 serves on, on a database that has moved from 0\.5\.0 to 0\.5\.1/,
  );
  assert.equal(
    lines[2],
    `or bring the old release back: docker compose run --rm deploy rollback --to-version 0.5.0 && ${oldOne}`,
  );
});

test('a run that ended half-way: no release is started, the runbook is named', () => {
  for (const [now, exitCode] of [
    [at('0.5.0', { isUnfinished: true }), 21],
    [at(null, { isUnfinished: true }), 143],
    [null, 23],
    [null, 14],
  ] as const) {
    const lines = whatNow({ ...situation, now }, exitCode).join('\n');

    assert.match(lines, /(not as before|could not be looked at).*runbook/s);
    assert(!lines.includes('up --detach'), lines);
  }
});

test('a backend that does not start: first the database goes back, then the old release comes', () => {
  const lines = whatNow({ ...situation, step: 'start', now: at('0.6.0') }, 1);

  assert.match(lines[0]!, /at 0\.6\.0, and the backend of 0\.6\.0 does not serve/);
  assert.match(lines[2]!, new RegExp(`rollback --to-version 0\\.5\\.0 && ${oldOne}$`));
});

test('a backend that does not start with the same database: nothing is rolled back', () => {
  const lines = whatNow({ ...situation, step: 'start' }, 1).join('\n');

  assert(lines.includes(`back: ${oldOne}`), lines);
});

test('a database that was empty has no version to go back to', () => {
  const was = at(null, { isEmpty: true });
  const now = at('0.6.0');
  const lines = whatNow({ ...situation, step: 'start', before: was, now }, 1).join('\n');

  assert(lines.includes(`back: ${oldOne}`), lines);
});

test('a database that was adopted is restored from the set of before', () => {
  const adopted = { ...situation, step: 'start', before: at(null), now: at('0.5.0') } as const;
  const line = /back: docker compose run --rm deploy restore --backup (\S+) && RELEASE=0\.5\.0 /;

  const [, set] = line.exec(whatNow(adopted, 1).join('\n')) ?? [];
  const [, unknown] = line.exec(whatNow({ ...adopted, setOfBefore: null }, 1).join('\n')) ?? [];

  assert.deepEqual([set, unknown], ['backup_20260116_103000', 'SET']);
});

test('a backend whose image had no tag is started by the compose files that it came from', () => {
  const lines = whatNow({ ...situation, step: 'start', old: untagged }, 1).join('\n');

  assert(!lines.includes('RELEASE='), lines);
  assert.match(
    lines,
    /back: COMPOSE_FILE=\/srv\/app\/docker-compose\.yml:\/srv\/app\/more\.yml docker compose up --detach --no-build --no-deps backend$/,
  );
});

test('a backend whose image had no tag, and that is still there, needs a start at most', () => {
  const lines = whatNow({ ...situation, old: untagged }, 20).join('\n');

  assert(!lines.includes('RELEASE='), lines);
  assert.match(lines, /back: docker compose start backend$/);
});

test('a first release has no old one', () => {
  for (const step of ['build', 'plan', 'deploy', 'start'] as const) {
    const lines = whatNow({ ...situation, old: null, step }, 20).join('\n');

    assert(!lines.includes('bring the old'), lines);
  }
});

test('no command that is printed can build the sources of now under an old tag', () => {
  for (const step of ['build', 'plan', 'deploy', 'start'] as const) {
    for (const old of [situation.old, untagged]) {
      for (const line of whatNow({ ...situation, old, step }, 1)) {
        assert(!line.includes(' up ') || line.includes('--no-build'), line);
      }
    }
  }
});

test('the set of before is the first that the run took, or the one that it used again', () => {
  const set = (name: string, reason: string, isProven = true) => ({
    ...{ name, reason },
    proven_at: isProven ? '2026-01-16T10:30:00Z' : null,
  });
  const old = set('b0', 'backup');
  const taken = [set('b2', 'update'), set('b1', 'adopt')];

  assert.equal(findSetOfBefore([...taken, old], 'b0'), 'b1');
  assert.equal(findSetOfBefore(taken, null), 'b1');
  assert.equal(findSetOfBefore([set('b2', 'update'), old], 'b0'), 'b0');
  assert.equal(findSetOfBefore([old], 'b0'), 'b0');
  assert.equal(findSetOfBefore([set('b1', 'adopt', false)], null), null);
});
