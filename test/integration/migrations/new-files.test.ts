import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { planNewMigration, writeNewMigration } from '../../../src/migrations/new-files.ts';
import { testTmp } from '../../support/tmp.ts';

const planned = planNewMigration(
  { migrations: [], versions: [], dir: 'migrations' },
  { name: 'first', version: '0.1.0' },
);

describe('writeNewMigration', () => {
  test('leaves nothing when a file cannot be written, and never overwrites one', async (t) => {
    const dir = await mkdtemp(path.join(testTmp, 'deploy-new-'));
    t.after(() => rm(dir, { recursive: true }));
    await mkdir(path.join(dir, '0.1.0'));
    await writeFile(path.join(dir, planned.down), 'mine');

    await assert.rejects(writeNewMigration(dir, planned), (error) =>
      isDeployError(error, 'MIGRATION_FILE_INVALID'),
    );

    assert.deepEqual(await readdir(path.join(dir, '0.1.0')), ['0001_first.down.sql']);
  });

  test('takes a folder away again that it has made', async (t) => {
    const dir = await mkdtemp(path.join(testTmp, 'deploy-new-'));
    t.after(() => rm(dir, { recursive: true }));
    const impossible = { ...planned, down: '0.1.0/missing/folder.down.sql' };

    await assert.rejects(writeNewMigration(dir, impossible));

    assert.deepEqual(await readdir(dir), []);
  });
});
