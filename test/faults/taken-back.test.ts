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

  /** Its up file fails on its second statement because of the rows; then `down` runs. */
  const failing = (up: string, down: string) => ({
    '0.2.0/0002_raise.up.sql': `--! critical: false
${up}
INSERT INTO purchase (id, customer_id, cents) VALUES (1, 1, 1);
`,
    '0.2.0/0002_raise.down.sql': `${down}\n`,
  });

  for (const [what, up, down] of [
    [
      'because a down statement fails on the rows',
      'UPDATE purchase SET cents = cents * 100;',
      'INSERT INTO purchase (id, customer_id, cents) VALUES (1, 1, 1);\nUPDATE purchase SET cents = cents / 100;',
    ],
    [
      'because its down file leaves the rows as they are',
      'UPDATE purchase SET cents = cents * 100;',
      'UPDATE purchase SET cents = cents / 100 WHERE id < 0;',
    ],
    [
      'because a cascade took rows of a table that no file names',
      'DELETE FROM shelf WHERE id = 1;',
      'INSERT INTO shelf VALUES (1);',
    ],
    [
      'because tables have exchanged their rows',
      'RENAME TABLE shelf TO away;\nRENAME TABLE rack TO shelf;\nRENAME TABLE away TO rack;',
      'DROP TABLE IF EXISTS away;',
    ],
  ] as const) {
    test(`is put back ${what}`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openShop(site);
      for (const table of ['shelf', 'rack']) {
        await db.run(`CREATE TABLE ${table} (id INT PRIMARY KEY) COLLATE utf8mb4_unicode_ci`);
      }
      await db.run(`CREATE TABLE box (id INT PRIMARY KEY, shelf_id INT NOT NULL,
        FOREIGN KEY (shelf_id) REFERENCES shelf (id) ON DELETE CASCADE)`);
      await db.run(
        'CREATE TABLE thing (box_id INT, FOREIGN KEY (box_id) REFERENCES box (id) ON DELETE CASCADE)',
      );
      await db.run('INSERT INTO shelf VALUES (1)');
      if (!up.startsWith('RENAME')) {
        await db.run('INSERT INTO box VALUES (1, 1)');
        await db.run('INSERT INTO thing VALUES (1)');
      } else await db.run('DROP TABLE thing, box');
      await site.write(failing(up, down));
      const before = await takePicture(db, site.database);

      const ended = await site.deploy(['up']);

      assert.equal(ended.code, 20, ended.stderr);
      assert.match(ended.stderr, /MIGRATION_FAILED/);
      assert.match(ended.stderr, /its down file did not take it back/);
      assert.deepEqual(await takePicture(db, site.database), before);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }

  test('is taken back when its down file also drops what was never made, and brings the rows back', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({
      '0.2.0/0002_raise.up.sql': `--! critical: false
ALTER TABLE purchase ADD old BIGINT;
UPDATE purchase SET old = cents, cents = cents * 100;
INSERT INTO purchase (id, customer_id, cents) VALUES (1, 1, 1);
CREATE TABLE later (id INT PRIMARY KEY);
CREATE VIEW seen AS SELECT id FROM later;
CREATE SEQUENCE numbers;
CREATE PROCEDURE work() SELECT 1;
CREATE TRIGGER on_later BEFORE INSERT ON later FOR EACH ROW SET NEW.id = 1;
CREATE INDEX by_cents ON purchase (cents);
CREATE EVENT at_night ON SCHEDULE EVERY 1 DAY DO SELECT 1;
`,
      '0.2.0/0002_raise.down.sql': `DROP EVENT at_night;
DROP INDEX by_cents ON purchase;
DROP TRIGGER on_later;
DROP PROCEDURE work;
DROP SEQUENCE numbers;
DROP VIEW seen;
DELETE FROM later;
DROP TABLE later;
UPDATE purchase SET cents = old;
ALTER TABLE purchase DROP COLUMN old;
`,
    });
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 0, ended.stderr);
    const now = await takePicture(db, site.database);
    assert.deepEqual({ ...now, history: '' }, { ...before, history: '' });
    const [row] = await db.query(
      'SELECT success FROM migration_history WHERE migration_number = 2',
    );
    assert.equal(Number(row!['success']), 0);
  });
});
