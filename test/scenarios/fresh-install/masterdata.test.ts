import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { migrationsDir } from '../../support/bamort/migrate.ts';
import { makeSite } from '../../support/deploy.ts';
import { startSidecar } from '../../support/health.ts';
import type { Json } from '../../support/json.ts';
import { findLeftovers, takePicture } from '../../support/picture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const admin = {
  ADMIN_USER: 'Meisterin',
  ADMIN_EMAIL: 'admin@example.org',
  ADMIN_PASSWORD: 'Zauberwort-1',
};
const withMasterdata = {
  MASTERDATA: 'changed',
  MASTERDATA_DIR: path.resolve(migrationsDir, '../masterdata'),
};

describe('a fresh installation of Bamort', () => {
  test('has master data and an administrator that the backend lets in; a second up does nothing', async (t) => {
    const site = await makeSite(t, server, {}, { migrationsDir });

    const ended = await site.deploy(['up', '--json'], { ...withMasterdata, ...admin });

    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout) as Json;
    assert.equal(report['masterdata'].entities.length, 24);
    const db = await site.connect();
    // As the backend does it: look the name up under the column's collation, compare the hash as text.
    const [user] = await db.query<Json>("SELECT * FROM users WHERE username = 'meisterin'");
    assert.equal(
      user!['password_hash'],
      createHash('md5').update(admin.ADMIN_PASSWORD).digest('hex'),
    );
    assert.equal(user!['role'], 'admin');
    assert.equal(user!['email'], admin.ADMIN_EMAIL);
    assert.ok(
      !ended.stderr.includes(admin.ADMIN_PASSWORD) && !ended.stdout.includes(admin.ADMIN_PASSWORD),
    );
    const again = await site.deploy(['up', '--json'], withMasterdata);
    assert.equal((JSON.parse(again.stdout) as Json)['outcome'], 'nothing_to_do', again.stderr);
    const { text } = await (await startSidecar(t, site)).get('/metrics');
    const entities = report['masterdata'].entities as { entity: string; inserted: number }[];
    for (const { entity, inserted } of entities) {
      const line = `masterdata_records{entity="${entity}"} ${inserted}`;
      assert.ok(text.split('\n').includes(line), `${line}\nis not in\n${text}`);
    }
  });

  test('without an administrator is refused before anything', async (t) => {
    const site = await makeSite(t, server, {}, { migrationsDir });

    const ended = await site.deploy(['up'], withMasterdata);

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /ADMIN_MISSING/);
    const db = await site.connect();
    assert.deepEqual(await db.query('SHOW TABLES'), []);
  });

  test('killed between its steps is finished by the next up', async (t) => {
    const whole = await makeSite(t, server, {}, { migrationsDir });
    assert.equal((await whole.deploy(['up'], { ...withMasterdata, ...admin })).code, 0);
    const rowsOf = async (site: typeof whole) => {
      const picture = await takePicture(await site.connect(), site.database);
      // The administrator has times of its own.
      return Object.fromEntries(Object.entries(picture).filter(([key]) => key !== 'values:users'));
    };
    const expected = await rowsOf(whole);
    for (const point of [
      'run.reconciled',
      'masterdata.before-commit',
      'run.synced',
      'run.changed',
    ]) {
      const site = await makeSite(t, server, {}, { migrationsDir });
      const killed = await site.deploy(['up'], {
        ...withMasterdata,
        ...admin,
        DEPLOY_FAIL_AT: `${point}=kill`,
      });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);

      const ended = await site.deploy(['up'], { ...withMasterdata, ...admin });

      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(await rowsOf(site), expected, point);
      assert.deepEqual(await findLeftovers(await site.connect(), site), []);
    }
  });
});
