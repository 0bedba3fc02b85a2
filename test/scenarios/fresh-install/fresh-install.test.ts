/** An empty database is installed from schema.sql, and is then what the migrations would have made. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { migrationsDir } from '../../support/bamort/migrate.ts';
import { makeSite } from '../../support/deploy.ts';
import type { Json } from '../../support/json.ts';
import { findLeftovers, takePicture } from '../../support/picture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

describe('an empty database', () => {
  test('is installed from schema.sql with the history of all migrations', async (t) => {
    const site = await makeSite(t, server, {}, { migrationsDir });

    const ended = await site.deploy(['up', '--json']);

    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout) as Json;
    assert.equal(report['mode'], 'install');
    const db = await site.connect();
    const history = await db.query<Json>(
      'SELECT * FROM migration_history ORDER BY migration_number',
    );
    assert.equal(history.length, 12);
    assert.ok(history.every((row) => Number(row['success']) === 1));
    assert.equal(
      (JSON.parse((await site.deploy(['status', '--json'])).stdout) as Json)['actual_db_version'],
      '0.5.0',
    );
    assert.equal(
      (JSON.parse((await site.deploy(['up', '--json'])).stdout) as Json)['outcome'],
      'nothing_to_do',
    );
  });

  test('killed in the middle of the installation is finished by the next up', async (t) => {
    const whole = await makeSite(t, server, {}, { migrationsDir });
    const installed = await whole.deploy(['up']);
    assert.equal(installed.code, 0);
    assert.match(installed.stdout, /^ {2}applied {3}install everything at/m);
    const expected = await takePicture(await whole.connect(), whole.database);
    const site = await makeSite(t, server, {}, { migrationsDir });
    const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.executed#30=kill' });
    assert.equal(killed.signal, 'SIGKILL');

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 0, ended.stderr);
    const db = await site.connect();
    assert.deepEqual(await takePicture(db, site.database), expected);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});
