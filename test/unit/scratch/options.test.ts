import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  canGrowRedoLog,
  redoLogMb,
  SHARED_VARIABLES,
  serverOptions,
  variableOptions,
} from '../../../src/scratch/options.ts';
import { lastLines, templateName } from '../../../src/scratch/template.ts';

const paths = {
  dir: '/s/scratch-1-a',
  dataDir: '/s/scratch-1-a/data',
  tmpDir: '/s/scratch-1-a/tmp',
  errorLog: '/s/scratch-1-a/error.log',
  socketPath: '/s/scratch-1-a/s.sock',
  socketDir: null,
};

describe('serverOptions', () => {
  test('waits for no disk unless it is asked to', () => {
    assert.ok(serverOptions(paths, {}).includes('--innodb-flush-log-at-trx-commit=0'));
    const durable = serverOptions(paths, { durable: 'full' });
    assert.ok(durable.includes('--innodb-flush-log-at-trx-commit=1'));
    assert.ok(!durable.some((option) => /nosync|no-sync|doublewrite/.test(option)));
  });

  test('keeps to its own folder and takes part in no replication', () => {
    const options = serverOptions(paths, {});

    for (const option of [
      '--tmpdir=/s/scratch-1-a/tmp',
      '--skip-log-bin',
      '--event-scheduler=OFF',
    ]) {
      assert.ok(options.includes(option), option);
    }
  });

  test('takes over known variables only, and lets an old server ignore new ones', () => {
    const variables = {
      sql_mode: 'ANSI',
      character_set_collations: 'utf8mb4=utf8mb4_bin',
      datadir: '/x',
    };

    assert.deepEqual(variableOptions(SHARED_VARIABLES, variables), [
      '--loose-character-set-collations=utf8mb4=utf8mb4_bin',
      '--loose-sql-mode=ANSI',
    ]);
  });
});

test('the redo log is twice the buffer pool, from 32 MiB to 1 GiB', () => {
  assert.deepEqual([8, 128, 4096].map(redoLogMb), [32, 256, 1024]);
});

test('the redo log of a running server can be made larger from 10.9 on', () => {
  const versions = ['10.6.24-MariaDB', '10.8.8-MariaDB', '10.9.1-MariaDB', '11.8.3-MariaDB'];
  assert.deepEqual(versions.map(canGrowRedoLog), [false, false, true, true]);
});

describe('templateName', () => {
  test('differs by server version and by what is fixed at installation', () => {
    const plain = templateName('10.11.19-MariaDB', {});

    assert.equal(plain, 'template-1-10.11.19-MariaDB-0-16384');
    assert.equal(templateName('10.11.19-MariaDB', { innodb_page_size: '16384' }), plain);
    assert.notEqual(templateName('10.11.19-MariaDB', { lower_case_table_names: '1' }), plain);
    assert.equal(templateName('../11', {}), 'template-1-.._11-0-16384');
  });
});

test('of a server log the errors are shown, else the last lines', () => {
  assert.equal(lastLines('a [Note]\nb [ERROR] x\nc [Note]\n\n'), 'b [ERROR] x');
  assert.equal(lastLines('1\n2\n3\n4\n5\n6\n'), '2\n3\n4\n5\n6');
});
