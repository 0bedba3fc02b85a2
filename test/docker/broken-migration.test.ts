/** A release whose migration fails on the rows that are there. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountMigrations } from './releases.ts';
import { makeStack, succeeded } from './stack.ts';

const up = `-- The second statement fails where two users speak the same language.
ALTER TABLE users ADD COLUMN nickname varchar(50) NULL;
ALTER TABLE users ADD UNIQUE KEY uq_users_preferred_language (preferred_language);
`;
const down = `ALTER TABLE users DROP KEY uq_users_preferred_language;
-- DATA LOSS: nicknames.
ALTER TABLE users DROP COLUMN nickname;
`;

test('a migration that fails on the rows of this database', async (t) => {
  const stack = await makeStack(t, 'broken');
  succeeded(await stack.up());
  await stack.sql(`INSERT INTO users (username, password_hash, email, preferred_language)
    VALUES ('anna', 'x', 'anna@example.org', 'de'), ('bert', 'x', 'bert@example.org', 'de')`);
  const before = await stack.dump();
  const plan = (upFile: string) =>
    mountMigrations(stack, {
      '0.6.0/0012_one_language_each.up.sql': upFile,
      '0.6.0/0012_one_language_each.down.sql': down,
    });
  await stack.override(await plan(`${up}ALTER TABLE userz ADD COLUMN a int;\n`));
  // As compose does it itself when a release changes the backend: the old one goes first.
  succeeded(await stack.compose('rm', '--stop', '--force', 'backend'));
  const refused = await stack.up();

  await t.test('and on every database is refused: deploy exits 13, no backend starts', async () => {
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /deploy.*didn't complete successfully: exit 13/);
    assert.equal((await stack.container('backend'))?.status ?? 'created', 'created');
    assert.equal(await stack.dump(), before);
    const { status, body } = await stack.get('health', '/api/system/health');
    assert.deepEqual([status, body.compatible, body.actual_db_version], [200, false, '0.5.0']);
  });

  await plan(up);
  const failed = await stack.up();

  await t.test('makes up fail, and deploy exit with 20', async () => {
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /deploy.*didn't complete successfully: exit 20/);
  });

  await t.test('keeps the backend from starting', async () => {
    assert.equal((await stack.container('backend'))?.status ?? 'created', 'created');
  });

  await t.test('is why the gate keeps out a backend that is started without compose', async () => {
    const alone = ['run', '--rm', '-T', '--no-deps', '-e', 'READY_TIMEOUT_SECONDS=1', 'backend'];
    const { code, stderr } = await stack.compose(...alone);

    assert.equal(code, 1);
    assert.match(stderr, /the database is not ready after 1 s .*; node is not started/);
  });

  await t.test('is what a backend without gate can find out from the sidecar', async () => {
    const alone = ['run', '--rm', '-T', '--no-deps', '--entrypoint', 'node', 'backend'];
    const { code, stderr } = await stack.compose(...alone, 'server.ts');

    assert.equal(code, 1);
    assert.match(stderr, /does not start: the database is at 0\.5\.0, and 0\.6\.0 is required/);
  });

  await t.test('leaves the database exactly as before', async () => {
    assert.equal(await stack.dump(), before);
  });

  await t.test('is explained in the log of deploy', async () => {
    const { stdout } = await stack.compose('logs', '--no-color', '--no-log-prefix', 'deploy');

    assert.match(stdout, /0012 one_language_each failed on statement 2 of 2/);
    assert.match(stdout, /database {2}bamort is at 0\.5\.0, as before this run/);
    assert(!/anna|bert/.test(stdout));
  });

  await t.test('is told by the sidecar, which lives on', async () => {
    const { status, body } = await stack.get('health', '/api/system/health');

    assert.deepEqual([status, body.status, body.compatible], [200, 'warning', false]);
    assert.equal(body.actual_db_version, '0.5.0');
    assert.equal(body.required_db_version, '0.6.0');
    assert.deepEqual(
      body.pending_migrations.map(({ number }) => number),
      [12],
    );
    assert.equal(body.last_run.outcome, 'put_back');
    assert.equal(body.last_run.error_code, 'MIGRATION_FAILED');
    assert.equal((await stack.get('health', '/readyz')).status, 503);
  });

  await t.test('gives `run --rm deploy status` the exit code 30', async () => {
    assert.equal((await stack.deploy('status')).code, 30);
  });

  await t.test('does no harm once the rows are right: up goes on to 0.6.0', async () => {
    await stack.sql("UPDATE users SET preferred_language = 'fr' WHERE username = 'bert'");
    await stack.sql("UPDATE users SET preferred_language = 'en' WHERE username = 'anna'");

    succeeded(await stack.up());

    const { body } = await stack.get('backend', '/');
    assert.equal(body.database.actual_db_version, '0.6.0');
  });
});
