import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { connect } from '../../../src/database/connect.ts';
import { type Hold, holdLock } from '../../../src/database/lock.ts';
import { readSession, setFreshSession } from '../../../src/database/session.ts';
import {
  advanceJournal,
  assertGuard,
  ensureJournalTable,
  type JournalEntry,
  readJournal,
} from '../../../src/statements/journal.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function hold(t: TestContext): Promise<Hold> {
  const database = await server.createDatabase();
  const open = () => connect(server.address, { database });
  const log = pino({ level: 'silent' });
  const held = await holdLock(open, { database, waitMs: 0, runId: 'test', log });
  t.after(() => held.hold.release());
  await ensureJournalTable(held.hold);
  return held.hold;
}

function entry(seq: number): JournalEntry {
  return {
    ...{ seq, migration: 1, direction: 'up', statement: seq + 1, hash: 'a'.repeat(64) },
    ...{ class: 'ddl', before: '', expected: '' },
  };
}

/** Each takes away what makes the lock ours. */
const losses: Readonly<Record<string, (held: Hold) => Promise<unknown>>> = {
  'GET_LOCK is not held': ({ db }) => db.run('DO RELEASE_ALL_LOCKS()'),
  'the epoch is the one of another': ({ db }) => db.run('UPDATE deploy_lock SET epoch = epoch + 1'),
  'the rows of the lock are gone': ({ db }) => db.run('DELETE FROM deploy_lock'),
};

/** What a file may have made of the session in which the journal is written. */
const modes = [
  '',
  'ANSI_QUOTES,NO_BACKSLASH_ESCAPES',
  'ORACLE',
  'TRADITIONAL',
  'EMPTY_STRING_IS_NULL,SIMULTANEOUS_ASSIGNMENT,PAD_CHAR_TO_FULL_LENGTH',
];

describe('the journal', () => {
  test('marks what ended and what begins, in every sql_mode, and leaves that as it is', async (t) => {
    for (const mode of modes) {
      const held = await hold(t);
      await held.db.run(`SET SESSION sql_mode='${mode}'`);
      const before = (await readSession(held.db)).get('sql_mode');

      await advanceJournal(held, 'run', { done: [], intent: entry(0), counters: { a: '7' } });
      await advanceJournal(held, 'run', { done: [entry(0), entry(1)], intent: entry(2) });

      const rows = await readJournal(held.db, held.database, 'run');
      assert.deepEqual(
        rows.map(({ seq, state, counters }) => [seq, state, counters]),
        [
          [0, 'done', { a: '7' }],
          [1, 'done', null],
          [2, 'intent', null],
        ],
      );
      assert.equal((await readSession(held.db)).get('sql_mode'), before);
    }
  });

  test('keeps when a statement began, and says when it ended', async (t) => {
    const held = await hold(t);
    const read = () => held.db.one('SELECT begun_at, ended_at FROM deploy_journal');

    await advanceJournal(held, 'run', { done: [], intent: entry(0) });
    const begun = await read();
    await advanceJournal(held, 'run', { done: [entry(0)], intent: null });
    const ended = await read();

    assert.equal(begun?.['ended_at'], null);
    assert.equal(ended?.['begun_at'], begun?.['begun_at']);
    assert.ok(String(ended?.['ended_at']) >= String(ended?.['begun_at']));
  });
});

for (const [name, lose] of Object.entries(losses)) {
  describe(`when ${name}`, () => {
    test('nothing is written, whatever sql_mode a file has set', async (t) => {
      for (const mode of modes) {
        const held = await hold(t);
        await lose(held);
        await held.db.run(`SET SESSION sql_mode='${mode}'`);

        for (const done of [[], [entry(0)], [entry(0), entry(1)]]) {
          const written = advanceJournal(held, 'run', { done, intent: entry(2) });
          await assert.rejects(written, { code: 'LOCK_LOST' });
        }

        assert.deepEqual(await readJournal(held.db, held.database, 'run'), []);
      }
    });

    test('no statement begins: neither in a file that goes on, nor in one that is opened', async (t) => {
      const held = await hold(t);
      await lose(held);
      await held.db.run(`SET SESSION sql_mode='', time_zone='+02:00'`);
      const before = await readSession(held.db);

      await assert.rejects(assertGuard(held), { code: 'LOCK_LOST' });
      const { db, guard } = held;
      const opened = setFreshSession(db, { collation: 'utf8mb4_general_ci', guard });
      await assert.rejects(opened, { code: 'LOCK_LOST' });

      const now = await readSession(db);
      for (const variable of ['sql_mode', 'time_zone', 'collation_connection'])
        assert.equal(now.get(variable), before.get(variable));
    });
  });
}
