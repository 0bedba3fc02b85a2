/** What compose says before it starts anything. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './settings.ts';
import { makeStack } from './stack.ts';

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
