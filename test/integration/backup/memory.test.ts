import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { makeSite } from '../../support/deploy.ts';
import { runMeasured } from '../../support/peak-memory.ts';
import { startTestServer } from '../../support/server.ts';
import { openShop } from '../../support/shop.ts';

const server = await startTestServer({ after });

test('backup and restore stay below 200 MB with rows of a megabyte and one of 64 MiB', async (t) => {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  for (const statement of [
    // Of mariadb-dump, and of our own writer.
    'CREATE TABLE one (id INT PRIMARY KEY, b LONGBLOB)',
    "INSERT INTO one VALUES (1, REPEAT('x', 67108864))",
    'CREATE TABLE many (id INT PRIMARY KEY, f FLOAT, b LONGBLOB)',
    "INSERT INTO many SELECT seq, 1, REPEAT('x', 1000000) FROM seq_1_to_80",
  ])
    await db.run(statement);

  const taking = await runMeasured(['backup', 'create'], site.env);
  await db.run('DELETE FROM many WHERE id > 5');
  // The newest: the shop has one of its own.
  const set = readdirSync(site.backupDir).sort().at(-1);
  const restoring = await runMeasured(['restore', '--backup', set!, '--yes'], site.env);

  assert.ok(taking.mb <= 200, `${taking.mb} MB for the backup`);
  assert.ok(restoring.mb <= 200, `${restoring.mb} MB for the restore`);
  assert.equal(Number((await db.one<{ n: string }>('SELECT COUNT(*) AS n FROM many'))?.n), 80);
});
