import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { takeBackup } from '../../../src/backup/take.ts';
import { type DeployError, isDeployError } from '../../../src/errors/deploy-error.ts';
import { type Scratch, startScratch } from '../../../src/scratch/server.ts';
import { makeBackupDir, makeLog } from '../../support/backup/backups.ts';
import { startTestServer, testScratchDir } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;

const database = await server.createDatabase();
const db = await server.connect(database);
await db.run('CREATE TABLE t (id INT PRIMARY KEY, b VARBINARY(4000))');
// Random bytes, which no compression makes smaller.
await db.run(
  `INSERT INTO t SELECT seq, UNHEX(CONCAT(${Array(60).fill('SHA2(RAND(), 512)').join(',')})) FROM seq_1_to_1500`,
);

await db.run('ANALYZE TABLE t');
// The server's estimate of its size stays what it was when it was empty.
await db.run('CREATE TABLE stale (id INT PRIMARY KEY, b VARBINARY(4000)) STATS_AUTO_RECALC = 0');
await db.run('INSERT INTO stale SELECT * FROM t');

async function failure(dir: string, scratch?: Scratch): Promise<DeployError> {
  try {
    await takeBackup({
      ...{ address, database, dir, scratchDir: testScratchDir, scratchVariables: {} },
      ...{ schemaVersion: null, migrationNumber: null, runId: null, reason: 'test' },
      log: makeLog(),
      ...(scratch === undefined ? {} : { scratch }),
    });
  } catch (error) {
    assert.ok(isDeployError(error), inspect(error));
    return error;
  }
  return assert.fail('it did not fail');
}

test('a disk that fills up while the dump is written: SPACE_SHORT with the numbers, nothing is left', async (t) => {
  const dir = mount(t, 'size=4m');
  assert.ok(dir !== null, 'mounting needs root: run this test as root');

  const error = await failure(dir);

  assert.equal(error.code, 'SPACE_SHORT');
  assert.match(error.message, /the disk of the backup folder is full: \d+ bytes are free/);
  assert.deepEqual(readdirSync(dir), []);
});

test('a disk that is too small from the start: SPACE_SHORT before anything is written', async (t) => {
  const dir = mount(t, 'size=512k');
  assert.ok(dir !== null, 'mounting needs root: run this test as root');

  const error = await failure(dir);

  assert.equal(error.code, 'SPACE_SHORT');
  assert.match(error.message, /needs about \d+ bytes, and \d+ bytes are free/);
});

for (const [what, freeMb, message] of [
  [
    'too small from the start',
    1,
    /^(?:the backup and )?its proof needs? about \d+ bytes, and \d+ bytes are free$/,
  ],
  ['full while it loads', 12, /^the disk of the scratch folder is full: \d+ bytes are free$/],
] as const) {
  test(`a scratch folder that is ${what}: SPACE_SHORT with the numbers, nothing is left`, async (t) => {
    const scratchDir = mount(t, 'size=200m');
    assert.ok(scratchDir !== null, 'mounting needs root: run this test as root');
    const scratch = await startScratch({ dir: scratchDir, bufferPoolMb: 16 });
    t.after(() => scratch.stop());
    const { bavail, bsize } = statfsSync(scratchDir);
    writeFileSync(join(scratchDir, 'filler'), Buffer.alloc(bavail * bsize - freeMb * 2 ** 20, 1));
    const dir = makeBackupDir(t);

    const error = await failure(dir, scratch);

    assert.equal(error.code, 'SPACE_SHORT', inspect(error));
    assert.match(error.message, message);
    assert.deepEqual(readdirSync(dir), []);
  });
}

test('a read-only file system: BACKUP_FAILED with path and user', async (t) => {
  const dir = mount(t, 'size=4m,ro');
  assert.ok(dir !== null, 'mounting needs root: run this test as root');

  const error = await failure(dir);

  assert.equal(error.code, 'BACKUP_FAILED');
  assert.equal(error.message, `the backup folder ${dir} is on a read-only file system (uid 0)`);
});

test('a folder of somebody else: BACKUP_FAILED with path and user', async (t) => {
  assert.equal(process.getuid?.(), 0, 'becoming another user needs root: run this test as root');
  const parent = makeBackupDir(t);
  chmodSync(parent, 0o755);
  const dir = join(parent, 'backups');
  mkdirSync(dir, { mode: 0o755 });

  const error = await asNobody(() => failure(dir));

  assert.equal(error.code, 'BACKUP_FAILED');
  assert.equal(error.message, `the backup folder ${dir} is not writable for this user (uid 65534)`);
});

test('a file where the folder should be: BACKUP_FAILED', async (t) => {
  const path = join(makeBackupDir(t), 'file');
  writeFileSync(path, '');

  const error = await failure(path);

  assert.equal(error.code, 'BACKUP_FAILED');
  assert.match(error.message, /is not a folder/);
});

/** A small file system of its own; null when this user may not mount. */
function mount(t: TestContext, options: string): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'deploy-mount-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]);
  t.after(() => {
    if (status === 0) spawnSync('umount', ['--lazy', dir]);
    rmdirSync(dir);
  });
  return status === 0 ? dir : null;
}

async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
