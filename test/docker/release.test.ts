/** One release after the other, by plain `up`: the new one, the old one by mistake, the old one for good. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, describeImage } from './engine.ts';
import { addColumn, makeRelease } from './releases.ts';
import { startProgram, until } from './running.ts';
import { firstRelease, prefix, root } from './settings.ts';
import { makeStack, succeeded } from './stack.ts';

test('a new release with two migrations', async (t) => {
  const stack = await makeStack(t, 'two-releases');
  succeeded(await stack.up());
  await t.test('that fails is followed by the command that brings the old one back', async () => {
    const [up = ''] = Object.keys(addColumn('0.6.0', 12, 'nickname'));
    const broken = await makeRelease(stack, '0.6.0', {
      ...addColumn('0.6.0', 12, 'nickname'),
      // The administrator has a password.
      [up]: `ALTER TABLE users ADD COLUMN nickname varchar(50) NULL;
        ALTER TABLE users ADD CHECK (LENGTH(password_hash) < 3);\n`,
    });
    await stack.set({ RELEASE: broken });
    assert.match((await stack.up()).stderr, /deploy.*didn't complete successfully: exit 20/);
    const { stdout } = await stack.compose('logs', '--no-color', '--no-log-prefix', 'deploy');
    const [, typed = ''] = /or bring the old release back: (.*)/.exec(stdout) ?? [];

    const options = { cwd: root, env: stack.env };
    succeeded(await startProgram(t, ['sh', '-c', typed], options).ended);

    assert.match(typed, new RegExp(`^RELEASE=${firstRelease} docker compose up `));
    await until(
      'the old backend serves',
      async () => (await stack.container('backend'))?.health === 'healthy',
    );
    const { body } = await stack.get('backend', '/');
    assert.deepEqual([body.release, body.database.actual_db_version], [firstRelease, '0.5.0']);
    // With a tag that has no images any more nothing is made from the sources of now.
    const gone = typed.replace(firstRelease, `gone-${prefix}`);
    const ended = await startProgram(t, ['sh', '-c', gone], options).ended;
    assert.notEqual(ended.code, 0);
    await assert.rejects(describeConfig(`bamort-deploy:gone-${prefix}`), /No such image/);
  });

  const newRelease = await makeRelease(stack, '0.6.0', {
    ...addColumn('0.6.0', 12, 'nickname'),
    ...addColumn('0.6.0', 13, 'motto'),
  });

  await t.test('starts its backend after both of them, and not before', async () => {
    await stack.set({ RELEASE: newRelease });

    succeeded(await stack.up());

    const { body } = await stack.get('backend', '/');
    assert.deepEqual([body.release, body.database.actual_db_version], [newRelease, '0.6.0']);
    const deploy = await stack.container('deploy');
    assert.equal(deploy?.exitCode, 0);
    const backend = await stack.container('backend');
    assert(deploy!.finishedAt <= backend!.startedAt, `${deploy?.finishedAt} ${backend?.startedAt}`);
  });

  await t.test('refuses the old images: deploy exits 13, the sidecar answers 500', async () => {
    const before = await stack.dump();
    await stack.set({ RELEASE: firstRelease });

    const { code, stderr } = await stack.up();

    assert.notEqual(code, 0);
    assert.match(stderr, /deploy.*didn't complete successfully: exit 13/);
    assert.equal((await stack.deploy('status')).code, 31);
    const { status, body } = await stack.get('health', '/api/system/health');
    assert.deepEqual([status, body.status, body.compatible], [500, 'error', false]);
    assert.equal((await stack.get('health', '/readyz')).status, 503);
    assert.notEqual((await stack.container('backend'))?.status, 'running');
    assert.equal(await stack.dump(), before);
  });

  await t.test('goes back with its own images, and then the old ones come up', async () => {
    await stack.set({ RELEASE: newRelease });
    const to = ['--to-version', '0.5.0', '--accept-data-loss', '--yes'];
    succeeded(await stack.deploy('rollback', ...to));
    await stack.set({ RELEASE: firstRelease });

    succeeded(await stack.up());

    const { body } = await stack.get('backend', '/');
    assert.deepEqual([body.release, body.database.actual_db_version], [firstRelease, '0.5.0']);
  });

  await t.test('shows no secret in logs, to `docker inspect` and in the images', async () => {
    const { stdout, stderr } = await stack.compose('logs', '--no-color');
    const images = [`deploy:${newRelease}`, `health:${newRelease}`, `demo-backend:${newRelease}`];
    const told = await Promise.all(images.map((image) => describeImage(`bamort-${image}`)));
    const all = [stdout, stderr, await stack.inspect(), ...told].join('\n');

    assert(all.includes('DB_PASSWORD_FILE') && all.includes('COPY migrations'));
    for (const secret of stack.secrets) assert(!all.includes(secret));
  });
});
