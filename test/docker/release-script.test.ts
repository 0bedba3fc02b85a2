/** `npm run release`: the old backend serves until the database is ready for the new one. */

import assert from 'node:assert/strict';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { addColumn, planRelease } from './releases.ts';
import { type Running, startProgram } from './running.ts';
import { firstRelease, root } from './settings.ts';
import { makeStack, type Stack, succeeded } from './stack.ts';

const nickname = addColumn('0.6.0', 12, 'nickname');
const [nicknameUp = ''] = Object.keys(nickname);

test('npm run release', async (t) => {
  const stack = await makeStack(t, 'release-script');
  succeeded(await stack.up());
  await stack.sql(`INSERT INTO users (username, password_hash, email)
    VALUES ('anna', 'x', 'anna@example.org'), ('bert', 'x', 'bert@example.org')`);
  const backend = await stack.container('backend');

  await t.test('without --yes and without a terminal it stops after the plan', async () => {
    await stack.set({ RELEASE: await planRelease(stack, '0.6.0', nickname) });
    const { code, stdout, stderr } = await release(t, stack, []).ended;

    assert.equal(code, 13, stderr);
    assert.match(stdout, /0012_add_nickname\.up\.sql/);
    assert.match(stderr, /there is no terminal to ask on: --yes/);
    await servesStill();
  });

  await t.test('Ctrl-C at its question is a no, and ends it without a stack', async () => {
    const typed = `${process.execPath} scripts/release.ts`;
    const command = ['script', '--quiet', '--return', '--command', typed, '/dev/null'];
    const asked = startProgram(t, command, { cwd: root, env: stack.env });
    await asked.until(/release: type yes to go on/);
    asked.type('\u0003');

    assert.equal((await asked.ended).code, 13, asked.said());
    assert.doesNotMatch(asked.said(), /AbortError|^ +at /m);
    assert.match(asked.said(), /serves on; the database is as it was.*nobody said yes/s);
    await servesStill();
  });

  await t.test('told to stop, it ends what runs and starts nothing more', async () => {
    const cancelled = release(t, stack, ['--yes']);
    await cancelled.until(/docker compose run --rm -T deploy doctor/);
    cancelled.signal('SIGTERM');

    const { code, stderr } = await cancelled.ended;
    assert.equal(code, 143, stderr);
    assert.match(stderr, /told to stop \(SIGTERM\): what runs now ends first/);
    assert.doesNotMatch(stderr, /deploy plan|docker compose up --detach --wait$/m);
    await servesStill();
  });

  await t.test('a refused plan leaves the old backend alone', async () => {
    const files = { ...nickname, [nicknameUp]: 'ALTER TABLE no_such_table ADD COLUMN a int;\n' };
    await stack.set({ RELEASE: await planRelease(stack, '0.6.0', files) });
    const { code, stderr } = await release(t, stack, ['--yes']).ended;

    assert.equal(code, 13, stderr);
    assert.match(stderr, /serves on; the database is as it was/);
    await servesStill();
  });

  await t.test(
    'a migration that fails on the rows is put back, the old backend serves',
    async () => {
      const files = {
        ...nickname,
        [nicknameUp]: `ALTER TABLE users ADD COLUMN nickname varchar(50) NULL;
        ALTER TABLE users ADD UNIQUE KEY uq_users_password (password_hash(1));\n`,
      };
      await stack.set({ RELEASE: await planRelease(stack, '0.6.0', files) });
      const { code, stderr } = await release(t, stack, ['--yes']).ended;

      assert.equal(code, 20, stderr);
      assert.match(stderr, /serves on; the database is as before, compared/);
      await servesStill();
    },
  );

  await t.test(
    'a backend that does not start is followed by the command for the way back',
    async () => {
      const broken = await planRelease(stack, '0.6.0', nickname, 'CMD ["false"]\n');
      await stack.set({ RELEASE: broken });
      const failed = await release(t, stack, ['--yes']).ended;
      assert.equal(failed.code, 1, failed.stderr);
      const [, command = ''] = /or bring the old release back: (.*)/.exec(failed.stderr) ?? [];

      // Without a terminal it cannot be asked.
      const typed = command.replace('0.5.0 &&', '0.5.0 --yes --accept-data-loss &&');
      succeeded(await startProgram(t, ['sh', '-c', typed], { cwd: root, env: stack.env }).ended);

      const { body } = await stack.get('backend', '/');
      assert.deepEqual([body.release, body.database.actual_db_version], [firstRelease, '0.5.0']);
    },
  );

  await t.test('serves the old release until the database is ready, then the new one', async () => {
    const newRelease = await planRelease(stack, '0.6.0', nickname);
    await stack.set({ RELEASE: newRelease });
    const running = release(t, stack, ['--yes']);
    const watched = watch(stack, running);

    const { stderr } = await running.ended;

    assert.match(stderr, /serves, and the database is as it requires/);
    assert.deepEqual(await watched, []);
    const { body } = await stack.get('backend', '/');
    assert.deepEqual([body.release, body.database.actual_db_version], [newRelease, '0.6.0']);
  });

  async function servesStill(): Promise<void> {
    const { body } = await stack.get('backend', '/');
    assert.equal(body.release, firstRelease);
    assert.equal((await stack.container('backend'))?.startedAt, backend?.startedAt);
  }
});

function release(t: TestContext, stack: Stack, words: readonly string[]): Running {
  const command = [process.execPath, 'scripts/release.ts', ...words];
  return startProgram(t, command, { cwd: root, env: stack.env });
}

/** Asks the old backend until compose is told to switch. Gives what went wrong before. */
async function watch(stack: Stack, running: Running): Promise<string[]> {
  const address = succeeded(await stack.compose('port', 'backend', '8180')).trim();
  const problems: string[] = [];
  let answers = 0;
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  running.ended.then(end, end);
  while (!isOver && !running.said().includes('docker compose up')) {
    try {
      const response = await fetch(`http://${address}/`);
      const { release: found } = (await response.json()) as { release: string };
      if (found !== firstRelease) problems.push(`release ${found}`);
      answers++;
    } catch (error) {
      if (!running.said().includes('docker compose up')) problems.push(String(error));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (isOver) problems.push('the script ended before it told compose to switch');
  if (answers < 10) problems.push(`only ${answers} answers`);
  return problems;
}
