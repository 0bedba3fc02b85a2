/** What compose says before it starts anything. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
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
