import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { lockName } from '../../src/database/lock-name.ts';
import { makeSite, until } from '../support/deploy.ts';
import { openDepot, parcels } from '../support/depot.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { shop } from '../support/shop.ts';

const notes = {
  '0.3.0/0003_notes.up.sql':
    'CREATE TABLE note (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200) NOT NULL) COLLATE utf8mb4_unicode_ci;\nINSERT INTO note (text) SELECT name FROM customer WHERE id <= 10 ORDER BY id;\n',
  '0.3.0/0003_notes.down.sql': 'DROP TABLE note;\n',
};

const server = await startTestServer({ after });

describe('ten deployers of two versions, let go at once', () => {
  test('leave the higher version, whole; those of the lower one end there or find it ahead', async (t) => {
    const older = await makeSite(t, server);
    const db = await openDepot(older);
    const newer = await makeSite(t, server, { ...shop, ...parcels, ...notes });
    const env = { DB_NAME: older.database, UPDATE_PATH: 'stepwise' };
    // The barrier: nobody gets the lock while this connection has it.
    const barrier = await server.connect();
    await barrier.query(`SELECT GET_LOCK('${lockName(older.database)}', 0)`);
    const runs = Array.from({ length: 10 }, (_, nth) =>
      (nth % 2 === 0 ? older : newer).start(['up'], env),
    );
    await until(
      'all ten wait for the lock',
      () => runs.every((run) => /lock/.test(run.stderr())),
      120_000,
    );

    await barrier.query(`SELECT RELEASE_LOCK('${lockName(older.database)}')`);
    const ended = await Promise.all(runs.map((run) => run.ended));

    const codes = (first: number) => ended.filter((_, nth) => nth % 2 === first);
    const said = ended.map(({ code, stderr }) => `exit ${code}: ${stderr}`).join('\n');
    assert.ok(
      codes(1).every(({ code }) => code === 0),
      said,
    );
    assert.ok(
      codes(0).every(({ code }) => code === 0 || code === 13),
      said,
    );
    const alone = await makeSite(t, server);
    const other = await openDepot(alone);
    await alone.write(notes);
    assert.equal((await alone.deploy(['up'], { UPDATE_PATH: 'stepwise' })).code, 0);
    assert.deepEqual(
      await takePicture(db, older.database),
      await takePicture(other, alone.database),
    );
    assert.deepEqual(await findLeftovers(db, older), []);
  });
});
