import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite, until } from '../support/deploy.ts';
import { untilStopped } from '../support/kill.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

const raise = {
  '0.2.0/0002_raise.up.sql': `--! critical: false
UPDATE purchase SET cents = cents + 1;
INSERT INTO purchase (id, customer_id, cents) VALUES (1, 1, 1);
`,
  '0.2.0/0002_raise.down.sql': 'UPDATE purchase SET cents = cents - 1;\n',
};

describe('a migration that is not critical and fails', () => {
  test('is not called taken back when its down file did not get its rows: the run is put back', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(raise);
    const before = await takePicture(db, site.database);
    const other = await site.connect();
    const run = site.start(['up'], {
      DEPLOY_FAIL_AT: 'skip.begun=stop',
      LOCK_WAIT_SECONDS: '1',
    });
    await untilStopped(run);
    await other.run('START TRANSACTION');
    await other.query('SELECT id FROM purchase WHERE id = 1 FOR UPDATE');

    run.child.kill('SIGCONT');
    await until('the run is put back', () => /putting .* back/.test(run.stderr()), 60_000);
    await other.run('COMMIT');
    const ended = await run.ended;

    assert.equal(ended.code, 20, ended.stderr);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});
