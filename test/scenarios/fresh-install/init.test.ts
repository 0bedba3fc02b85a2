import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { migrationsDir } from '../../support/bamort/migrate.ts';
import { makeSite } from '../../support/deploy.ts';
import { takePicture } from '../../support/picture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const masterdata = path.resolve(migrationsDir, '../masterdata');

describe('deploy init', () => {
  test('installs into an empty database, and refuses it the second time', async (t) => {
    const site = await makeSite(t, server, {}, { migrationsDir });
    const args = [
      'init',
      '--masterdata',
      masterdata,
      '--admin-user',
      'Ada',
      '--admin-email',
      'ada@example.org',
    ];
    const env = { MASTERDATA: 'changed', ADMIN_PASSWORD: 'Zauberwort-1' };

    const ended = await site.deploy(args, env);

    assert.equal(ended.code, 0, ended.stderr);
    const db = await site.connect();
    assert.equal(
      (await db.query("SELECT 1 FROM users WHERE username = 'Ada' AND role = 'admin'")).length,
      1,
    );
    const before = await takePicture(db, site.database);
    const again = await site.deploy(args, env);
    assert.equal(again.code, 13, again.stderr);
    assert.match(again.stderr, /NOT_EMPTY/);
    assert.deepEqual(await takePicture(db, site.database), before);
  });

  test('without a password and without a terminal is refused before anything', async (t) => {
    const site = await makeSite(t, server, {}, { migrationsDir });

    const ended = await site.deploy(
      ['init', '--masterdata', masterdata, '--admin-user', 'Ada', '--admin-email', 'a@example.org'],
      { MASTERDATA: 'changed' },
    );

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /ADMIN_PASSWORD not set/);
    assert.deepEqual(await (await site.connect()).query('SHOW TABLES'), []);
  });
});
