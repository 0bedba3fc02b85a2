/**
 * kill -9 of the deployer, of the server and of the scratch server at random moments of backup, proof
 * and restore. The same seed gives the same kind of kill and the same moment.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contents } from '../../src/backup/contents.ts';
import { compareContents } from '../../src/backup/differences.ts';
import { listSets } from '../../src/backup/list.ts';
import type { BackupSet } from '../../src/backup/manifest.ts';
import type { RestoreState } from '../../src/backup/restore.ts';
import { verifySet } from '../../src/backup/verify.ts';
import type { Db } from '../../src/database/connect.ts';
import {
  contentsOf,
  leftoverSchemas,
  makeBackupDir,
  restore,
  take,
  withHold,
} from '../support/backup/backups.ts';
import { runProgram } from '../support/backup/child.ts';
import { fillWithTorture } from '../support/backup/torture.ts';
import { killsInCi, makeRandom } from '../support/kill.ts';
import { startTestServer } from '../support/server.ts';

const server = await startTestServer({ after }, { durable: 'full' });
const { address } = server;
const socket = address.socketPath as string;
const database = 'killed';
const kinds = [
  ...['backup', 'proof', 'restore', 'swap', 'server in backup', 'server in restore'],
  'restore, twice',
] as const;
const seed = Number(process.env['FAULT_SEED'] ?? 20_260_117);

describe('kill -9 at random moments of backup, proof and restore', () => {
  const dir = makeBackupDir({ after });
  const stateFile = join(dir, 'state.json');
  let db: Db;
  let old: Contents;
  let set: BackupSet;
  /** How long each takes here and now, so that the moments lie all over it. */
  let takeMs: number;
  let restoreMs: number;

  before(async () => {
    await server.createDatabase(database);
    db = await server.connect(database);
    await fillWithTorture(db);
    old = await contentsOf(address, database);
    set = await take(address, database, dir);
    takeMs = await timed(() => runProgram(['take', socket, database, dir], {}));
    restoreMs = await timed(() => runProgram(restoreArgs(), {}));
  });

  const restoreArgs = () => ['restore', socket, database, dir, set.name, stateFile];

  /** What a migration might have done. */
  async function change(): Promise<Contents> {
    rmSync(stateFile, { force: true });
    for (const statement of [
      'SET foreign_key_checks = 0',
      'DROP TABLE IF EXISTS child, newer',
      'DROP SEQUENCE IF EXISTS `seq 1`',
      'ALTER TABLE parent ADD COLUMN IF NOT EXISTS more INT DEFAULT 1',
      'CREATE TABLE newer (id INT PRIMARY KEY, t INT)',
      'CREATE TRIGGER newer_t BEFORE INSERT ON newer FOR EACH ROW SET NEW.t = 1',
      'CREATE OR REPLACE VIEW a_top AS SELECT 1 AS one',
      'DROP PROCEDURE IF EXISTS `proc;1`',
    ])
      await db.run(statement);
    return contentsOf(address, database);
  }

  /** The live schema was only read, no half set has a final name, and the next backup works. */
  async function assertBackedUp(): Promise<void> {
    assert.deepEqual(compareContents(old, await contentsOf(address, database)), []);
    for (const { dir: path } of await listSets(dir)) await verifySet(path);
    const next = await take(address, database, dir);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.startsWith('.')),
      [],
    );
    rmSync(next.dir, { recursive: true });
  }

  /** All tables are the old or all are the changed ones; the next restore finishes and leaves nothing. */
  async function assertRestored(changed: Contents): Promise<void> {
    const { tables } = await withHold(address, database, () => contentsOf(address, database));
    const found = JSON.stringify(tables.map(({ name, hash }) => [name, hash]));
    const sides = [old, changed].map((side) =>
      JSON.stringify(side.tables.map(({ name, hash }) => [name, hash])),
    );
    assert.ok(sides.includes(found), `neither old nor new: ${found}`);
    const saved = existsSync(stateFile)
      ? (JSON.parse(readFileSync(stateFile, 'utf8')) as RestoreState)
      : null;
    await restore(address, database, set, { saved });
    assert.deepEqual(compareContents(old, await contentsOf(address, database)), []);
    assert.deepEqual(await leftoverSchemas(address, database), []);
  }

  async function killServer(args: readonly string[], afterMs: number): Promise<void> {
    let killed = Promise.resolve();
    await runProgram(args, {}, () => {
      killed = sleep(afterMs).then(() => server.kill9());
    });
    await killed;
    await server.start();
    db = await server.connect(database);
  }

  async function tryKill(kind: (typeof kinds)[number], random: () => number): Promise<void> {
    const takeArgs = ['take', socket, database, dir];
    switch (kind) {
      case 'backup':
        await runProgram(takeArgs, { afterMs: random() * takeMs });
        return assertBackedUp();
      case 'proof':
        // The last part of the time: the scratch server runs.
        await runProgram(takeArgs, { afterMs: (0.4 + random() * 0.6) * takeMs });
        return assertBackedUp();
      case 'server in backup':
        await killServer(takeArgs, random() * takeMs);
        return assertBackedUp();
    }
    const changed = await change();
    const isSwapping = () =>
      existsSync(stateFile) && readFileSync(stateFile, 'utf8').includes('"swapping"');
    if (kind === 'server in restore') await killServer(restoreArgs(), random() * restoreMs);
    else if (kind === 'swap')
      await runProgram(restoreArgs(), { afterMs: random() * 80, onceTrue: isSwapping });
    else await runProgram(restoreArgs(), { afterMs: random() * restoreMs });
    if (kind === 'restore, twice')
      await runProgram(restoreArgs(), { afterMs: random() * restoreMs });
    return assertRestored(changed);
  }

  for (let nth = 1; nth <= killsInCi(21); nth++) {
    const kind = kinds[nth % kinds.length]!;
    test(`${kind}, moment ${nth} of seed ${seed}: exactly old or new, and no half set`, async () => {
      await tryKill(kind, makeRandom(seed + nth));
    });
  }
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
