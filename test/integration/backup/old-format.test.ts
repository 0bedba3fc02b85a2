/** Sets of format 1, whose manifest has other hashes of the rows. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { compareContents } from '../../../src/backup/differences.ts';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import { proveSet } from '../../../src/backup/prove.ts';
import { findChanges, findReusableSet } from '../../../src/backup/reuse.ts';
import { readDifferenceFromManifest } from '../../../src/backup/row-differences.ts';
import { verifySet } from '../../../src/backup/verify.ts';
import type { Db } from '../../../src/database/connect.ts';
import { hashTables } from '../../../src/database/value-hash.ts';
import { contentsOf, makeBackupDir, makeLog, restore, take } from '../../support/backup/backups.ts';
import { forgeManifest } from '../../support/backup/damage.ts';
import { type Cleanup, startTestServer, testScratchDir } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;

async function makeOldSet(t: Cleanup): Promise<{ db: Db; database: string; set: BackupSet }> {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run('CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(50), f FLOAT)');
  await db.run('CREATE TABLE u (id INT PRIMARY KEY)');
  await db.run("INSERT INTO t SELECT seq, CONCAT('text ', seq), seq / 7 FROM seq_1_to_500");
  const { dir, manifest } = await take(address, database, makeBackupDir(t));
  const names = manifest.tables.map(({ name }) => name);
  const hashes = await hashTables(db, database, names, { format: 1 });
  assert.notEqual(hashes.get('t')?.hash, manifest.tables.find(({ name }) => name === 't')?.hash);
  forgeManifest(dir, (new2) => ({
    ...new2,
    format: 1,
    tables: new2.tables.map((table) => ({ ...table, hash: hashes.get(table.name)!.hash })),
  }));
  return { db, database, set: await verifySet(dir) };
}

test('a set of format 1 is compared, proven and used again as one of today', async (t) => {
  const { db, database, set } = await makeOldSet(t);
  const options = { address, database, log: makeLog() };

  assert.deepEqual(await findChanges(set.manifest, options), []);
  const reusable = await findReusableSet({ ...options, dir: `${set.dir}/..` });
  assert.equal(reusable?.name, set.name);
  const same = await readDifferenceFromManifest(db, database, set.manifest);
  assert.deepEqual(
    same.map(({ differing }) => differing),
    [0, 0],
  );
  const scratch = { scratchDir: testScratchDir, scratchVariables: {}, log: makeLog() };
  assert.equal((await proveSet({ set, ...scratch })).proof.rows, 500);
  await db.run("UPDATE t SET s = 'text' WHERE id = 7");
  const changes = await findChanges(set.manifest, options);
  assert.deepEqual(
    changes.map(({ key }) => key),
    ['table:t'],
  );
  assert.equal(await findReusableSet({ ...options, dir: `${set.dir}/..` }), null);
});

for (const how of ['staged', 'in place'] as const) {
  test(`a set of format 1 is restored (${how})`, async (t) => {
    const { db, database, set } = await makeOldSet(t);
    const before = await contentsOf(address, database);
    await db.run('DELETE FROM t WHERE id > 100');

    const log = makeLog();
    await restore(address, database, set, { how, log });

    assert.deepEqual(compareContents(before, await contentsOf(address, database)), []);
    assert.deepEqual(
      log.lines.filter((line) => /somebody writes/.test(line)),
      [],
    );
  });
}
