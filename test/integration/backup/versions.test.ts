import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { compareContents } from '../../../src/backup/differences.ts';
import { quoteNameText } from '../../../src/database/identifier.ts';
import { readServer } from '../../../src/database/server.ts';
import { startScratch } from '../../../src/scratch/server.ts';
import {
  contentsOf,
  leftoverSchemas,
  makeBackupDir,
  restore,
  take,
} from '../../support/backup/backups.ts';
import { fillWithConstructs } from '../../support/backup/constructs.ts';
import { fillWithTorture } from '../../support/backup/torture.ts';
import { mariadbVersions } from '../../support/mariadb-versions.ts';
import { startTestServer, testScratchDir } from '../../support/server.ts';

const INVALID = ['invalid_above', 'invalid_column', 'invalid_table'];

const versions = await mariadbVersions();
const newest = versions.at(-1)!;

for (const { version, mariadbd, programs } of versions) {
  describe(`on MariaDB ${version}`, async () => {
    const server = await startTestServer({ after }, { mariadbd });
    const { address } = server;

    test('one of everything that the server knows is backed up, proven, and restored into nothing', async (t) => {
      useProgramsOf(t, programs);
      const database = await server.createDatabase('every"thing', {
        collation: 'utf8mb4_german2_ci',
      });
      const db = await server.connect(database);
      await fillWithConstructs(db, version);
      await fillWithTorture(db);
      const before = await contentsOf(address, database);
      const scratch = await startScratch({ dir: testScratchDir, mariadbd });
      t.after(() => scratch.stop());

      const set = await take(address, database, makeBackupDir(t), { scratch });

      assert.deepEqual(set.manifest.invalidViews, INVALID);
      assert.deepEqual(compareContents(before, set.manifest), []);
      await db.run('SET foreign_key_checks = 0');
      for (const { name } of before.tables) await db.run(`DROP TABLE ${quoteNameText(name)}`);
      await restore(address, database, set);
      assert.deepEqual(compareContents(before, await contentsOf(address, database)), []);
      assert.deepEqual(await leftoverSchemas(address, database), []);
    });
  });
}

test('a backup of 10.11 is proven in a scratch server of 11.8, as the image does it', async (t) => {
  const { version, mariadbd } = versions[0]!;
  const server = await startTestServer(t, { mariadbd });
  useProgramsOf(t, newest.programs);
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await fillWithConstructs(db, version);
  await fillWithTorture(db);
  const { variables } = await readServer(db, database);
  const scratch = await startScratch({ dir: testScratchDir, mariadbd: newest.mariadbd, variables });
  t.after(() => scratch.stop());

  const set = await take(server.address, database, makeBackupDir(t), { scratch });

  assert.match(set.manifest.proof?.scratchVersion ?? '', /^11\.8\./);
  assert.match(set.manifest.server.version, /^10\.11\./);
});

function useProgramsOf(t: { after(fn: () => void): void }, folder: string): void {
  const path = process.env['PATH'];
  process.env['PATH'] = `${folder}:${path}`;
  t.after(() => {
    process.env['PATH'] = path;
  });
}
