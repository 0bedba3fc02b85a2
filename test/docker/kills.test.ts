/** The process of the deploy container is killed at ten moments of a run; then somebody types `up`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, mountMigrations } from './releases.ts';
import { makeStack, type Stack, succeeded } from './stack.ts';

/** Places that a run with one new migration passes, in their order (src/errors/fail-point.ts). */
const moments = [
  ['run.opened', 'after its first record'],
  ['backup.begin', 'when the backup begins'],
  ['backup.dumped', 'when the backup is written'],
  ['backup.loaded', 'when the backup is loaded on the scratch server'],
  ['backup.proved', 'when the backup is proven'],
  ['run.changing', 'when the first statement is next'],
  ['apply.executed', 'after a CREATE TABLE, before the journal knows'],
  ['transaction.before-commit', 'in the transaction of an INSERT'],
  ['run.changed', 'when all statements are done'],
  ['run.record', 'when the version is about to be recorded'],
] as const;

/** One version for each moment: a table with two rows, which a second INSERT would make four. */
const versions = moments.map((_, at) => `0.${at + 6}.0`);
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
  const release = await mountMigrations(stack, migrations);
  const tables = await listTables(stack);
  const before = await stack.sql(`CHECKSUM TABLE ${tables}`);

  for (const [at, [moment, words]] of moments.entries()) {
    await t.test(`killed ${words}`, async () => {
      const killed = { ...release['deploy'], environment: { DEPLOY_FAIL_AT: `${moment}=kill` } };
      await stack.set({ REQUIRED_DB_VERSION: versions[at]! });
      await stack.override({ ...release, deploy: killed });
      const first = await stack.up();
      assert.notEqual(first.code, 0);
      assert.match(first.stderr, /deploy.*didn't complete successfully: exit 137/);
      await stack.override(release);

      succeeded(await stack.up());

      const { status, body } = await stack.get('health', '/api/system/health');
      assert.deepEqual([status, body.status, body.actual_db_version], [200, 'ok', versions[at]]);
      assert.equal(await stack.sql(`SELECT note FROM extra_${at}`), 'note\none\ntwo\n');
    });
  }

  await t.test('nothing else has changed, and nothing is left over', async () => {
    assert.equal(await stack.sql(`CHECKSUM TABLE ${tables}`), before);
    const unfinished = await stack.sql(
      "SELECT COUNT(*) AS runs FROM deploy_run WHERE state NOT IN ('closed')",
    );
    assert.equal(unfinished, 'runs\n0\n');
    // What a container left whose processes nobody can see goes when nothing in it has moved for an hour.
    const left = "\\( -path '*/.unfinished-*' -o -path '*/scratch-*' \\)";
    const age = `find /backups /scratch ${left} -exec touch -d '2 hours ago' {} +`;
    succeeded(await stack.deploy('sh', '-c', age));
    succeeded(await stack.deploy('backup', 'create'));
    assert.equal(succeeded(await stack.deploy('sh', '-c', `find /backups /scratch ${left}`)), '');
  });
});

/** The tables of the application, without those that record versions and runs. */
async function listTables(stack: Stack): Promise<string> {
  const listed =
    await stack.sql(`SELECT GROUP_CONCAT(table_name) AS names FROM information_schema.tables
    WHERE table_schema = 'bamort' AND table_name NOT LIKE 'deploy\\_%'
      AND table_name NOT IN ('schema_version', 'migration_history')`);
  return listed.split('\n')[1]!;
}
