/** Migrations that are not critical and fail already on the empty copy. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

const UP = '0.2.0/0002_nice.up.sql';
const DOWN = '0.2.0/0002_nice.down.sql';
/** The second statement fails whatever the rows are: there is no such column. */
const nice = {
  [UP]: '--! critical: false\nCREATE TABLE nice (id INT);\nCREATE INDEX by_color ON customer (color);\n',
  [DOWN]: 'DROP INDEX by_color ON customer;\nDROP TABLE nice;\n',
};
const next = { '0.2.0/0003_next.up.sql': 'CREATE TABLE next_one (id INT PRIMARY KEY);\n' };

type Cleanup = { after(fn: () => Promise<void>): void };

async function openWith(t: Cleanup, files: Readonly<Record<string, string>>) {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await site.write(files);
  return { site, db };
}

describe('a migration that is not critical and fails on the empty copy', () => {
  test('is a warning of the plan, fails in the run, and blocks neither this release nor the next', async (t) => {
    const { site, db } = await openWith(t, { ...nice, ...next });

    const plan = await site.deploy(['plan']);
    const ended = await site.deploy(['up', '--json']);

    assert.equal(plan.code, 30, plan.stderr);
    assert.match(
      plan.stdout,
      /warning +migration 2 nice is expected to fail and is not critical: .*color.*0002_nice\.up\.sql:3/,
    );
    assert.equal(ended.code, 0, ended.stderr);
    const warnings = (JSON.parse(ended.stdout) as { warnings: string[] }).warnings.join('\n');
    assert.match(warnings, /migration 2 nice failed and is not critical: taken back/);
    const tables = await db.query<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
    );
    const names = tables.map(({ name }) => name);
    assert.deepEqual([names.includes('nice'), names.includes('next_one')], [false, true]);
    const [row] = await db.query<{ success: number; error_message: string }>(
      'SELECT * FROM migration_history WHERE migration_number = 2',
    );
    assert.equal(Number(row!.success), 0);
    assert.match(row!.error_message, /1072/);
    assert.deepEqual(await findLeftovers(db, site), []);
    await site.write({ '0.3.0/0004_later.up.sql': 'CREATE TABLE later (id INT PRIMARY KEY);\n' });
    const later = await site.deploy(['up']);
    assert.equal(later.code, 0, later.stderr);
    const status = JSON.parse((await site.deploy(['status', '--json'])).stdout) as Json;
    assert.equal(status['actual_db_version'], '0.3.0');
    assert.equal(status['failed'].length, 1);
    assert.equal((await site.deploy(['schema', 'diff'])).code, 0);
  });

  for (const [what, files] of [
    [
      'that a critical one needs is refused together with that one',
      { ...nice, '0.2.0/0003_next.up.sql': 'ALTER TABLE nice ADD b INT;\n' },
    ],
    ['whose down file does not bring the structure back', { ...nice, [DOWN]: 'DO 0;\n' }],
    ['without a down file', { [UP]: nice[UP]!, ...next }],
    [
      'that holds what may not stand in a file',
      { [UP]: '--! critical: false\nSET GLOBAL max_connections = 5;\n', [DOWN]: nice[DOWN]! },
    ],
  ] as const) {
    test(`refused before anything is changed: one ${what}`, async (t) => {
      const { site, db } = await openWith(t, files);
      const before = await takePicture(db, site.database);

      const ended = await site.deploy(['up']);

      assert.equal(ended.code, 13, ended.stderr);
      assert.match(ended.stderr, /MIGRATION_UNSOUND|STATEMENT_FORBIDDEN/);
      assert.deepEqual(await takePicture(db, site.database), before);
    });
  }

  test('is not tried again by itself while it would fail, and is when it would not', async (t) => {
    const { site, db } = await openWith(t, { ...nice, ...next });
    assert.equal((await site.deploy(['up'])).code, 0);

    const refused = await site.deploy(['resolve', '--retry', '2']);

    assert.equal(refused.code, 13, refused.stderr);
    assert.match(refused.stderr, /MIGRATION_UNSOUND/);
    await db.run('ALTER TABLE customer ADD color VARCHAR(20) NULL');
    const retried = await site.deploy(['resolve', '--retry', '2', '--yes']);
    assert.equal(retried.code, 0, retried.stderr);
    assert.equal((await db.query("SHOW TABLES LIKE 'nice'")).length, 1);
  });

  // In its middle nobody knows the structure before it any more, so that its failure puts back.
  for (const [failAt, codes] of [
    ['apply.executed#1', [20, 0]],
    ['skip.begun', [0]],
    ['skip.taken-back', [0]],
  ] as const) {
    test(`killed at ${failAt}, what follows exits ${codes.join(', then ')} and goes on without it`, async (t) => {
      const { site, db } = await openWith(t, { ...nice, ...next });
      const old = await takePicture(db, site.database);
      const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: `${failAt}=kill` });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);

      for (const code of codes) {
        const ended = await site.deploy(['up']);
        assert.equal(ended.code, code, ended.stderr);
        if (code === 20) assert.deepEqual(await takePicture(db, site.database), old);
      }

      assert.equal((await db.query("SHOW TABLES LIKE 'nice'")).length, 0);
      assert.equal((await db.query("SHOW TABLES LIKE 'next_one'")).length, 1);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }
});
