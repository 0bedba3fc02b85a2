/**
 * The process of the deploy container is killed from outside at ten moments of a run, as the kernel does when
 * memory is short; then somebody types `up`.
 */

import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeRandom } from '../support/kill.ts';
import { killContainer, untilSaid } from './engine.ts';
import { type Files, mountMigrations } from './releases.ts';
import { makeStack, type Stack, succeeded } from './stack.ts';

/** Places that a run with one new migration passes, in their order (src/errors/fail-point.ts): it waits there. */
const places = [
  ['run.opened', 'after its first record'],
  ['backup.dumped', 'when the backup is written'],
  ['backup.loaded', 'when the backup is loaded on the scratch server'],
  ['run.changing', 'when the first statement is next'],
  ['apply.executed', 'after a CREATE TABLE, before the journal knows'],
  ['transaction.before-commit', 'in the transaction of an INSERT'],
  ['run.record', 'when the version is about to be recorded'],
] as const;
const random = 3;

/** One version for each moment: a table with two rows, which a second INSERT would make four. */
const versions = Array.from({ length: places.length + random }, (_, at) => `0.${at + 6}.0`);
const migrations: Files = Object.fromEntries(
  versions.flatMap((version, at) => {
    const base = `${version}/${String(at + 12).padStart(4, '0')}_extra`;
    const table = `extra_${at}`;
    const up = `CREATE TABLE ${table} (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, note varchar(9));
      INSERT INTO ${table} (note) VALUES ('one'), ('two');\n`;
    return [
      [`${base}.up.sql`, up],
      [`${base}.down.sql`, `-- DATA LOSS: all rows of ${table}.\nDROP TABLE ${table};\n`],
    ];
  }),
);

test('after a kill of the deploy container, one more up brings the database to the new version', async (t) => {
  const stack = await makeStack(t, 'kills');
  succeeded(await stack.up());
  await stack.override(await mountMigrations(stack, migrations));
  const tables = await listTables(stack);
  const before = await stack.sql(`CHECKSUM TABLE ${tables}`);

  for (const [at, [place, words]] of places.entries()) {
    await t.test(`killed ${words}`, async () => {
      await stack.set({ REQUIRED_DB_VERSION: versions[at]! });
      const run = await startRun(stack, ['-e', `DEPLOY_FAIL_AT=${place}=pause`]);
      await untilSaid(run, `paused at ${place}`);
      await killContainer(run);

      await comesTo(at);
    });
  }

  await t.test(
    'not one set of a run that was killed is left, as soon as others have run',
    async () => {
      const left = "find /backups -name '.unfinished-*'";
      assert.equal(succeeded(await stack.deploy('sh', '-c', left)), '');
    },
  );

  const seed = Number(process.env['FAULT_SEED'] ?? process.pid);
  const next = makeRandom(seed);
  for (let nth = 0; nth < random; nth++) {
    const at = places.length + nth;
    const ms = Math.round(500 + next() * 5_500);
    await t.test(`killed ${ms} ms after its start (FAULT_SEED=${seed})`, async () => {
      await stack.set({ REQUIRED_DB_VERSION: versions[at]! });
      const run = await startRun(stack, []);
      // A moment nobody has chosen is what this is about; the run may have ended by then.
      await delay(ms);
      await killContainer(run);

      await comesTo(at);
    });
  }

  await t.test('nothing else has changed, and nothing is left over', async () => {
    assert.equal(await stack.sql(`CHECKSUM TABLE ${tables}`), before);
    const unfinished = await stack.sql(
      "SELECT COUNT(*) AS runs FROM deploy_run WHERE state NOT IN ('closed')",
    );
    assert.equal(unfinished, 'runs\n0\n');
    // Of scratch servers: nobody sees their processes, so they go when nothing in them has moved for an hour.
    const age = "find /scratch -path '*/scratch-*' -exec touch -d '2 hours ago' {} +";
    succeeded(await stack.deploy('sh', '-c', age));
    succeeded(await stack.deploy('backup', 'create'));
    const left = "find /backups /scratch \\( -path '*/.unfinished-*' -o -path '*/scratch-*' \\)";
    assert.equal(succeeded(await stack.deploy('sh', '-c', left)), '');
  });

  /** By an `up` of the stack the first and the last time; in between its one-shot is what counts. */
  async function comesTo(at: number): Promise<void> {
    if (at === 0 || at === versions.length - 1) {
      succeeded(await stack.up());
      const { status, body } = await stack.get('health', '/api/system/health');
      assert.deepEqual([status, body.status, body.actual_db_version], [200, 'ok', versions[at]]);
    } else succeeded(await stack.deploy('up'));

    assert.equal(await stack.sql(`SELECT note FROM extra_${at}`), 'note\none\ntwo\n');
  }
});

/** A run of deploy that goes on by itself. Its container stays, so that it can be looked at when it is dead. */
async function startRun(
  stack: Stack,
  options: readonly string[],
): Promise<{ readonly id: string }> {
  const started = await stack.compose('run', '--detach', '-T', ...options, 'deploy', 'up');
  return { id: succeeded(started).trim() };
}

/** The tables of the application, without those that record versions and runs. */
async function listTables(stack: Stack): Promise<string> {
  const listed =
    await stack.sql(`SELECT GROUP_CONCAT(table_name) AS names FROM information_schema.tables
    WHERE table_schema = 'bamort' AND table_name NOT LIKE 'deploy\\_%'
      AND table_name NOT IN ('schema_version', 'migration_history')`);
  return listed.split('\n')[1]!;
}
