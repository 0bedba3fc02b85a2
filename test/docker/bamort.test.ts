/** docs/bamort.md on a stack of Bamort's shape, whose database is the one of its init-db. */

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './settings.ts';
import { makeStack, succeeded } from './stack.ts';

const rows = `
INSERT INTO users (username, password_hash, email) VALUES ('anna', 'x', 'anna@example.org');
INSERT INTO char_chars (name, user_id, rasse, typ) VALUES ('Torkin', 1, 'Zwerg', 'Krieger');
`;

test("Bamort's own stack with a legacy database", async (t) => {
  const stack = await makeStack(t, 'bamort', {
    folder: path.join(root, 'test/docker/bamort'),
    files: ['docker-compose.yml', path.join(root, 'docker-compose.bamort.yml'), 'for-tests.yml'],
    database: 'mariadb',
    services: { health: { healthcheck: { interval: '1s' } } },
    settings: {
      ...{ MARIADB_DATABASE: 'bamort', MARIADB_USER: 'bamort' },
      ...{ MARIADB_PASSWORD: 'bG4)o@f/', MARIADB_ROOT_PASSWORD: 'r00t)p@ss/' },
      ...{ BAMORT_DEPLOY: root, BACKEND_COMMAND: 'node server.ts' },
    },
  });
  const upstream = ['--file', 'docker-compose.yml', '--file', 'for-tests.yml'];
  await mkdir(path.join(stack.dir, 'init-db'));
  const legacy = await readFile(path.join(root, 'migrations/0.3.0/0000_legacy_schema.up.sql'));
  await writeFile(
    path.join(stack.dir, 'init-db/00-init.sql'),
    `SET NAMES utf8mb4;\n${legacy}${rows}`,
  );
  succeeded(await stack.compose(...upstream, 'up', '--detach', '--wait', 'mariadb'));

  await t.test('gets accounts for deploy and sidecar by one command, more than once', async () => {
    succeeded(await stack.compose('up', '--detach', '--wait', 'mariadb'));

    for (const _ of ['once', 'again']) {
      const script = '/docker-entrypoint-initdb.d/users.sh';
      succeeded(await stack.compose('exec', '-T', 'mariadb', 'sh', script));
    }

    const fenced = await stack.sql('SELECT user FROM deploy_fence.accounts');
    assert.equal(fenced, 'user\nbamort\n');
    const accounts = await stack.sql("SELECT user FROM mysql.user WHERE host = '%' ORDER BY user");
    assert.equal(accounts, 'User\nbamort\ndeploy\nhealth\nroot\n');
  });

  await t.test('is found in order by doctor, and plan shows the way of two versions', async () => {
    succeeded(await stack.deploy('doctor'));
    const plan = await stack.deploy('plan');

    assert.equal(plan.code, 30, plan.stderr);
    assert.match(plan.stdout, /0\.3\.0.*0\.4\.0.*0\.5\.0/s);
  });

  await t.test('is adopted by its first up, with all rows, and the backend starts', async () => {
    succeeded(await stack.up());

    const { status, body } = await stack.get('health', '/api/system/health');
    assert.deepEqual([status, body.status, body.actual_db_version], [200, 'ok', '0.5.0']);
    assert.equal((await stack.get('backend', '/')).body.database.compatible, true);
    assert.equal(await stack.sql('SELECT name FROM char_chars'), 'name\nTorkin\n');
    const walked = await stack.sql('SELECT to_version, outcome FROM deploy_run ORDER BY id');
    assert.equal(walked, 'to_version\toutcome\n0.4.0\tdone\n0.5.0\tdone\n');
  });

  await t.test('does nothing with the next up', async () => {
    const before = await stack.container('backend');

    succeeded(await stack.up());

    assert.equal((await stack.container('backend'))?.startedAt, before?.startedAt);
  });

  await t.test('is not called started when the backend ends again and again', async () => {
    await stack.set({ BACKEND_COMMAND: 'node none.ts' });

    const { code, stderr } = await stack.up();

    assert.equal(code, 1, stderr);
    assert.match(stderr, /backend-1 is unhealthy|backend-1 exited/);
    await stack.set({ BACKEND_COMMAND: 'node server.ts' });
    succeeded(await stack.up());
  });

  await t.test('gets an empty database on a new server, not the one of init-db', async () => {
    const seen = await stack.compose('exec', '-T', 'mariadb', 'ls', '/docker-entrypoint-initdb.d');

    assert.equal(seen.stdout, 'fence.sql\nusers.sh\n');
  });
});
