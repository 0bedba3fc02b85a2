/** A sync that dies: the master data is all old or all new, and one more `up` brings the new. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../../src/database/connect.ts';
import type { MasterdataSet } from '../../src/masterdata/read.ts';
import { diffMasterdata } from '../../src/masterdata/sync.ts';
import { makeSite, type Site, until } from '../support/deploy.ts';
import { killsInCi, makeRandom, noteFault } from '../support/kill.ts';
import { type Files, makeDir, readSet, summarise, writeSet } from '../support/masterdata.ts';
import { findLeftovers } from '../support/picture.ts';
import { endGroup, startGroup } from '../support/processes.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { shelfShop, shelfTables } from '../support/shelf-shop.ts';

const server = await startTestServer({ after });
const program = path.join(import.meta.dirname, '../support/sync-process.ts');

/** Two sets that differ in every way: changed, new and gone rows, and references to new ones. */
function makeFiles(which: 'a' | 'b', count: number): Files {
  const first = which === 'a' ? 0 : count / 4;
  const shelves = Array.from({ length: 20 }, (_, at) => ({
    name: `Regal ${which}${at}`,
    height: 1,
  }));
  const products = Array.from({ length: count }, (_, at) => ({
    ...{ name: `Ware ${at + first}`, price: `${at % 7}.50`, note: which },
    shelf: `Regal ${which}${at % 20}`,
  }));
  return { shelves: [{ name: 'Mitte', height: 2 }, ...shelves], products };
}

async function writeDir(which: 'a' | 'b', count: number): Promise<string> {
  const dir = await makeDir({ after });
  await writeSet(dir, shelfShop, makeFiles(which, count));
  return dir;
}

describe('kill -9 of a sync', () => {
  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_117);
  const kills = killsInCi(8);

  for (const each of [seed, seed + 1, seed + 2]) {
    test(`at ${kills} random moments after its first write, seed ${each}, leaves all of the old or all of the new`, (t) =>
      killAtRandom(t, each));
  }

  async function killAtRandom(t: Cleanup, number: number): Promise<void> {
    const database = await server.createDatabase();
    const db = await server.connect(database);
    for (const statement of shelfTables) await db.run(statement);
    const dirs = { a: await writeDir('a', 3000), b: await writeDir('b', 3000) };
    const sets = { a: await readSet(dirs.a), b: await readSet(dirs.b) };
    await syncProcess(t, database, dirs.a).ended;
    const writeMs = await timeWrites(t, database, dirs.b);
    const random = makeRandom(number);
    let between = 0;
    let is: 'a' | 'b' = 'b';

    for (let nth = 1; nth <= kills; nth++) {
      const next: 'a' | 'b' = is === 'a' ? 'b' : 'a';
      const run = syncProcess(t, database, dirs[next], true);
      await run.paused;
      // From here on it writes; some of the kills come after its commit.
      run.child.kill('SIGUSR2');
      await Promise.race([delay(writeMs * random() * 1.2), run.ended]);
      const written = await untilWritten(db, run);
      run.child.kill('SIGKILL');
      const said = await run.ended;
      await untilAlone(db);

      const differing = { a: await differs(db, sets.a), b: await differs(db, sets.b) };
      const found: 'a' | 'b' = differing.a ? 'b' : 'a';
      assert.notEqual(differing.a, differing.b, `kill ${nth}: neither all old nor all new`);
      if (said === 'synced\n') assert.equal(found, next, `kill ${nth}: what was committed stays`);
      noteFault({
        ...{ scenario: 'sync of master data, killed at a random moment' },
        ...{ disturbed: 'SIGKILL', hit: written },
        outcome: found === next ? 'all new' : 'all old',
      });
      if (written && found === is) between += 1;
      is = found;
    }
    assert.ok(between > 0, 'at least one was killed between its first write and its commit');
  }

  /** Waits until the transaction of the run has changed a row; false when the run is over by then. */
  async function untilWritten(db: Db, { ended }: SyncProcess): Promise<boolean> {
    let over = false;
    void ended.then(() => {
      over = true;
    });
    let written = false;
    await until('the run has written', async () => {
      const rows = await db.query(
        'SELECT 1 FROM information_schema.innodb_trx WHERE trx_rows_modified > 0',
      );
      written = rows.length > 0;
      return over || written;
    });
    return written;
  }

  /** How long a sync takes from its first write to its end. */
  async function timeWrites(t: Cleanup, database: string, dir: string): Promise<number> {
    const run = syncProcess(t, database, dir, true);
    await run.paused;
    const begunAt = performance.now();
    run.child.kill('SIGUSR2');
    assert.equal(await run.ended, 'synced\n');
    return performance.now() - begunAt;
  }

  type SyncProcess = ReturnType<typeof syncProcess>;

  function syncProcess(t: Cleanup, database: string, dir: string, pauses = false) {
    const args = [process.execPath, program, server.address.socketPath!, database, dir];
    const fault = pauses ? { DEPLOY_FAIL_AT: 'masterdata.entity.before=pause' } : {};
    const child = startGroup(args, { ...process.env, ...fault });
    t.after(() => endGroup(child));
    let [text, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const ended = new Promise<string>((done) => child.on('close', () => done(text)));
    const paused = until('the sync is about to write', () => {
      if (child.exitCode !== null) throw new Error(`the sync ended before: ${errors}`);
      return !pauses || /^paused at /m.test(errors);
    });
    return { child, ended, paused };
  }
});

/** The server notices a dead client only at its next word, and then rolls back. */
function untilAlone(db: Db): Promise<void> {
  return until('the killed connection is gone', async () => {
    const rows = await db.query(
      'SELECT id FROM information_schema.processlist WHERE db = DATABASE()',
    );
    return rows.length === 1;
  });
}

async function differs(db: Db, set: MasterdataSet): Promise<boolean> {
  return summarise(await diffMasterdata(db, set)).length > 0;
}

describe('kill -9 of an up that syncs', () => {
  for (const point of [
    'masterdata.entity.before#1',
    'masterdata.entity.before#2',
    'masterdata.before-commit',
    'run.synced',
    'run.changed',
  ]) {
    test(`at ${point}: all is old or new, and one more up brings the new master data`, async (t) => {
      const dir = path.join(await makeDir(t), 'masterdata');
      await mkdir(dir);
      const made = await makeSite(t, server, {
        '0.1.0/0001_shop.up.sql': `${shelfTables.join(';\n')};\n`,
        '0.1.0/0001_shop.down.sql':
          'DROP TABLE order_line;\nDROP TABLE product;\nDROP TABLE shelf;\n',
      });
      const site = withMasterdata(made, dir);
      await writeSet(dir, shelfShop, makeFiles('a', 40));
      const first = await site.deploy(['up']);
      assert.equal(first.code, 0, first.stderr);
      const db = await site.connect();
      const old = await readSet(await writeDir('a', 40));
      await writeSet(dir, shelfShop, makeFiles('b', 40));

      const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: `${point}=kill` });
      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      await untilAlone(db);
      assert.equal(await differs(db, old), point.startsWith('run.'), 'written as a whole');
      const last = await site.deploy(['up']);
      noteFault({
        ...{ scenario: 'up that syncs master data, killed at a step', disturbed: 'SIGKILL' },
        ...{ hit: true, outcome: `exit ${last.code}` },
      });

      assert.equal(last.code, 0, last.stderr);
      assert.doesNotMatch(last.stderr, /put back/, 'master data alone is gone on with');
      assert.deepEqual(await findLeftovers(db, site), []);
      assert.equal(await differs(db, await readSet(dir)), false);
    });
  }

  function withMasterdata(site: Site, dir: string): Site {
    const env = { MASTERDATA: 'changed', MASTERDATA_DIR: dir };
    return {
      ...site,
      deploy: (args, extra) => site.deploy(args, { ...env, ...extra }),
      start: (args, extra, wrapper) => site.start(args, { ...env, ...extra }, wrapper),
    };
  }
});
