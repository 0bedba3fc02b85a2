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
import { askServer } from '../../support/backup/oracle.ts';
import { fillWithTorture } from '../../support/backup/torture.ts';
import { mariadbVersions } from '../../support/mariadb-versions.ts';
import { startTestServer, testScratchDir } from '../../support/server.ts';

const INVALID = ['invalid_above', 'invalid_column', 'invalid_table'];

/** What an administrator may have set; the private server has nothing of it. */
const UNUSUAL = [
  ...['--sql-mode=ANSI', '--default-time-zone=+05:30'],
  ...['--explicit-defaults-for-timestamp=0', '--innodb-strict-mode=0'],
];

const versions = await mariadbVersions();
const newest = versions.at(-1)!;

for (const { version, mariadbd, programs } of versions) {
  describe(`on MariaDB ${version}`, async () => {
    const server = await startTestServer({ after }, { mariadbd, args: UNUSUAL });
    const { address } = server;

    test('one of everything that the server knows is backed up, proven, and restored into nothing', async (t) => {
      useProgramsOf(t, programs);
      const database = await server.createDatabase('every"thing.dot', {
        collation: 'utf8mb4_german2_ci',
      });
      const db = await server.connect(database);
      await fillWithConstructs(db, version);
      await fillWithTorture(db);
      await db.run(`ALTER DATABASE COMMENT 'it''s \\\\ "a" \`b\`'`);
      const before = await contentsOf(address, database);
      const asked = await askServer(db, INVALID);
      const scratch = await startScratch({ dir: testScratchDir, mariadbd });
      t.after(() => scratch.stop());

      const set = await take(address, database, makeBackupDir(t), { scratch });

      assert.deepEqual(set.manifest.invalidViews, INVALID);
      assert.deepEqual(compareContents(before, set.manifest), []);
      await db.run(`DROP DATABASE ${quoteNameText(database)}`);
      await server.createDatabase(database);
      await restore(address, database, set);
      assert.deepEqual(await askServer(await server.connect(database), INVALID), asked);
      const isInvalid = (key: string) => INVALID.includes(key.replace('view:', ''));
      const after = await contentsOf(address, database);
      assert.deepEqual(compareContents(before, after, isInvalid), []);
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

for (const { version, mariadbd } of versions) {
  test(`MariaDB ${version} keeps no negative zero, which no statement could bring back`, async (t) => {
    const db = await (await startTestServer(t, { mariadbd })).connect();
    await db.run('CREATE DATABASE zero');
    await db.run('USE zero');
    await db.run('CREATE TABLE zeros (d DOUBLE, f FLOAT)');
    for (const zero of ['-0e0', "'-0'", 'ROUND(-0.1e0)', '-1e-200 * 1e-200'])
      await db.run(`INSERT INTO zeros VALUES (${zero}, ${zero})`);

    const signs = await db.query(
      'SELECT ATAN2(-0e0, -1) < 0 AS made, ATAN2(d, -1) < 0 OR ATAN2(f, -1) < 0 AS kept FROM zeros',
    );

    assert.deepEqual(
      signs.map((row) => ({ ...row })),
      Array(4).fill({ made: 1, kept: 0 }),
    );
  });
}

function useProgramsOf(t: { after(fn: () => void): void }, folder: string): void {
  const path = process.env['PATH'];
  process.env['PATH'] = `${folder}:${path}`;
  t.after(() => {
    process.env['PATH'] = path;
  });
}
