/** Going back from migrations that found something already there (`IF NOT EXISTS`). */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { FRESH_SQL_MODE } from '../../src/database/session.ts';
import { type Ended, makeSite, type Site } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

type Cleanup = { after(fn: () => Promise<void>): void };

/** A shop in which somebody did `before` by hand; then 0.2.0 is deployed with these files. */
async function openWith(t: Cleanup, before: readonly string[], up: string, down: string) {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  for (const statement of before) await db.run(statement);
  const old = await takePicture(db, site.database);
  await site.write({ '0.2.0/0002_more.up.sql': up, '0.2.0/0002_more.down.sql': down });
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  return { site, db, old };
}

const goBack = (site: Site, ...more: readonly string[]) =>
  site.deploy(['rollback', '--steps', '1', '--yes', ...more]);

async function assertAsBefore(
  ended: Ended,
  at: { readonly site: Site; readonly db: Db; readonly old: unknown },
): Promise<void> {
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(
    withoutHistory(await takePicture(at.db, at.site.database)),
    withoutHistory(at.old),
  );
  assert.deepEqual(await findLeftovers(at.db, at.site), []);
}

/** A revert appends to `schema_version`, so that the history is not as before. */
const withoutHistory = (picture: unknown) =>
  Object.fromEntries(
    Object.entries(picture as object).filter(([key]) => !/history|schema_version/.test(key)),
  );

const PHONE = [
  'ALTER TABLE customer ADD phone VARCHAR(30) NULL',
  "UPDATE customer SET phone = CONCAT('+49 ', id)",
];

/** Five statements down, of which one would drop the customers' phone numbers. */
const contact = {
  up: `ALTER TABLE customer ADD COLUMN IF NOT EXISTS phone VARCHAR(30) NULL;
ALTER TABLE customer ADD COLUMN IF NOT EXISTS fax VARCHAR(30) NULL;
CREATE TABLE IF NOT EXISTS letter (id INT PRIMARY KEY);
CREATE INDEX IF NOT EXISTS by_phone ON customer (phone);
`,
  down: `DROP INDEX by_phone ON customer;
ALTER TABLE customer DROP COLUMN IF EXISTS phone;
DROP TABLE letter;
ALTER TABLE customer DROP COLUMN fax;
`,
};

describe('deploy rollback of a migration that found something already there', () => {
  test('keeps a column that existed before, with its values, and takes back what the migration made', async (t) => {
    const at = await openWith(t, PHONE, contact.up, contact.down);

    const plan = await at.site.deploy(['rollback', '--steps', '1', '--dry-run']);

    assert.equal(plan.code, 30, plan.stderr);
    assert.match(plan.stdout, /kept: column customer\.phone existed before 0002/);
    assert.doesNotMatch(plan.stdout, /DROP COLUMN IF EXISTS phone/);
    assert.match(plan.stdout, /DROP COLUMN fax/);
    // Nothing is lost, so nothing has to be accepted.
    await assertAsBefore(await goBack(at.site), at);
    const forward = await at.site.deploy(['up', '--forward']);
    assert.equal(forward.code, 0, forward.stderr);
    await assertAsBefore(await goBack(at.site), at);
  });

  test('says so to programs, and drops the column where it did not exist before', async (t) => {
    const kept = await openWith(t, PHONE, contact.up, contact.down);
    const made = await openWith(t, [], contact.up, contact.down);
    const verdicts = async ({ site }: { readonly site: Site }) => {
      const plan = await site.deploy(['rollback', '--steps', '1', '--dry-run', '--json']);
      return (JSON.parse(plan.stdout) as Json)['verdicts'] as Json[];
    };

    assert.deepEqual((await verdicts(kept))[0]!['kept'], ['column customer.phone']);
    assert.deepEqual((await verdicts(made))[0]!['kept'], []);
    await assertAsBefore(await goBack(made.site), made);
  });

  for (const [what, before, kept] of [
    [
      'a table with rows',
      ['CREATE TABLE letter (id INT PRIMARY KEY)', 'INSERT INTO letter VALUES (7)'],
      'table letter',
    ],
    [
      'an index',
      [...PHONE, 'CREATE INDEX by_phone ON customer (phone)'],
      'index customer.by_phone',
    ],
  ] as const) {
    test(`keeps ${what}`, async (t) => {
      const at = await openWith(t, before, contact.up, contact.down);

      const ended = await goBack(at.site);

      const line = `kept: ${kept} existed before 0002`;
      assert.ok(`${ended.stdout}${ended.stderr}`.includes(line), ended.stdout);
      await assertAsBefore(ended, at);
    });
  }

  test('of two columns in one ALTER keeps the one that existed, when each is dropped by itself', async (t) => {
    const up =
      'ALTER TABLE customer ADD COLUMN IF NOT EXISTS phone VARCHAR(30) NULL, ADD COLUMN IF NOT EXISTS fax INT NULL;\n';
    const down = 'ALTER TABLE customer DROP COLUMN phone;\nALTER TABLE customer DROP COLUMN fax;\n';
    const at = await openWith(t, PHONE, up, down);

    await assertAsBefore(await goBack(at.site), at);
  });

  test('is refused, also with --accept-data-loss, when one statement drops it with something else', async (t) => {
    const up =
      'ALTER TABLE customer ADD COLUMN IF NOT EXISTS phone VARCHAR(30) NULL, ADD COLUMN IF NOT EXISTS fax INT NULL;\n';
    const down = 'ALTER TABLE customer DROP COLUMN phone, DROP COLUMN fax;\n';
    const at = await openWith(t, PHONE, up, down);
    const before = await takePicture(at.db, at.site.database);

    const refused = await goBack(at.site, '--accept-data-loss');

    assert.equal(refused.code, 13, refused.stderr);
    assert.match(refused.stderr, /NOT_REVERSIBLE/);
    assert.match(refused.stderr, /column customer\.phone existed before this migration/);
    assert.deepEqual(await takePicture(at.db, at.site.database), before);
    // No checksum covers the down file: the person corrects it, and it works.
    await at.site.write({
      '0.2.0/0002_more.down.sql':
        'ALTER TABLE customer DROP COLUMN phone;\nALTER TABLE customer DROP COLUMN fax;\n',
    });
    await assertAsBefore(await goBack(at.site), at);
  });

  test('is refused when a table that existed was changed and would be dropped as a whole', async (t) => {
    const before = ['CREATE TABLE letter (id INT PRIMARY KEY)', 'INSERT INTO letter VALUES (7)'];
    const up =
      'CREATE TABLE IF NOT EXISTS letter (id INT PRIMARY KEY);\nALTER TABLE letter ADD text TEXT;\n';
    const at = await openWith(t, before, up, 'DROP TABLE letter;\n');

    const refused = await goBack(at.site, '--accept-data-loss');

    assert.equal(refused.code, 13, refused.stderr);
    assert.match(refused.stderr, /table letter existed before this migration, which changed it/);
    assert.equal((await at.db.query('SELECT * FROM letter')).length, 1);
  });

  test('is refused when it would drop code that the migration put in the place of other code', async (t) => {
    const before = [
      // Code keeps the session in which it was made: that of a migration.
      `SET sql_mode = '${FRESH_SQL_MODE}'`,
      'SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci',
      'CREATE VIEW names AS SELECT name FROM customer',
      'CREATE PROCEDURE work() SELECT 1',
      'CREATE PROCEDURE same() SELECT 1',
    ];
    const up = `CREATE OR REPLACE VIEW names AS SELECT id, name FROM customer;
DROP PROCEDURE IF EXISTS work;
CREATE PROCEDURE work() SELECT 2;
CREATE OR REPLACE PROCEDURE same() SELECT 1;
`;
    const at = await openWith(t, before, up, 'DROP VIEW names;\nDROP PROCEDURE work;\n');

    const refused = await goBack(at.site, '--accept-data-loss');

    assert.equal(refused.code, 13, refused.stderr);
    assert.match(refused.stderr, /view names existed before this migration, which changed it/);
    assert.match(refused.stderr, /procedure work existed before this migration, which changed it/);
    await at.site.write({
      '0.2.0/0002_more.down.sql': `CREATE OR REPLACE VIEW names AS SELECT name FROM customer;
DROP PROCEDURE work;
CREATE PROCEDURE work() SELECT 1;
DROP PROCEDURE same;
`,
    });
    const ended = await goBack(at.site);
    assert.match(`${ended.stdout}${ended.stderr}`, /kept: procedure same existed before 0002/);
    await assertAsBefore(ended, at);
  });

  test('keeps an index that existed before also when a set was restored since', async (t) => {
    const before = [...PHONE, 'CREATE INDEX by_phone ON customer (phone)'];
    const at = await openWith(t, before, contact.up, contact.down);
    const created = await at.site.deploy(['backup', 'create', '--json']);
    const { name } = (JSON.parse(created.stdout) as Json)['backup'];
    const restored = await at.site.deploy(['restore', '--backup', name, '--yes']);
    assert.equal(restored.code, 0, restored.stderr);

    const ended = await goBack(at.site);

    assert.match(`${ended.stdout}${ended.stderr}`, /kept: index customer\.by_phone existed before/);
    await assertAsBefore(ended, at);
  });

  test('warns of what goes where no run here has noted what was there', async (t) => {
    const before = [...PHONE, 'CREATE INDEX by_phone ON customer (phone)'];
    const at = await openWith(t, before, contact.up, contact.down);
    // As on another server: a backup does not hold the records of runs.
    await at.db.run('DROP TABLE deploy_run, deploy_journal');

    const plan = await at.site.deploy(['rollback', '--steps', '1', '--dry-run']);

    assert.match(
      plan.stdout,
      /warning +nothing is known of what was there before 0002, .*: index customer\.by_phone, column customer\.phone, table letter, column customer\.fax goes/,
    );
  });

  for (const [seq, repeat] of [
    [1, ['rollback', '--steps', '1', '--yes']],
    [2, ['up']],
  ] as const) {
    test(`killed after step ${seq} and ended by ${repeat[0]}, the column is still there`, async (t) => {
      const at = await openWith(t, PHONE, contact.up, contact.down);
      const killed = await at.site.deploy(['rollback', '--steps', '1', '--yes'], {
        DEPLOY_FAIL_AT: `apply.executed#${seq}=kill`,
      });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);

      const ended = await at.site.deploy(repeat);

      // `up` ends the rollback, and then does not go forward by itself.
      assert.equal(ended.code, repeat[0] === 'up' ? 13 : 0, ended.stderr);
      assert.doesNotMatch(ended.stderr, /put back/);
      await assertAsBefore({ ...ended, code: 0 }, at);
    });
  }
});
