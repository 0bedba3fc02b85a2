/** What is in the images, and what is not: looked at in containers of their own, without a stack. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { $ } from 'zx';
import { firstRelease, prefix, root } from './settings.ts';

const call = $({ quiet: true, nothrow: true });
const health = `bamort-health:${firstRelease}`;

/** `docker run` of words in an image. */
async function runIn(image: string, words: readonly string[], options: readonly string[] = []) {
  const hardened = ['--rm', '--network=none', '--cap-drop=ALL'];
  const { exitCode, stdout, stderr } =
    await call`docker run ${hardened} ${options} ${image} ${words}`;
  return { code: exitCode, stdout, stderr };
}

async function makeFolder(t: TestContext, name: string): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), `${name}-`));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test('the image of the sidecar gives a shell when one is asked for', async () => {
  const { code, stdout, stderr } = await runIn(health, ['sh', '-c', 'id -u']);

  assert.deepEqual([code, stdout], [0, '65532\n'], stderr);
});

test('the image of the sidecar has nothing that could write to a database', async () => {
  const programs = 'mariadb mysql mariadb-dump mariadbd mariadb-install-db zstd deploy';
  const look = `for p in ${programs}; do command -v $p; done; ls src/backup src/run src/main.ts masterdata`;
  const { stdout, stderr } = await runIn(health, ['sh', '-c', look]);

  assert.equal(stdout, '');
  for (const name of ['src/backup', 'src/run', 'src/main.ts', 'masterdata']) {
    assert.match(stderr, new RegExp(`'${name}': No such file`));
  }
});

test('the image of the sidecar lets its account write nowhere but to the temporary folders', async () => {
  const look = 'find / -xdev -type d -writable 2>/dev/null';
  const { stdout } = await runIn(health, ['sh', '-c', look]);

  const found = stdout.split('\n').filter(Boolean).sort();
  assert.deepEqual(found, ['/run/lock', '/tmp', '/var/tmp']);
});

test('no secret that lies about among the sources gets into an image', async (t) => {
  const dir = await makeFolder(t, 'context');
  const sources = ['Dockerfile', '.dockerignore', 'package.json', 'package-lock.json', 'src'];
  for (const name of [...sources, 'healthcheck', 'migrations', 'masterdata', 'scripts', 'docker']) {
    await cp(path.join(root, name), path.join(dir, name), { recursive: true });
  }
  const secret = randomUUID();
  for (const name of [
    '.env',
    'src/.env.local',
    'migrations/db_root_password',
    'masterdata/secrets/x',
  ]) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    // Compose reads the one beside its file.
    await writeFile(path.join(dir, name), `SECRET=${secret}\n`);
  }
  const images = ['deploy', 'health'].map((name) => `bamort-${name}:context-${prefix}`);
  t.after(() => call`docker image rm ${images}`);
  const services = Object.fromEntries(
    ['deploy', 'health'].map((target, at) => [
      target,
      { image: images[at], build: { context: dir, target } },
    ]),
  );
  await writeFile(path.join(dir, 'build.yml'), JSON.stringify({ services }));

  const built = await call`docker compose --file ${path.join(dir, 'build.yml')} build --quiet`;

  assert.equal(built.exitCode, 0, built.stderr);
  for (const image of images) {
    const { stdout } = await runIn(image, ['sh', '-c', `grep -rl ${secret} /app; echo looked`]);
    assert.equal(stdout, 'looked\n', image);
  }
});

test('docker/db/users.sh makes no account without a password, and says which file is why', async (t) => {
  const dir = await makeFolder(t, 'secrets');
  await writeFile(path.join(dir, 'db_deploy_password'), 'good\n', { mode: 0o644 });
  const tryWith = (database = 'bamort', user = '999') => {
    const mounts = [`${root}/docker/db:/db:ro`, `${dir}:/run/secrets:ro`];
    const volumes = mounts.flatMap((mount) => ['--volume', mount]);
    const options = ['--entrypoint=sh', '--user', user, '--env', `APP_DATABASE=${database}`];
    return runIn('mariadb:11.8', ['/db/users.sh'], [...volumes, ...options]);
  };
  await chmod(dir, 0o755);

  const long = await tryWith('x'.repeat(54));
  const fits = await tryWith('x'.repeat(53));
  await writeFile(path.join(dir, 'db_health_password'), '\n', { mode: 0o644 });
  const empty = await tryWith();
  await writeFile(path.join(dir, 'db_backend_password'), 'secret', { mode: 0o600 });
  await writeFile(path.join(dir, 'db_health_password'), 'good');
  const unreadable = await tryWith();

  assert.equal(long.code, 1);
  assert.match(long.stderr, /^users\.sh: the name x+ is longer than 53 bytes/m);
  // As far as the server, which is not there.
  assert.match(fits.stderr, /Can't connect to local server/);
  assert.equal(empty.code, 1);
  assert.match(
    empty.stderr,
    /^users\.sh: \/run\/secrets\/db_health_password is empty, and health would/m,
  );
  assert.equal(unreadable.code, 1);
  assert.match(unreadable.stderr, /^users\.sh: .*db_backend_password cannot be read by/m);
});
