/** What compose says before it starts anything. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { describeConfig } from './engine.ts';
import { firstRelease, root } from './settings.ts';
import { makeStack, type Stack, succeeded } from './stack.ts';

test('without a release, compose stops with a sentence', async (t) => {
  const stack = await makeStack(t, 'no-release', { settings: { RELEASE: '' } });

  const { code, stderr } = await stack.up();

  assert.notEqual(code, 0);
  assert.match(stderr, /set RELEASE to the version to run/);
  assert.equal(await stack.container('db'), null);
});

test('without passwords, compose stops with a sentence', async (t) => {
  const stack = await makeStack(t, 'no-passwords', { settings: { SECRETS_DIR: '' } });

  const { code, stderr } = await stack.up();

  assert.notEqual(code, 0);
  assert.match(stderr, /the passwords are missing, run docker\/make-secrets\.sh/);
  assert.equal(await stack.container('db'), null);
});

test('one release is the tag of all images and the version of the backend', async (t) => {
  const stack = await makeStack(t, 'one-release', { settings: { RELEASE: '7.8.9' } });

  const { stdout } = await stack.compose('config', '--format', 'json');

  const { services } = JSON.parse(stdout);
  assert.equal(services.deploy.image, 'bamort-deploy:7.8.9');
  assert.equal(services.health.image, 'bamort-health:7.8.9');
  assert.equal(services.backend.image, 'bamort-demo-backend:7.8.9');
  for (const name of ['deploy', 'health', 'backend']) {
    assert.equal(services[name].environment.BACKEND_VERSION, '7.8.9', name);
  }
});

type Service = {
  readonly image: string;
  readonly entrypoint: readonly string[] | null;
  readonly healthcheck?: { readonly test: readonly string[]; readonly start_period: string };
  readonly ports?: readonly { readonly published: string; readonly target: number }[];
  readonly volumes?: readonly { readonly source: string; readonly target: string }[];
  readonly [key: string]: unknown;
};

async function readServices(stack: Stack): Promise<Readonly<Record<string, Service>>> {
  return JSON.parse(succeeded(await stack.compose('config', '--format', 'json'))).services;
}

/** What a container may not do, however it was broken into. */
function assertHardened(services: Readonly<Record<string, Service>>): void {
  for (const name of ['deploy', 'health']) {
    const service = services[name]!;
    const told = `${name}: ${JSON.stringify(service)}`;
    assert.equal(service['read_only'], true, told);
    assert.deepEqual(service['cap_drop'], ['ALL'], told);
    assert.deepEqual(service['security_opt'], ['no-new-privileges:true'], told);
    assert.equal(service['init'], true, told);
    assert(Number(service['mem_limit']) > 0 && Number(service['pids_limit']) > 0, told);
    assert((service['logging'] as { options: object }).options, told);
    // The images' own account, which is no root.
    assert.equal(service['user'], undefined, told);
  }
  assert.equal(services['deploy']!['restart'], 'no');
  // The ceiling of STOP_GRACE_SECONDS is 50 s.
  assert.equal(services['deploy']!['stop_grace_period'], '1m0s');
}

test('deploy and sidecar run with no rights that they do not need, and are given time to end', async (t) => {
  const stack = await makeStack(t, 'hardened');

  assertHardened(await readServices(stack));

  for (const image of ['deploy', 'health']) {
    const { Config: config } = JSON.parse(await describeConfig(`bamort-${image}:${firstRelease}`));
    assert.equal(config.User, '65532:65532', image);
  }
});

test("the override for Bamort leaves Bamort's file as it is, but for the gate and init-db", async (t) => {
  const stack = await makeStack(t, 'override', {
    folder: path.join(root, 'test/docker/bamort'),
    files: ['docker-compose.yml', path.join(root, 'docker-compose.bamort.yml')],
    settings: { MARIADB_DATABASE: 'bamort', BAMORT_DEPLOY: root, RELEASE: '0.2.2' },
  });

  const services = await readServices(stack);

  assertHardened(services);
  const { backend, frontend, mariadb } = services;
  assert.deepEqual(
    [backend, frontend, mariadb].map((service) => service!.image),
    ['bamort-backend:0.2.2', 'bamort-frontend:0.2.2', 'mariadb:11.4'],
  );
  assert.deepEqual(backend!.entrypoint, ['sh', '/wait-for-ready.sh']);
  const { test: probe, start_period: startPeriod } = backend!.healthcheck!;
  assert.deepEqual(
    [probe.slice(0, 2), probe.at(-1), startPeriod],
    [['CMD', 'wget'], 'http://127.0.0.1:8180/api/public/version', '6m0s'],
  );
  const published = [backend, frontend].map((service) => service!.ports![0]);
  assert.deepEqual(
    published.map((port) => [port!.published, port!.target]),
    [
      ['8182', 8180],
      ['8181', 80],
    ],
  );
  const mounted = Object.fromEntries(
    mariadb!.volumes!.map(({ source, target }) => [target, source]),
  );
  assert.equal(mounted['/docker-entrypoint-initdb.d'], path.join(root, 'docker/db'));
  assert.equal(mounted['/var/lib/mysql'], path.join(stack.dir, 'bamort-db'));
});

test('BACKEND_IMAGE replaces the demo, and nothing is built under its name', async (t) => {
  const stack = await makeStack(t, 'image', {
    settings: { BACKEND_IMAGE: 'registry.example.org/shop' },
  });

  const { stdout } = await stack.compose('config', '--format', 'json');

  const { services } = JSON.parse(stdout) as {
    services: Record<string, { readonly image: string; readonly build?: unknown }>;
  };
  assert.match(services['backend']!.image, /^registry\.example\.org\/shop:/);
  const built = Object.values(services).filter(({ build }) => build !== undefined);
  assert(built.every(({ image }) => !image.startsWith('registry.example.org/shop')));
});

for (const file of ['docker-compose.yml', 'docker-compose.bamort.yml']) {
  test(`every variable of ${file} is explained`, async () => {
    const compose = await readFile(path.join(root, file), 'utf8');
    // `${NAME…}` anywhere, and `NAME:` without a value, which hands it on.
    const found = compose.matchAll(/\$\{([A-Z_]+)|^ +([A-Z_]+):$/gm);
    const names = new Set([...found].map(([, used, handedOn]) => used ?? handedOn ?? ''));
    const documents = ['.env.example', 'docs/bamort.md'].slice(0, file.includes('bamort') ? 2 : 1);
    const texts = await Promise.all(
      documents.map((name) => readFile(path.join(root, name), 'utf8')),
    );

    const missing = [...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(texts.join()));

    assert(names.has('RELEASE') && names.has('LOG_LEVEL'));
    assert.deepEqual(missing, []);
  });
}
