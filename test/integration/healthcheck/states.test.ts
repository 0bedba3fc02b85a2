import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite, type Site, until } from '../../support/deploy.ts';
import { type HealthBody, type Sidecar, startSidecar } from '../../support/health.ts';
import { resume, untilPaused } from '../../support/kill.ts';
import { type Cleanup, startTestServer } from '../../support/server.ts';
import { cities, citiesThatFail, openShop, shop } from '../../support/shop.ts';

const server = await startTestServer({ after });

/** What one row of DESIGN §7's table says. */
type Row = {
  readonly state: string;
  readonly http: 200 | 500;
  readonly status: 'ok' | 'warning' | 'error';
  readonly compatible: boolean;
  readonly ready: 200 | 503;
};

const good = { http: 200, compatible: true, ready: 200 } as const;
const waiting = { http: 200, status: 'warning', compatible: false, ready: 503 } as const;
const bad = { http: 500, status: 'error', compatible: false, ready: 503 } as const;

/** Asks all endpoints and holds them against the row. Gives the body of the health endpoint. */
async function assertRow(sidecar: Sidecar, row: Row) {
  const { health, version, ready } = await sidecar.ask();
  const { state, status, compatible } = health.body;
  assert.deepEqual({ state, http: health.code, status, compatible, ready: ready.code }, row);
  const { sample_age_seconds, ...said } = ready.body;
  assert.ok(sample_age_seconds < 60);
  assert.deepEqual(said, { ready: row.ready === 200, status, state, stale: false });
  assert.equal(version.code, 200);
  assert.deepEqual(version.body.compatibility, {
    compatible,
    reason: health.body['compatibility_reason'],
  });
  assert.equal((await sidecar.get('/livez')).code, 200);
  await assertMetrics(sidecar, health.body);
  const texts = health.text + version.text + ready.text;
  assert.doesNotMatch(texts, /SELECT|mysqld|sock|root|localhost|test_\d|customer\b(?!s)/i);
  return health.body;
}

/** `/metrics` says the same as the body of the health endpoint. */
async function assertMetrics(sidecar: Sidecar, body: HealthBody): Promise<void> {
  const { text } = await sidecar.get('/metrics');
  const value = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  const isKnown = body['actual_db_version'] !== null || body.state === 'empty';
  assert.deepEqual(
    {
      compatible: value('bamort_compatibility_status'),
      pending: Number(value('bamort_migrations_pending')),
      running: value('deploy_running'),
      failed: value('deploy_failed_migrations'),
      interrupted: value('deploy_last_outcome\\{outcome="interrupted"\\}') ?? '0',
    },
    {
      compatible: body.compatible ? '1' : '0',
      pending: isKnown ? body['pending_count'] : Number.NaN,
      running: body.state === 'deploying' ? '1' : '0',
      failed: String(body['failed_migrations'].length),
      interrupted: body.state === 'cut_off' ? '1' : '0',
    },
  );
}

async function deploy(site: Site, exitCode = 0): Promise<void> {
  const { code, stderr } = await site.deploy(['up']);
  assert.equal(code, exitCode, stderr);
}

/** What twenty seconds do to the lock of a deploy that was killed. */
async function expireLease(site: Site): Promise<void> {
  await (await site.connect()).run('UPDATE deploy_lock SET expires_at = UTC_TIMESTAMP(3)');
}

async function openSite(t: Cleanup): Promise<{ site: Site; sidecar: Sidecar }> {
  const site = await makeSite(t, server);
  await openShop(site);
  return { site, sidecar: await startSidecar(t, site) };
}

describe('the sidecar, when the database', () => {
  test('is as required, says ok', async (t) => {
    const { sidecar } = await openSite(t);

    const body = await assertRow(sidecar, { state: 'as_required', status: 'ok', ...good });

    assert.equal(body['backend_version'], '0.9.1');
    assert.equal(body['required_db_version'], '0.1.0');
    assert.equal(body['actual_db_version'], '0.1.0');
    assert.equal(body['db_version'], '0.1.0');
    assert.equal(body['migrations_pending'], false);
    assert.equal(body['migration_needed'], false);
    assert.deepEqual(body['pending_migrations'], []);
    assert.equal(body['compatibility_reason'], 'Database version matches required version');
    assert.equal(body['last_migration'].description, 'customers and orders');
    assert.equal(body['stale'], false);
    const { version } = await sidecar.ask();
    assert.deepEqual(version.body.backend, {
      ...{ version: '0.9.1', commit_hash: 'abc1234', build_date: null },
    });
    assert.equal(version.body.deploy.node_version, process.version);
    assert.equal(version.body.database.version, '0.1.0');
    assert.equal(version.body.database.migration_number, 1);
    assert.equal(version.body.database.total_migrations_available, 1);
    assert.match(version.body.database.last_migration.applied_by, /^deploy \d/);
  });

  test('is as required but for a failed migration that is not critical, warns', async (t) => {
    const { site, sidecar } = await openSite(t);
    await site.write({
      '0.2.0/0002_unique.up.sql':
        '--! critical: false\nALTER TABLE customer ADD UNIQUE INDEX one_per_city (city);\n',
      '0.2.0/0002_unique.down.sql': 'ALTER TABLE customer DROP INDEX IF EXISTS one_per_city;\n',
    });
    await deploy(site);
    const later = await startSidecar(t, site);
    await sidecar.stop();

    const body = await assertRow(later, { state: 'as_required', ...good, status: 'warning' });

    assert.deepEqual(body['failed_migrations'], [{ number: 2, description: 'unique' }]);
    assert.deepEqual(body['pending_migrations'], []);
    assert.equal(body['actual_db_version'], '0.2.0');
  });

  test('is behind, warns with what is pending', async (t) => {
    const { site } = await openSite(t);
    await site.write(cities);
    const sidecar = await startSidecar(t, site);

    const body = await assertRow(sidecar, { state: 'behind', ...waiting });

    assert.equal(body['migration_needed'], true);
    assert.equal(body['migrations_pending'], true);
    assert.equal(body['pending_count'], 1);
    assert.deepEqual(body['pending_migrations'], [
      { number: 2, description: 'cities get a table of their own' },
    ]);
    assert.equal(body['compatibility_reason'], 'Database migration required: 0.1.0 → 0.2.0');
  });

  test('is empty, warns that all is pending', async (t) => {
    const sidecar = await startSidecar(t, await makeSite(t, server, shop));

    const body = await assertRow(sidecar, { state: 'empty', ...waiting });

    assert.equal(body['actual_db_version'], null);
    assert.equal(body['pending_count'], 1);
    assert.equal(body['last_migration'], null);
  });

  test('is being deployed, says so with the step, and is ready when it is done', async (t) => {
    const { site } = await openSite(t);
    await site.write(cities);
    const sidecar = await startSidecar(t, site);
    const run = site.start(['up'], { DEPLOY_FAIL_AT: 'run.changed=pause' });
    await untilPaused(run);
    await until('it deploys', async () => {
      return (await sidecar.get('/api/system/health')).body.run?.step === 'validate';
    });

    const body = await assertRow(sidecar, { state: 'deploying', ...waiting });

    assert.equal(body['deploying'], true);
    assert.equal(body['compatibility_reason'], 'Database is being updated');
    const { started_at, ...rest } = body['run'];
    assert.deepEqual(rest, {
      ...{ mode: 'update', step: 'validate', from: '0.1.0', to: '0.2.0' },
      progress: { done: 7, total: 7 },
    });
    assert.ok(Math.abs(Date.now() - Date.parse(started_at)) < 60_000);
    resume(run);
    assert.equal((await run.ended).code, 0);
    const done = await assertRow(sidecar, { state: 'as_required', status: 'ok', ...good });
    assert.equal(done['run'], null);
    assert.equal(done['last_run'].outcome, 'done');
  });

  test('was left half-way by a deploy that was killed, says error until the next up', async (t) => {
    const { site } = await openSite(t);
    await site.write(cities);
    const sidecar = await startSidecar(t, site);
    const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.executed#3=kill' });
    assert.equal(killed.signal, 'SIGKILL');
    await expireLease(site);
    await until('the server noticed', async () => {
      return (await sidecar.get('/api/system/health')).body.state === 'cut_off';
    });

    const body = await assertRow(sidecar, { state: 'cut_off', ...bad });

    assert.match(body['compatibility_reason'], /half-way/);
    await deploy(site);
    await assertRow(sidecar, { state: 'as_required', status: 'ok', ...good });
  });

  test('had a deploy that was killed before it changed anything, says that', async (t) => {
    const { site, sidecar } = await openSite(t);
    await site.write(cities);
    await site.deploy(['up'], { DEPLOY_FAIL_AT: 'run.opened=kill' });
    await expireLease(site);
    await until('the server noticed', async () => {
      return (await sidecar.get('/api/system/health')).body.state === 'cut_off';
    });

    const body = await assertRow(sidecar, { state: 'cut_off', ...bad });

    assert.match(body['compatibility_reason'], /before it changed anything/);
  });

  test('was put back after a failed deploy, warns as before and names the error code', async (t) => {
    const { site } = await openSite(t);
    await site.write(citiesThatFail);
    const sidecar = await startSidecar(t, site);
    await deploy(site, 20);

    const body = await assertRow(sidecar, { state: 'behind', ...waiting });

    const { started_at, finished_at, duration_seconds, ...rest } = body['last_run'];
    assert.deepEqual(rest, {
      ...{ mode: 'update', outcome: 'put_back', exit_code: 20, error_code: 'MIGRATION_FAILED' },
    });
    assert.equal((Date.parse(finished_at) - Date.parse(started_at)) / 1000, duration_seconds);
    assert.ok(Math.abs(Date.now() - Date.parse(finished_at)) < 60_000);
  });

  test('is ahead of this release, says error', async (t) => {
    const { site } = await openSite(t);
    await site.write(cities);
    await deploy(site);
    const old = await makeSite(t, server, shop);
    const older = await startSidecar(t, site, { MIGRATIONS_DIR: old.migrationsDir });
    const pinned = await startSidecar(t, site, { REQUIRED_DB_VERSION: '0.1.0' });

    for (const sidecar of [older, pinned]) {
      const body = await assertRow(sidecar, { state: 'ahead', ...bad });

      assert.match(body['compatibility_reason'], /^Backend too old for database version/);
      assert.equal(body['actual_db_version'], '0.2.0');
      assert.equal(body['migration_needed'], false);
    }
  });

  test('is ahead by a part of a newer version, says error as `up` refuses it', async (t) => {
    const { site } = await openSite(t);
    await site.write(cities);
    await deploy(site);
    await site.write({ '0.2.0/0003_note.up.sql': 'ALTER TABLE customer ADD note TEXT;\n' });
    const sidecar = await startSidecar(t, site, { REQUIRED_DB_VERSION: '0.1.0' });

    const body = await assertRow(sidecar, { state: 'ahead', ...bad });

    assert.equal(body['actual_db_version'], '0.1.0');
    assert.equal((await site.deploy(['up'], { REQUIRED_DB_VERSION: '0.1.0' })).code, 13);
  });

  test('has a history that does not fit the files, says error as `up` refuses it', async (t) => {
    const { site } = await openSite(t);
    const file = '0.1.0/0001_customers.up.sql';
    await site.write({ [file]: `${shop[file]}-- changed after it was applied\n` });
    const sidecar = await startSidecar(t, site);

    const body = await assertRow(sidecar, { state: 'unknown', ...bad });

    assert.match(body['compatibility_reason'], /does not fit/);
    await deploy(site, 13);
  });

  test('has tables and no history, says error and guesses nothing', async (t) => {
    const site = await makeSite(t, server, shop);
    await (await site.connect()).run('CREATE TABLE other (id INT PRIMARY KEY)');
    const sidecar = await startSidecar(t, site);

    const body = await assertRow(sidecar, { state: 'unknown', ...bad });

    assert.equal(body['pending_count'], 0);
    assert.equal(body['actual_db_version'], null);
  });

  test('has version tables of an unknown form, says error', async (t) => {
    const { site, sidecar } = await openSite(t);
    await (await site.connect()).run('ALTER TABLE migration_history DROP COLUMN success');

    await assertRow(sidecar, { state: 'unreadable', ...bad });
  });

  test('does not exist, says error', async (t) => {
    const site = await makeSite(t, server, shop);
    const sidecar = await startSidecar(t, site, { DB_NAME: 'nobody_made_this' });

    await assertRow(sidecar, { state: 'database_missing', ...bad });
  });

  test('refuses the password, says error', async (t) => {
    const site = await makeSite(t, server, shop);
    const db = await site.connect();
    await db.run(`CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'right one'`);
    const env = { DB_USER: 'reader', DB_PASSWORD: 'wrong one' };
    const sidecar = await startSidecar(t, site, env);

    await assertRow(sidecar, { state: 'access_denied', ...bad });
  });

  test('cannot be reached, says error', async (t) => {
    const site = await makeSite(t, server, shop);
    const sidecar = await startSidecar(t, site, { DB_HOST: '127.0.0.1', DB_PORT: '1' });

    const body = await assertRow(sidecar, { state: 'unreachable', ...bad });

    assert.equal(body['required_db_version'], '0.1.0');
  });
});

describe('the sidecar, when the migrations of its release', () => {
  test('cannot be read, says error, and recovers once they can', async (t) => {
    const { site, sidecar: first } = await openSite(t);
    await first.stop();
    await site.write({ '0.2.0/nonsense.sql': 'SELECT 1;\n' });
    const sidecar = await startSidecar(t, site);

    await assertRow(sidecar, { state: 'contents_invalid', ...bad });

    await site.write({ '0.2.0/nonsense.sql': null, ...cities });
    await assertRow(sidecar, { state: 'behind', ...waiting });
  });
});
