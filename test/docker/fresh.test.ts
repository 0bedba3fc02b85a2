/** One stack on each server, from nothing to a rollback, by the commands of the README. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readLabels } from './engine.ts';
import { firstRelease, prefix } from './settings.ts';
import { makeStack, succeeded } from './stack.ts';

const writable = ['/backups', '/packages', '/reports', '/run/lock', '/scratch', '/tmp', '/var/tmp'];

for (const image of ['mariadb:11.8', 'mariadb:10.11']) {
  test(`a fresh stack on ${image}`, { concurrency: true }, (t) => tryFresh(t, image));
}

async function tryFresh(t: TestContext, image: string): Promise<void> {
  const services = { db: { image } };
  const stack = await makeStack(t, `fresh-${image.replace(/\W/g, '-')}`, { services });

  await t.test(
    'comes up: deploy exits 0, the sidecar is healthy, the backend answers',
    async () => {
      succeeded(await stack.up());

      const deploy = await stack.container('deploy');
      assert.deepEqual([deploy?.status, deploy?.exitCode], ['exited', 0]);
      assert.equal((await stack.container('health'))?.health, 'healthy');
      const { status, body } = await stack.get('health', '/api/system/health');
      assert.equal(status, 200);
      assert.equal(body.status, 'ok');
      assert.equal(body.compatible, true);
      assert.equal(body.actual_db_version, '0.5.0');
      const seen = (await stack.get('backend', '/')).body;
      assert.equal(seen.database.actual_db_version, '0.5.0');
      assert.equal(seen.release, body.backend_version);
    },
  );

  await t.test('may keep the backend out during a change, and no other account', async () => {
    const doctor = succeeded(await stack.deploy('doctor'));
    const named = await stack.sql('SELECT user FROM deploy_fence.accounts');

    assert.doesNotMatch(doctor, /fence/i);
    assert.equal(named, 'user\nbackend\n');
  });

  await t.test('makes tables in the collation of Bamort where they name none', async () => {
    // MariaDB: before 11.3 nothing can be said about a table that names the character set alone.
    const named = image === 'mariadb:10.11' ? '' : ' CHARSET=utf8mb4';
    await stack.sql(`CREATE TABLE t (a VARCHAR(9))${named}; CREATE TABLE u (a VARCHAR(9))`);
    const found = await stack.sql(
      "SELECT DISTINCT table_collation FROM information_schema.tables WHERE table_name IN ('t', 'u')",
    );
    await stack.sql('DROP TABLE t, u');

    assert.equal(found, 'table_collation\nutf8mb4_unicode_ci\n');
  });

  await t.test('stays as it is with a second up: nothing to do, nobody restarted', async () => {
    const before = await Promise.all(['db', 'health', 'backend'].map(stack.container));
    const reports = await countReports();

    succeeded(await stack.up());

    const after = await Promise.all(['db', 'health', 'backend'].map(stack.container));
    assert.deepEqual(
      after.map((found) => found?.startedAt),
      before.map((found) => found?.startedAt),
    );
    assert.equal((await stack.container('deploy'))?.exitCode, 0);
    assert.equal(await countReports(), reports);
  });

  await t.test('answers `run --rm deploy status` with exit code 0', async () => {
    const status = JSON.parse(succeeded(await stack.deploy('status', '--json')));

    assert.equal(status.actual_db_version, '0.5.0');
  });

  await t.test(
    'says which build it is: in the sidecar, and in the labels of both images',
    async () => {
      const { body } = await stack.get('health', '/api/system/version');
      assert.equal(body.deploy.release, firstRelease);
      assert.equal(body.deploy.commit_hash, prefix);
      assert.equal(body.deploy.build_date, '2026-01-16T10:30:00Z');
      for (const name of ['deploy', 'health']) {
        const labels = await readLabels(`bamort-${name}:${firstRelease}`);
        assert.equal(labels['org.opencontainers.image.version'], firstRelease);
        assert.equal(labels['org.opencontainers.image.revision'], prefix);
        assert.equal(labels['org.opencontainers.image.created'], '2026-01-16T10:30:00Z');
      }
    },
  );

  await t.test('gives a shell instead of deploy when one is asked for', async () => {
    assert.equal(succeeded(await stack.deploy('sh', '-c', 'id -u')), '65532\n');
  });

  await t.test('gives each account the rights that it needs, and no more', async () => {
    for (const [account, statement, refusal] of [
      ['health', 'SELECT 1 FROM migration_history LIMIT 1', null],
      ['health', 'SELECT username FROM users', 1142],
      ['health', 'UPDATE schema_version SET version = version', 1142],
      ['health', 'DELETE FROM deploy_lock', 1142],
      ['health', 'CREATE TABLE deploy_lock_2 (a INT)', 1142],
      ['backend', "UPDATE users SET email = email WHERE username = 'nobody'", null],
      ['backend', 'ALTER TABLE users ADD COLUMN a INT', 1142],
      ['backend', 'DROP TABLE users', 1142],
      ['backend', 'CREATE DATABASE bamort_deploy_x', 1044],
      ['deploy', 'CREATE DATABASE bamort_deploy_x; DROP DATABASE bamort_deploy_x', null],
      ['deploy', 'SELECT COUNT(*) FROM mysql.user', 1142],
      ['deploy', "INSERT INTO deploy_fence.accounts VALUES ('root')", 1142],
      ['deploy', 'CREATE DATABASE other', 1044],
      ['deploy', 'CREATE DATABASE bamortXdeployXy', 1044],
    ] as const) {
      const { code, stderr } = await stack.sqlAs(account, statement);

      const told = `${account}: ${statement}: ${stderr}`;
      if (refusal === null) assert.equal(code, 0, told);
      else assert.match(stderr, new RegExp(`^ERROR ${refusal} `, 'm'), told);
    }
    const seen = await stack.sqlAs('deploy', 'SHOW DATABASES');
    assert.deepEqual(seen.stdout.split('\n').filter(Boolean), [
      ...['Database', 'bamort', 'deploy_fence', 'information_schema'],
    ]);
  });

  await t.test(
    'lets its account write nowhere in the image, even if it could be written to',
    async () => {
      await stack.override({ deploy: { read_only: false } });
      const found = await stack.deploy('sh', '-c', 'find / -xdev -type d -writable 2>/dev/null');
      await stack.override({});

      assert.deepEqual(found.stdout.split('\n').filter(Boolean).sort(), writable);
    },
  );

  await t.test('goes back a step, and says in status and sidecar that it is behind', async () => {
    succeeded(await stack.deploy('rollback', '--steps', '1', '--yes', '--accept-data-loss'));

    assert.equal((await stack.deploy('status')).code, 30);
    const { status, body } = await stack.get('health', '/api/system/health');
    assert.deepEqual([status, body.status, body.compatible], [200, 'warning', false]);
    assert.equal((await stack.get('health', '/readyz')).status, 503);
  });

  await t.test('shows no secret in logs and to `docker inspect`', async () => {
    const { stdout, stderr } = await stack.compose('logs', '--no-color');
    const inspected = await stack.inspect();

    assert(stdout.includes('deploy') && inspected.includes('DB_PASSWORD_FILE'));
    for (const secret of stack.secrets) {
      assert(!`${stdout}${stderr}${inspected}`.includes(secret));
    }
  });

  async function countReports(): Promise<number> {
    return succeeded(await stack.deploy('sh', '-c', 'ls /reports')).split('\n').length;
  }
}
