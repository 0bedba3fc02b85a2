/** A run that is cut off in the middle of a long statement; then somebody types `up`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killContainer } from './engine.ts';
import { holdGate, mountMigrations, slowMigration } from './releases.ts';
import { makeStack, type Stack, succeeded } from './stack.ts';

test('a run that is cut off in the middle of a statement', async (t) => {
  const stack = await makeStack(t, 'cut-off');
  succeeded(await stack.up());
  await stack.override(
    await mountMigrations(stack, {
      ...slowMigration('0.6.0', 12, 'create'),
      ...slowMigration('0.7.0', 13, 'create'),
    }),
  );

  await t.test('by `stop -t 10`: it ends by itself, with exit code 23', async () => {
    await stack.set({ REQUIRED_DB_VERSION: '0.6.0' });
    const openGate = await holdGate(stack);
    const up = stack.start('up', '--detach', '--wait');
    await untilWorking(stack);

    succeeded(await stack.compose('stop', '--timeout', '10', 'deploy'));

    assert.equal((await stack.container('deploy'))?.exitCode, 23);
    assert.notEqual((await up.ended).code, 0);
    await openGate();
  });

  await t.test('… which keeps the account of the backend out', async () => {
    assert.equal(await isBackendLocked(), true);
  });

  await t.test('… and the next up brings it to an end', async () => {
    succeeded(await stack.up());

    await isAt('0.6.0', 'slow_12');
    assert.equal(await isBackendLocked(), false);
  });

  await t.test('by a kill of the database: up fails', async () => {
    await stack.set({ REQUIRED_DB_VERSION: '0.7.0' });
    await holdGate(stack);
    const up = stack.start('up', '--detach', '--wait');
    await untilWorking(stack);

    await killContainer((await stack.container('db'))!);

    const { code } = await up.ended;
    assert.notEqual(code, 0);
    const deploy = await stack.container('deploy');
    assert.equal(deploy?.exitCode, 23);
  });

  await t.test('… and the next up brings it to an end as well', async () => {
    succeeded(await stack.up());

    await isAt('0.7.0', 'slow_13');
  });

  async function isBackendLocked(): Promise<boolean> {
    const found = await stack.sql(
      "SELECT JSON_VALUE(priv, '$.account_locked') = 1 AS locked FROM mysql.global_priv WHERE user = 'backend'",
    );
    return found === 'locked\n1\n';
  }

  async function isAt(version: string, table: string): Promise<void> {
    const { status, body } = await stack.get('health', '/api/system/health');
    assert.deepEqual([status, body.status, body.actual_db_version], [200, 'ok', version]);
    assert.equal(await stack.sql(`SELECT COUNT(*) AS n FROM ${table}`), 'n\n1\n');
    assert.equal((await stack.container('backend'))?.status, 'running');
  }
});

/** Until the server executes the slow statement. The server itself looks: a look by compose takes too long. */
async function untilWorking(stack: Stack): Promise<void> {
  const found = await stack.sql(`DELIMITER //
    BEGIN NOT ATOMIC
      DECLARE looks INT DEFAULT 0;
      WHILE looks < 1800 AND NOT EXISTS (SELECT 1 FROM information_schema.processlist
          WHERE info LIKE 'CREATE TABLE slow%' AND state = 'User sleep') DO
        SET looks = looks + 1;
        DO SLEEP(0.1);
      END WHILE;
      SELECT looks < 1800 AS found;
    END//`);
  assert.equal(found, 'found\n1\n', 'the slow statement runs');
}
