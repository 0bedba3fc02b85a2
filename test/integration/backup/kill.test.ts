/** Kills at every step; test/faults/kill-backup.test.ts has those at random moments. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Contents } from '../../../src/backup/contents.ts';
import { compareContents } from '../../../src/backup/differences.ts';
import { listSets } from '../../../src/backup/list.ts';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import type { RestoreState } from '../../../src/backup/restore.ts';
import { verifySet } from '../../../src/backup/verify.ts';
import type { Db } from '../../../src/database/connect.ts';
import {
  contentsOf,
  leftoverSchemas,
  makeBackupDir,
  restore,
  take,
  withHold,
} from '../../support/backup/backups.ts';
import { runProgram } from '../../support/backup/child.ts';
import { fillWithTorture } from '../../support/backup/torture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after }, { durable: 'full' });
const { address } = server;
const socket = address.socketPath as string;

const TAKE_POINTS = 'begin dumped hashed loaded proved written renamed'.split(' ');
const RESTORE_POINTS = (
  'staging staged compared-staging before-swap swap-decided triggers-dropped ' +
  'swapped objects-created compared events-created dropped-old'
).split(' ');

describe('takeBackup killed', () => {
  const database = 'taken';
  const dir = makeBackupDir({ after });
  let live: Contents;
  before(async () => {
    await server.createDatabase(database);
    await fillWithTorture(await server.connect(database));
    live = await contentsOf(address, database);
  });

  for (const point of TAKE_POINTS) {
    test(`at backup.${point}: the next backup works and only whole sets are there`, async () => {
      await dieAt(['take', socket, database, dir], `backup.${point}`);

      await take(address, database, dir);

      await assertWholeSets(dir);
      assert.deepEqual(compareContents(live, await contentsOf(address, database)), []);
    });
  }
});

async function dieAt(args: readonly string[], failPoint: string): Promise<void> {
  const { signal, stderr } = await runProgram(args, { failPoint });
  assert.equal(signal, 'SIGKILL', `${failPoint} was not passed: ${stderr}`);
}

async function assertWholeSets(dir: string): Promise<void> {
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith('.unfinished')),
    [],
  );
  for (const { dir: path } of await listSets(dir)) await verifySet(path);
}

describe('restoreSet killed', () => {
  const database = 'restored';
  const dir = makeBackupDir({ after });
  const stateFile = join(dir, 'state.json');
  let old: Contents;
  let set: BackupSet;
  let db: Db;

  before(async () => {
    await server.createDatabase(database);
    db = await server.connect(database);
    await fillWithTorture(db);
    old = await contentsOf(address, database);
    set = await take(address, database, dir);
  });

  const args = () => ['restore', socket, database, dir, set.name, stateFile];

  /** What a migration might have done. The tables tell whether they are the old or the new ones. */
  async function change(): Promise<Contents> {
    rmSync(stateFile, { force: true });
    for (const statement of [
      'SET foreign_key_checks = 0',
      'DROP TABLE IF EXISTS child, newer',
      'DROP SEQUENCE IF EXISTS `seq 1`',
      'ALTER TABLE parent ADD COLUMN more INT DEFAULT 1',
      'CREATE TABLE newer (id INT PRIMARY KEY, t INT)',
      'CREATE TRIGGER newer_t BEFORE INSERT ON newer FOR EACH ROW SET NEW.t = 1',
      'CREATE OR REPLACE VIEW a_top AS SELECT 1 AS one',
      'DROP PROCEDURE `proc;1`',
    ])
      await db.run(statement);
    return contentsOf(address, database);
  }

  async function finish(): Promise<void> {
    const saved = existsSync(stateFile)
      ? (JSON.parse(readFileSync(stateFile, 'utf8')) as RestoreState)
      : null;
    await restore(address, database, set, { saved });
    assert.deepEqual(compareContents(old, await contentsOf(address, database)), []);
    assert.deepEqual(await leftoverSchemas(address, database), []);
  }

  /**
   * Rows and tables are all of the one or all of the other, whatever the moment, for who holds the
   * lock. The server still runs the RENAME of a client that died, and shows it half-way to others.
   */
  async function assertNotMixed(changed: Contents): Promise<void> {
    const read = () => contentsOf(address, database);
    const { tables } = await withHold(address, database, read);
    const sides = [old, changed].map((side) => side.tables.map(({ name, hash }) => [name, hash]));
    const found = tables.map(({ name, hash }) => [name, hash]);
    assert.ok(
      sides.some((side) => JSON.stringify(side) === JSON.stringify(found)),
      `neither old nor new: ${JSON.stringify(found)}`,
    );
  }

  for (const point of RESTORE_POINTS) {
    test(`at restore.${point}: calling it again finishes and leaves nothing behind`, async () => {
      const changed = await change();
      await dieAt(args(), `restore.${point}`);
      await assertNotMixed(changed);

      await finish();
    });
  }

  test('twice, at every point and then at a later one: calling it a third time finishes', async () => {
    for (const [first, second] of [
      ['staged', 'swap-decided'],
      ['triggers-dropped', 'objects-created'],
      ['swapped', 'dropped-old'],
    ]) {
      await change();
      await dieAt(args(), `restore.${first}`);
      await dieAt(args(), `restore.${second}`);
      await finish();
    }
  });
});
