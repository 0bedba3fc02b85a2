import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, type TestContext, test } from 'node:test';
import { withConnection } from '../../../src/database/connect.ts';
import { readStartTime } from '../../../src/scratch/owner.ts';
import {
  growRedoLog,
  startScratch,
  sweepScratch,
  withScratch,
} from '../../../src/scratch/server.ts';
import { until } from '../../support/deploy.ts';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'scratch-test-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const small = () => ({ dir, bufferPoolMb: 32 });
/** A killed process is there until the kernel has freed its memory, and somebody has asked for its end. */
const hasEnded = (pid: number) => until('the server has ended', () => readStartTime(pid) === null);
const leftovers = async () => (await readdir(dir)).filter((name) => name.startsWith('scratch-'));

describe('startScratch', () => {
  test('gives a server that works like any other and leaves nothing behind', async () => {
    const scratch = await startScratch(small());
    const variables = await withConnection(scratch.address, {}, async (db) => {
      await db.run('CREATE DATABASE shop');
      await db.run('CREATE TABLE shop.items (id INT PRIMARY KEY) ENGINE=InnoDB');
      await db.run("CREATE DEFINER=`nobody`@`%` PROCEDURE shop.p() SELECT 'x'");
      return await db.one(`SELECT @@skip_networking AS network, @@log_bin AS binlog,
        @@event_scheduler AS events, @@max_allowed_packet AS packet, CURRENT_USER() AS user`);
    });
    await scratch.stop();
    await scratch.stop();

    assert.equal(variables?.['user'], 'root@localhost');
    assert.equal(Number(variables?.['network']), 1);
    assert.equal(Number(variables?.['binlog']), 0);
    assert.equal(variables?.['events'], 'OFF');
    assert.equal(Number(variables?.['packet']), 2 ** 30);
    assert.equal(readStartTime(scratch.pid), null);
    assert.deepEqual(await leftovers(), []);
  });

  test('starts with a small redo log where only structure is tried, and grows it for rows', async () => {
    await withScratch({ dir, redoLog: 'small' }, (scratch) =>
      withConnection(scratch.address, {}, async (db) => {
        const logMb = async () => {
          const row = await db.one<{ mb: string }>('SELECT @@innodb_log_file_size >> 20 AS mb');
          return Number(row?.mb);
        };
        assert.equal(await logMb(), 32);

        await growRedoLog(scratch);
        await growRedoLog(scratch);

        assert.equal(await logMb(), 256);
      }),
    );
  });

  test('takes over the variables that decide how a schema is stored', async () => {
    const variables = {
      character_set_server: 'latin1',
      collation_server: 'latin1_german1_ci',
      lower_case_table_names: '1',
      explicit_defaults_for_timestamp: 'OFF',
      innodb_default_row_format: 'compact',
      sql_mode: 'ANSI_QUOTES',
      character_set_collations: '',
      hostname: 'is not taken over',
    };

    const row = await withScratch({ ...small(), variables }, (scratch) =>
      withConnection(scratch.address, {}, (db) =>
        db.one(`SELECT @@global.collation_server AS collation, @@lower_case_table_names AS names,
          @@global.explicit_defaults_for_timestamp AS explicit, @@innodb_default_row_format AS format,
          @@global.sql_mode AS mode`),
      ),
    );

    assert.deepEqual(
      { ...row, names: Number(row?.['names']), explicit: Number(row?.['explicit']) },
      {
        collation: 'latin1_german1_ci',
        names: 1,
        explicit: 0,
        format: 'compact',
        mode: 'ANSI_QUOTES',
      },
    );
  });

  test('starts several at once from no template', async (t) => {
    const own = await mkdtemp(join(tmpdir(), 'scratch-test-'));
    t.after(() => rm(own, { recursive: true, force: true }));

    const all = await Promise.all(
      [1, 2, 3].map(() => startScratch({ dir: own, bufferPoolMb: 32 })),
    );
    await Promise.all(all.map((scratch) => scratch.stop()));

    assert.equal(new Set(all.map((scratch) => scratch.address.socketPath)).size, 3);
    const names = await readdir(own);
    assert.equal(names.length, 1);
    assert.match(names[0] ?? '', /^template-/);
  });

  test('puts the socket elsewhere when its path would be too long', async (t) => {
    const own = await mkdtemp(join(tmpdir(), `scratch-test-${'x'.repeat(90)}-`));
    t.after(() => rm(own, { recursive: true, force: true }));

    const scratch = await startScratch({ dir: own, bufferPoolMb: 32 });
    t.after(() => scratch.stop());
    const socketPath = scratch.address.socketPath ?? '';

    assert.ok(!socketPath.startsWith(own));
    assert.equal((await stat(join(socketPath, '..'))).mode & 0o777, 0o700);
    await withConnection(scratch.address, {}, (db) => db.query('SELECT 1'));
    await scratch.stop();
    await assert.rejects(stat(join(socketPath, '..')), { code: 'ENOENT' });
  });

  test('refuses when the disk has not enough space, with the numbers', async () => {
    const neededBytes = 2 ** 50;

    await assert.rejects(
      startScratch({ ...small(), neededBytes }),
      (error: Error & { facts: Record<string, number> }) => {
        assert.equal((error as { code?: string }).code, 'SPACE_SHORT');
        assert.ok((error.facts['neededBytes'] ?? 0) > neededBytes);
        assert.ok((error.facts['freeBytes'] ?? 0) > 0);
        return true;
      },
    );
  });

  test('says what the server says when it does not start, and leaves nothing behind', async () => {
    const variables = { collation_server: 'klingon_ci' };

    await assert.rejects(
      startScratch({ ...small(), variables }),
      (error: Error & { cause: Error }) => {
        assert.equal((error as { code?: string }).code, 'SCRATCH_FAILED');
        assert.match(error.cause.message, /klingon_ci/);
        return true;
      },
    );
    assert.deepEqual(await leftovers(), []);
  });

  test('fails with a clear error without mariadbd or without a usable folder', async () => {
    await assert.rejects(startScratch({ ...small(), mariadbd: '/nowhere/mariadbd' }), {
      code: 'SCRATCH_FAILED',
    });
    const file = join(dir, 'file');
    await writeFile(file, '');
    await assert.rejects(startScratch({ dir: join(file, 'below') }), { code: 'SCRATCH_FAILED' });
    await rm(file);
  });

  test('notices when the server ends by itself', async (t) => {
    const scratch = await startScratch(small());
    t.after(() => scratch.stop());

    scratch.kill('SIGKILL');
    await scratch.ended;

    assert.equal(readStartTime(scratch.pid), null);
  });
});

describe('withScratch', () => {
  test('removes the server also when the work fails', async () => {
    let pid = 0;
    const work = withScratch(small(), async (scratch) => {
      pid = scratch.pid;
      throw new Error('as told');
    });

    await assert.rejects(work, /as told/);
    assert.equal(readStartTime(pid), null);
    assert.deepEqual(await leftovers(), []);
  });
});

describe('a parent process that ends leaves no server and no files behind', () => {
  const cases: readonly [
    name: string,
    ending: string,
    signal: NodeJS.Signals | null,
    code: number | null,
  ][] = [
    ['in order', 'end', null, 0],
    ['by process.exit', 'exit', null, 0],
    ['by an exception', 'throw', null, 1],
    ['by SIGTERM', 'wait', 'SIGTERM', null],
    ['by SIGINT', 'wait', 'SIGINT', null],
    ['by SIGHUP', 'wait', 'SIGHUP', null],
    ['by a SIGTERM that it handles itself', 'listens', 'SIGTERM', 3],
  ];
  for (const [name, ending, signal, code] of cases) {
    test(name, async (t) => {
      const parent = await startParent(t, ending);
      if (signal !== null) parent.process.kill(signal);
      const [exitCode, killedBy] = await parent.exited;

      assert.equal(exitCode, code);
      if (code === null) assert.equal(killedBy, signal);
      await hasEnded(parent.server.pid);
      assert.deepEqual(await leftovers(), []);
    });
  }

  test('by kill -9: the server dies with it or by the next start, which removes the files', async (t) => {
    const parent = await startParent(t, 'wait');
    parent.process.kill('SIGKILL');
    await parent.exited;
    assert.equal((await leftovers()).length, 1);

    await withScratch(small(), async () => {
      await hasEnded(parent.server.pid);
      assert.equal((await leftovers()).length, 1);
    });
    assert.deepEqual(await leftovers(), []);
  });
});

describe('sweepScratch', () => {
  test('leaves the server of a living process alone', async (t) => {
    const parent = await startParent(t, 'wait');

    assert.deepEqual(sweepScratch(dir), []);
    assert.notEqual(readStartTime(parent.server.pid), null);
    parent.process.kill('SIGTERM');
    await parent.exited;
  });

  test('knows that a pid was given to another process', async (t) => {
    const parent = await startParent(t, 'wait');
    const ownerFile = join(parent.server.dir, 'owner.json');
    const owner = JSON.parse(await readFile(ownerFile, 'utf8'));
    // The owner died, and its pid belongs to this test now; the server of that time lives on.
    await writeFile(
      ownerFile,
      JSON.stringify({ ...owner, owner: { pid: process.pid, startTime: '1' } }),
    );

    assert.equal(sweepScratch(dir).length, 1);
    parent.process.kill('SIGKILL');
    await parent.exited;
    await hasEnded(parent.server.pid);
  });

  test('takes a folder of another container for left behind when nobody keeps it fresh', async (t) => {
    const scratch = await startScratch(small());
    t.after(() => scratch.stop());
    const ownerFile = join(scratch.dir, 'owner.json');
    const owner = JSON.parse(await readFile(ownerFile, 'utf8'));
    await writeFile(ownerFile, JSON.stringify({ ...owner, server: null, pidNamespace: 'pid:[1]' }));
    assert.deepEqual(sweepScratch(dir), []);

    await utimes(ownerFile, 0, 0);

    assert.equal(sweepScratch(dir).length, 1);
  });

  test('touches nothing that is not its own', async () => {
    const own = await mkdtemp(join(tmpdir(), 'scratch-test-'));
    await writeFile(join(own, 'scratch-notes.txt'), 'mine');

    assert.deepEqual(sweepScratch(own), []);
    assert.deepEqual(sweepScratch(join(own, 'missing')), []);
    assert.deepEqual(await readdir(own), ['scratch-notes.txt']);
    await rm(own, { recursive: true });
  });
});

type Parent = {
  readonly process: ChildProcess;
  readonly server: { readonly pid: number; readonly dir: string };
  readonly exited: Promise<[number | null, NodeJS.Signals | null]>;
};

async function startParent(t: TestContext, ending: string): Promise<Parent> {
  const program = join(import.meta.dirname, '../../support/scratch-parent.ts');
  const child = spawn(process.execPath, [program, dir, ending], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const [line] = await once(createInterface(child.stdout!), 'line');
  return { process: child, server: JSON.parse(String(line)), exited };
}
