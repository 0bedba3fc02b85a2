import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import sql from 'sql-template-tag';
import { makeSite, type Site } from '../../support/deploy.ts';
import { type Sidecar, startSidecar } from '../../support/health.ts';
import { startTestServer } from '../../support/server.ts';
import { cities, citiesThatFail, openShop } from '../../support/shop.ts';

const server = await startTestServer({ after });

async function deploy(site: Site, args: readonly string[], exitCode = 0) {
  const ended = await site.deploy(args);
  assert.equal(ended.code, exitCode, ended.stderr);
}

/** The value of one line of `/metrics`; null when there is no such line. */
async function metric(sidecar: Sidecar, name: string): Promise<number | null> {
  const { text } = await sidecar.get('/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? null : Number(line.slice(name.length + 1));
}

const isNow = (seconds: number | null) => Math.abs(Date.now() / 1000 - (seconds ?? 0)) < 60;

describe('what the sidecar shows of runs', () => {
  test('says how long the last run and its steps took, and what it left', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write(cities);
    await deploy(site, ['up']);
    const sidecar = await startSidecar(t, site);

    const { health } = await sidecar.ask();

    const { last_run, last_success_at, last_backup, database_size_bytes } = health.body;
    assert.equal(last_success_at, last_run.finished_at);
    assert.equal(await metric(sidecar, 'deploy_last_duration_seconds'), last_run.duration_seconds);
    assert.ok(isNow(await metric(sidecar, 'deploy_last_success_timestamp_seconds')));
    for (const step of ['fence', 'backup', 'migrate', 'validate', 'record']) {
      const seconds = await metric(sidecar, `deploy_step_duration_seconds{step="${step}"}`);
      assert.ok(seconds !== null && seconds >= 0 && seconds < 60, `${step}: ${seconds}`);
    }
    assert.ok(isNow(Date.parse(last_backup.proven_at) / 1000));
    assert.ok(isNow(await metric(sidecar, 'backup_last_proven_timestamp_seconds')));
    assert.ok(last_backup.size_bytes > 1000);
    assert.equal(await metric(sidecar, 'backup_last_size_bytes'), last_backup.size_bytes);
    assert.ok(database_size_bytes > 16_384);
    assert.equal(await metric(sidecar, 'database_size_bytes'), database_size_bytes);
  });

  test('keeps the last success apart from a run that failed after it', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    const sidecar = await startSidecar(t, site);
    const before = (await sidecar.ask()).health.body;
    await site.write(citiesThatFail);
    await deploy(site, ['up'], 20);

    const { health } = await sidecar.ask();

    assert.equal(health.body['last_success_at'], before['last_success_at']);
    assert.notEqual(health.body['last_run'].finished_at, before['last_run'].finished_at);
    assert.notEqual(health.body['last_backup'].proven_at, before['last_backup'].proven_at);
    assert.equal(await metric(sidecar, 'deploy_last_outcome{outcome="put_back"}'), 1);
    assert.equal(await metric(sidecar, 'deploy_last_outcome{outcome="done"}'), 0);
    const putBack = await metric(sidecar, 'deploy_step_duration_seconds{step="put_back"}');
    assert.ok(putBack !== null && putBack > 0);
  });

  for (const [exitCode, env] of [
    [21, { ON_FAILURE: 'stop' }],
    [22, { DEPLOY_FAIL_AT: 'put-back.begun=throw' }],
  ] as const) {
    test(`calls a run interrupted that ended with exit ${exitCode}, not as the one before it`, async (t) => {
      const site = await makeSite(t, server);
      await openShop(site);
      await site.write(citiesThatFail);
      const sidecar = await startSidecar(t, site);
      assert.equal(await metric(sidecar, 'deploy_last_outcome{outcome="done"}'), 1);
      const ended = await site.deploy(['up'], env);
      assert.equal(ended.code, exitCode, ended.stderr);

      const { health } = await sidecar.ask();

      assert.equal(health.body.state, 'cut_off');
      assert.equal(await metric(sidecar, 'deploy_last_outcome{outcome="interrupted"}'), 1);
      assert.equal(await metric(sidecar, 'deploy_last_outcome{outcome="done"}'), 0);
    });
  }

  test('knows a backup that was taken by itself, which is no deploy', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const sidecar = await startSidecar(t, site);
    const before = (await sidecar.ask()).health.body;
    // Another row: the set of the installation is not proven for it, and not used again.
    await db.run(`INSERT INTO customer (name) VALUES ('one more')`);
    await deploy(site, ['backup', 'create']);

    const { health } = await sidecar.ask();

    assert.ok(health.body['last_backup'].proven_at > before['last_backup'].proven_at);
    assert.deepEqual(health.body['last_run'], before['last_run']);
    assert.equal(health.body.state, 'as_required');
    await site.write(cities);
    await deploy(site, ['up']);
    const { last_run } = (await sidecar.get('/api/system/health')).body;
    assert.equal(last_run.mode, 'update');
  });

  test('never decides the state: a report that is damaged costs the records, nothing else', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    for (const report of [
      '{"steps": {"kind": "backup"}, "backup": {"proven_at": 7, "size_bytes": "big"}}',
      '{"database": {"size_before_bytes": "x"}, "backup": {"proven_at": "now", "size_bytes": "big"}}',
      '{"steps": [',
    ]) {
      await db.run(sql`UPDATE deploy_run SET report = ${report}`);
      const sidecar = await startSidecar(t, site);

      const { health, ready } = await sidecar.ask();

      assert.deepEqual([health.body.state, ready.code], ['as_required', 200]);
      assert.equal(health.body['last_run'].outcome, 'done');
      assert.equal(health.body['last_backup'], null);
      assert.equal(await metric(sidecar, 'deploy_last_outcome{outcome="done"}'), 1);
    }
  });

  test('never decides the state: that they cannot be read at all is no trouble', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run('ALTER TABLE deploy_run DROP COLUMN masterdata_digest');
    const sidecar = await startSidecar(t, site);

    const { health, ready } = await sidecar.ask();

    assert.deepEqual([health.body.state, ready.code], ['as_required', 200]);
    assert.equal(health.body['last_run'].outcome, 'done');
    assert.equal(health.body['last_backup'], null);
  });

  test('says nothing of what no run wrote down', async (t) => {
    const sidecar = await startSidecar(t, await makeSite(t, server));

    for (const name of [
      ...['deploy_last_duration_seconds', 'deploy_last_success_timestamp_seconds'],
      ...['backup_last_proven_timestamp_seconds', 'backup_last_size_bytes', 'database_size_bytes'],
    ]) {
      assert.equal(await metric(sidecar, name), null, name);
    }
  });
});
