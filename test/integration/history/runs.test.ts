import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { connect } from '../../../src/database/connect.ts';
import { type Hold, holdLock } from '../../../src/database/lock.ts';
import { readLastRuns, readRunFacts, readUnfinishedRun } from '../../../src/history/read-runs.ts';
import {
  ensureRunTable,
  type NewRun,
  openRun,
  type RunPatch,
  updateRun,
} from '../../../src/history/runs.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function hold(t: TestContext, database?: string): Promise<Hold> {
  const name = database ?? (await server.createDatabase());
  const open = () => connect(server.address, { database: name });
  const log = pino({ level: 'silent' });
  const held = await holdLock(open, { database: name, waitMs: 0, runId: 'test', log });
  t.after(() => held.hold.release());
  await ensureRunTable(held.hold.db);
  return held.hold;
}

function newRun(runId: string): NewRun {
  return {
    ...{ runId, planDigest: 'd'.repeat(64), mode: 'update', direction: 'up' },
    ...{ from: '0.4.0', to: '0.5.0', plan: { actions: ['ä', "it's", 'a\\b'] } },
  };
}

describe('a run in deploy_run', () => {
  test('is read again as it was opened', async (t) => {
    const held = await hold(t);

    const opened = await openRun(held, newRun('one'));

    assert.deepEqual(await readUnfinishedRun(held.db, held.database), opened);
    assert.equal(opened.epoch, held.epoch);
    assert.equal(opened.state, 'locked');
    assert.deepEqual(opened.plan, { actions: ['ä', "it's", 'a\\b'] });
    assert.deepEqual(opened.fencedAccounts, []);
    assert.ok(Math.abs(Date.now() - Date.parse(opened.startedAt)) < 60_000);
  });

  test('keeps every change of it, and null for what is taken away', async (t) => {
    const held = await hold(t);
    const opened = await openRun(held, newRun('one'));
    const change: RunPatch = {
      ...{ state: 'putting_back', step: 'put_back', backupSet: 'backup_1', report: '{}' },
      ...{ planDigest: 'e', mode: 'rollback', direction: 'down', from: null, to: '0.4.0' },
      fencedAccounts: [{ user: 'app', host: '%', wasLocked: true }],
      disabledEvents: [
        {
          name: 'nightly',
          definer: 'root@localhost',
          status: 'ENABLED',
          createdAt: '2026-01-01 00:00:00',
        },
      ],
      restoreState: { step: 'swapped' },
      plan: [1],
    };

    await updateRun(held, 'one', change);
    const changed = await readUnfinishedRun(held.db, held.database);
    await updateRun(held, 'one', { restoreState: null, fencedAccounts: [], backupSet: null });
    const cleared = await readUnfinishedRun(held.db, held.database);

    assert.deepEqual(changed, { ...opened, ...change });
    assert.equal(cleared?.restoreState, null);
    assert.deepEqual(cleared?.fencedAccounts, []);
    assert.equal(cleared?.backupSet, null);
    assert.equal(cleared?.step, 'put_back');
  });

  test('may be written twice with the same values', async (t) => {
    const held = await hold(t);
    await openRun(held, newRun('one'));

    await updateRun(held, 'one', { state: 'changing' });
    await updateRun(held, 'one', { state: 'changing' });

    assert.equal((await readUnfinishedRun(held.db, held.database))?.state, 'changing');
  });

  test('is unfinished until it is closed, and has an end from then on', async (t) => {
    const held = await hold(t);
    await openRun(held, newRun('one'));

    await updateRun(held, 'one', { state: 'closed', outcome: 'done', exitCode: 0 });

    const [last] = await readLastRuns(held.db, held.database, 5);
    assert.equal(await readUnfinishedRun(held.db, held.database), null);
    assert.equal(last?.outcome, 'done');
    assert.equal(last?.exitCode, 0);
    assert.ok(Date.parse(last?.finishedAt ?? '') >= Date.parse(last?.startedAt ?? 'x'));
  });

  test('keeps UTC whatever time zone a migration has set', async (t) => {
    const held = await hold(t);
    await held.db.run("SET time_zone = '+09:00'");

    const opened = await openRun(held, newRun('one'));

    assert.ok(Math.abs(Date.now() - Date.parse(opened.startedAt)) < 60_000);
  });

  test('cannot be opened or changed once another process has the lock', async (t) => {
    const held = await hold(t);
    await openRun(held, newRun('one'));
    await held.db.run('UPDATE deploy_lock SET epoch = epoch + 1');

    await assert.rejects(updateRun(held, 'one', { state: 'closed' }), { code: 'LOCK_LOST' });
    await assert.rejects(openRun(held, newRun('two')), { code: 'LOCK_LOST' });

    const runs = await readLastRuns(held.db, held.database, 5);
    assert.deepEqual(
      runs.map(({ runId, state }) => [runId, state]),
      [['one', 'locked']],
    );
  });

  test('cannot be changed once GET_LOCK is gone', async (t) => {
    const held = await hold(t);
    await openRun(held, newRun('one'));
    await held.db.run(`DO RELEASE_LOCK('${held.lockName}')`);

    await assert.rejects(updateRun(held, 'one', { state: 'closed' }), { code: 'LOCK_LOST' });
  });
});

describe('readUnfinishedRun and readLastRuns', () => {
  test('find nothing where no run ever was', async () => {
    const name = await server.createDatabase();
    const db = await server.connect(name);

    assert.equal(await readUnfinishedRun(db, name), null);
    assert.deepEqual(await readLastRuns(db, name, 3), []);
  });

  test('give the newest runs first', async (t) => {
    const held = await hold(t);
    for (const runId of ['b', 'a', 'c']) {
      await openRun(held, newRun(runId));
      await updateRun(held, runId, { state: 'closed', outcome: 'done', exitCode: 0 });
    }

    const runs = await readLastRuns(held.db, held.database, 2);

    assert.deepEqual(
      runs.map(({ runId }) => runId),
      ['c', 'a'],
    );
  });

  test('say nothing of master data when one was accepted half way after its sync', async (t) => {
    const held = await hold(t);
    const end = async (runId: string, patch: RunPatch) => {
      await openRun(held, newRun(runId));
      await updateRun(held, runId, { state: 'closed', ...patch });
    };
    const last = async () => (await readRunFacts(held.db, held.database)).lastMasterdata;
    await end('a', { outcome: 'done', masterdataDigest: 'older' });
    await end('b', { outcome: 'left' });
    assert.equal((await last())?.digest, 'older');

    await end('c', { outcome: 'left', masterdataDigest: 'newer' });

    assert.equal(await last(), null);
    await end('d', { outcome: 'done', masterdataDigest: 'older' });
    assert.equal((await last())?.digest, 'older');
  });

  test('refuse two open runs: only one can have had the lock', async (t) => {
    const held = await hold(t);
    await openRun(held, newRun('one'));
    await openRun(held, newRun('two'));

    await assert.rejects(readUnfinishedRun(held.db, held.database), {
      code: 'HISTORY_UNREADABLE',
      message: 'deploy_run has more than one open run: two, one',
    });
  });

  test('refuse a table that somebody changed', async (t) => {
    const held = await hold(t);
    await openRun(held, newRun('one'));
    await held.db.run("UPDATE deploy_run SET plan = '{'");
    await assert.rejects(readUnfinishedRun(held.db, held.database), { code: 'HISTORY_UNREADABLE' });

    await held.db.run('ALTER TABLE deploy_run DROP COLUMN state');
    await assert.rejects(readUnfinishedRun(held.db, held.database), {
      code: 'HISTORY_UNREADABLE',
      where: 'deploy_run',
    });
  });

  test('say that the connection is lost when it is', async (t) => {
    const held = await hold(t);
    const db = await server.connect(held.database);
    await held.db.run(`KILL ${db.id}`);

    await assert.rejects(readUnfinishedRun(db, held.database), { code: 'CONNECTION_LOST' });
  });
});
