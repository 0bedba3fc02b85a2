/** `docker compose run --rm deploy …`, with and without a terminal, and a run that somebody cancels. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOneOffs, listProcesses } from './engine.ts';
import { holdGate, mountMigrations, slowMigration } from './releases.ts';
import { startProgram } from './running.ts';
import { root } from './settings.ts';
import { makeStack, succeeded } from './stack.ts';

test('one-offs', async (t) => {
  const stack = await makeStack(t, 'one-offs');
  succeeded(await stack.up());

  for (const [words, code] of [
    ['status', 0],
    ['plan', 0],
    ['validate', 0],
    ['doctor', 0],
    ['backup create', 0],
    ['prepare --output /packages/rules_0.5.0.tar.gz', 0],
    ['up --package /packages/rules_0.5.0.tar.gz', 0],
    ['rollback --steps 1', 13],
    ['restore --backup backup_20000101_000000 --yes', 15],
    ['no-such-command', 2],
  ] as const) {
    await t.test(`\`run --rm deploy ${words}\` ends with ${code}`, async () => {
      const ended = await stack.deploy(...words.split(' '));

      assert.equal(ended.code, code, ended.stdout + ended.stderr);
    });
  }

  await t.test('a set that `backup list` shows can be restored', async () => {
    const before = await stack.dump();
    const listed = succeeded(await stack.deploy('backup', 'list'));
    const [set = ''] = /backup_\d{8}_\d{6}/.exec(listed) ?? [];
    await stack.sql("UPDATE users SET email = 'changed@example.org'");

    succeeded(await stack.deploy('restore', '--backup', set, '--yes'));

    assert.equal(await stack.dump(), before);
  });

  await t.test('a terminal is asked: no is 13 and changes nothing, yes goes back', async () => {
    const before = await stack.dump();
    const declined = inTerminal('rollback --steps 1 --accept-data-loss');
    await declined.until(/Type yes to go on/);
    declined.type('no\n');
    assert.equal((await declined.ended).code, 13, declined.said());
    assert.equal(await stack.dump(), before);

    const confirmed = inTerminal('rollback --steps 1 --accept-data-loss');
    await confirmed.until(/Type yes to go on/);
    confirmed.type('yes\n');

    assert.equal((await confirmed.ended).code, 0, confirmed.said());
    assert.equal((await stack.deploy('status')).code, 30);
  });

  await t.test('Ctrl-C in a terminal ends the run itself, before any change', async () => {
    const asked = inTerminal('rollback --steps 1 --accept-data-loss');
    await asked.until(/Type yes to go on/);
    asked.type('\u0003');

    assert.equal((await asked.ended).code, 16, asked.said());
    assert.deepEqual(await listOneOffs(stack.project), []);
  });

  await t.test(
    'without a terminal a cancelled run lives on; the next one waits for it',
    async () => {
      succeeded(await stack.deploy('up', '--forward'));
      await stack.override(await mountMigrations(stack, slowMigration('0.6.0', 12, 'update')));
      const openGate = await holdGate(stack);
      const cancelled = stack.start('run', '--rm', '-T', 'deploy', 'up');
      await cancelled.until(/applying 0012 slow/);
      const top = await listProcesses(stack.project);
      cancelled.signal('SIGINT');
      assert.equal((await cancelled.ended).code, 130);
      assert.equal((await listOneOffs(stack.project)).length, 1);

      const next = stack.start('run', '--rm', '-T', 'deploy', 'up');
      await next.until(/held by /);
      await openGate();

      succeeded(await next.ended);
      const runs = await stack.sql("SELECT outcome FROM deploy_run WHERE to_version = '0.6.0'");
      assert.equal(runs, 'outcome\ndone\n');
      for (const secret of stack.secrets) assert(!top.includes(secret));
      assert.match(top, /main\.ts up/);
    },
  );

  /** As a person at a terminal: `script` makes one. */
  function inTerminal(words: string) {
    const typed = `docker compose run --rm deploy ${words}`;
    const command = ['script', '--quiet', '--return', '--command', typed, '/dev/null'];
    return startProgram(t, command, { cwd: root, env: stack.env });
  }
});
