/** Kills at every step; test/faults/kill-backup.test.ts has those at random moments. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { compareContents } from '../../../src/backup/differences.ts';
import { listSets } from '../../../src/backup/list.ts';
import { verifySet } from '../../../src/backup/verify.ts';
import { contentsOf, makeBackupDir, take } from '../../support/backup/backups.ts';
import { runProgram } from '../../support/backup/child.ts';
import { type Killable, makeKillable } from '../../support/backup/killable.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after }, { durable: 'full' });
const { address } = server;
const database = 'killed';
const dir = makeBackupDir({ after });
let site: Killable;
before(async () => {
  site = await makeKillable(server, database, dir);
});

const TAKE_POINTS = 'begin dumped hashed loaded proved written renamed'.split(' ');
const RESTORE_POINTS = (
  'staging staged compared-staging before-swap swap-decided triggers-dropped ' +
  'swapped objects-created compared events-created dropped-old'
).split(' ');

describe('takeBackup killed', () => {
  for (const point of TAKE_POINTS) {
    test(`at backup.${point}: the next backup works and only whole sets are there`, async () => {
      await dieAt(site.takeArgs, `backup.${point}`);

      await take(address, database, dir);

      await assertWholeSets(dir);
      assert.deepEqual(compareContents(site.old, await contentsOf(address, database)), []);
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
  for (const point of RESTORE_POINTS) {
    test(`at restore.${point}: calling it again finishes and leaves nothing behind`, async () => {
      const changed = await site.change();
      await dieAt(site.restoreArgs, `restore.${point}`);
      await site.assertNotMixed(changed);

      await site.finish();
    });
  }

  test('twice, at every point and then at a later one: calling it a third time finishes', async () => {
    for (const [first, second] of [
      ['staged', 'swap-decided'],
      ['triggers-dropped', 'objects-created'],
      ['swapped', 'dropped-old'],
    ]) {
      await site.change();
      await dieAt(site.restoreArgs, `restore.${first}`);
      await dieAt(site.restoreArgs, `restore.${second}`);
      await site.finish();
    }
  });
});
