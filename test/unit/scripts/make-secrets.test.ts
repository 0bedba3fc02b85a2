import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';

const root = join(import.meta.dirname, '../../..');

/** A checkout with this `.env`, or none, and the script in it. */
function makeCheckout(t: TestContext, settings: string | null) {
  const dir = mkdtempSync(join(tmpdir(), 'make-secrets-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'docker'));
  copyFileSync(join(root, 'docker/make-secrets.sh'), join(dir, 'docker/make-secrets.sh'));
  copyFileSync(join(root, '.env.example'), join(dir, '.env.example'));
  if (settings !== null) writeFileSync(join(dir, '.env'), settings);
  return {
    run: () => execFileSync('sh', [join(dir, 'docker/make-secrets.sh')], { encoding: 'utf8' }),
    read: (name: string) => readFileSync(join(dir, name), 'utf8'),
    mode: (name: string) => statSync(join(dir, name)).mode & 0o777,
  };
}

describe('docker/make-secrets.sh', () => {
  test('makes five passwords that others cannot reach, and a .env that says where they are', (t) => {
    const { run, read, mode } = makeCheckout(t, null);

    run();

    const names = ['db_root', 'db_deploy', 'db_health', 'db_backend', 'admin'];
    const made = names.map((name) => read(`secrets/${name}_password`));
    assert.equal(new Set(made).size, 5);
    for (const password of made) assert.match(password, /^[A-Za-z0-9]{32}\n$/);
    assert.equal(mode('secrets'), 0o700);
    assert.equal(read('.env'), `${read('.env.example')}SECRETS_DIR=./secrets\n`);
  });

  test('changes nothing when it is run again', (t) => {
    const { run, read } = makeCheckout(t, null);
    run();
    const before = [read('.env'), read('secrets/admin_password')];

    assert.equal(run(), '');

    assert.deepEqual([read('.env'), read('secrets/admin_password')], before);
  });

  test('leaves a last line alone that has no end', (t) => {
    const { run, read } = makeCheckout(t, 'RELEASE=0.6.0');

    run();

    assert.equal(read('.env'), 'RELEASE=0.6.0\nSECRETS_DIR=./secrets\n');
  });
});
