/** What is wrong around the program: each is found before anything is changed, and said. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { giveVolumeTo } from './engine.ts';
import { addColumn, mountMigrations } from './releases.ts';
import { makeStack, succeeded } from './stack.ts';

test('a run with something wrong around it changes nothing, and says what it is', async (t) => {
  const stack = await makeStack(t, 'surroundings');
  succeeded(await stack.up());
  const release = await mountMigrations(stack, addColumn('0.6.0', 12, 'nickname'));
  const before = await stack.dump();
  const wrong = path.join(stack.dir, 'wrong_password');
  await writeFile(wrong, 'not-it\n', { mode: 0o644 });
  const mounts = (...more: readonly unknown[]) => ({ volumes: [...volumesOf(release), ...more] });
  const small = (target: string) => mounts({ type: 'volume', source: 'small', target });
  const volumes = {
    small: { driver_opts: { type: 'tmpfs', device: 'tmpfs', o: 'size=64k,uid=65532' } },
  };

  const cases = [
    {
      name: 'a wrong password',
      deploy: {
        ...mounts(`${wrong}:/wrong_password:ro`),
        environment: { DB_PASSWORD_FILE: '/wrong_password' },
      },
      exitCode: 12,
      says: /Access denied for user 'deploy'/,
    },
    {
      name: 'a secret that is not there',
      deploy: { ...mounts(), environment: { DB_PASSWORD_FILE: '/run/secrets/none' } },
      exitCode: 10,
      says: /DB_PASSWORD_FILE/,
    },
    {
      name: 'a read-only backup volume',
      deploy: mounts({ type: 'volume', source: 'backups', target: '/backups', read_only: true }),
      exitCode: 14,
      says: /\/backups/,
    },
    {
      name: 'a full backup volume',
      deploy: small('/backups'),
      exitCode: 14,
      says: /\/backups/,
    },
    {
      name: 'a /scratch that is too small',
      deploy: small('/scratch'),
      exitCode: 14,
      says: /\/scratch/,
    },
  ] as const;
  for (const { name, deploy, exitCode, says } of cases) {
    await t.test(name, async () => {
      await stack.override({ ...release, deploy }, volumes);

      const ended = await stack.deploy('up');

      assert.equal(ended.code, exitCode, ended.stdout + ended.stderr);
      assert.match(ended.stderr, says);
      assert.equal(await stack.dump(), before);
    });
  }

  await t.test('a backup volume that belongs to another account', async () => {
    await stack.override(release);
    await giveVolumeTo(`${stack.project}_backups`, 0);

    const ended = await stack.deploy('up');

    assert.equal(ended.code, 14, ended.stdout + ended.stderr);
    assert.match(ended.stderr, /\/backups.*65532/s);
    assert.equal(await stack.dump(), before);
    await giveVolumeTo(`${stack.project}_backups`, 65532);
  });

  await t.test(
    'a file with a password that is missing on the host is named by compose',
    async () => {
      await stack.set({ SECRETS_DIR: path.join(stack.dir, 'no-secrets') });
      const ended = await stack.up();
      await stack.set({ SECRETS_DIR: path.join(stack.dir, 'secrets') });

      assert.notEqual(ended.code, 0);
      assert.match(ended.stderr, /no-secrets/);
    },
  );

  await t.test('and when all of it is right, up goes on', async () => {
    succeeded(await stack.up());

    assert.equal((await stack.get('health', '/api/system/health')).body.actual_db_version, '0.6.0');
  });
});

function volumesOf(services: Readonly<Record<string, object>>): readonly unknown[] {
  return (services['deploy'] as { readonly volumes: readonly unknown[] }).volumes;
}
