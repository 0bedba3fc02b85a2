import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Running, type Site, until } from '../support/deploy.ts';
import { openDepot, parcelActions } from '../support/depot.ts';
import {
  assertOftenHit,
  killsInCi,
  makeRandom,
  passesInCi,
  tryKill,
  untilStopped,
} from '../support/kill.ts';
import { type Picture, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';

/**
 * Every place that a run passes between opening and closing itself, and how often. Here it is killed
 * before the odd statements and after the even ones; `npm run faults` does both at each.
 */
const points: readonly (readonly [name: string, times: number, which?: 'odd' | 'even'])[] = [
  ['run.opened', 1],
  ['backup.begin', 1],
  ['backup.dumped', 1],
  ['backup.proved', 1],
  ['run.changing', 1],
  ['apply.journalled', parcelActions.up, 'odd'],
  ['transaction.before-commit', 5, 'odd'],
  ['apply.executed', parcelActions.up, 'even'],
  ['apply.record', 1],
  ['run.changed', 1],
  ['run.record', 1],
];

/** Statements that wait for a reader of the table, so that a kill hits them while they run. */
const waiting: readonly (readonly [nth: number, table: string])[] = [
  [3, 'purchase'],
  [8, 'purchase'],
  [12, 'purchase'],
];

const server = await startTestServer({ after });
const { expected, tookMs } = await makeExpected();

/** How the database looks after a run that nobody disturbed, and how long that takes. */
async function makeExpected(): Promise<{ expected: Picture; tookMs: number }> {
  const site = await makeSite({ after }, server);
  const db = await openDepot(site);
  const begun = Date.now();
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  return { tookMs: Date.now() - begun, expected: await takePicture(db, site.database) };
}

describe('kill -9 and SIGTERM during a migration of twelve statements and a data function', () => {
  async function freshDepot(t: {
    after(fn: () => Promise<void>): void;
  }): Promise<{ site: Site; db: Db }> {
    const site = await makeSite(t, server);
    return { site, db: await openDepot(site) };
  }

  for (const [name, times, which = 'all'] of points) {
    for (const nth of passesInCi(times, which)) {
      test(`at ${name}, time ${nth}: one more up brings the new version`, async (t) => {
        const scenario = 'up, killed at a step';
        await tryKill({
          ...(await freshDepot(t)),
          ...{ scenario, failAt: `${name}#${nth}=kill`, isNew: expected },
        });
      });
    }
  }

  for (const [nth, table] of waiting) {
    test(`while statement ${nth} runs in the server: one more up brings the new version`, async (t) => {
      const { site, db } = await freshDepot(t);
      const reader = await site.connect();
      const strike = async (run: Running): Promise<void> => {
        await untilStopped(run);
        await reader.run('START TRANSACTION');
        await reader.query(`SELECT COUNT(*) FROM ${table}`);
        run.child.kill('SIGCONT');
        await until('the statement waits for the reader', async () => {
          const waiters = await db.query(
            `SELECT 1 FROM information_schema.processlist
             WHERE db = '${site.database}' AND state LIKE 'Waiting for table metadata lock'`,
          );
          return waiters.length > 0;
        });
        run.child.kill('SIGKILL');
        await run.ended;
        await reader.run('COMMIT');
      };

      const scenario = 'up, killed while a statement runs';
      const failAt = `apply.journalled#${nth}=stop`;
      await tryKill({ site, db, scenario, failAt, strike, isNew: expected });
    });
  }

  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_116);
  const tally = { tried: 0, hit: 0 };
  for (const [signal, kills] of [
    ['SIGKILL', killsInCi(6)],
    ['SIGTERM', killsInCi(3)],
  ] as const) {
    for (let nth = 1; nth <= kills; nth++) {
      test(`${signal} at random moment ${nth} of seed ${seed}: one more up brings the new version`, async (t) => {
        const random = makeRandom(seed + nth);
        await tryKill({
          ...(await freshDepot(t)),
          scenario: `up, ${signal} at a random moment`,
          ...{ signal, afterMs: () => random() * tookMs, firstCodes: [0, 16, 20, 23] },
          ...{ isNew: expected, tally },
        });
      });
    }
  }

  test('some of these runs were hit before their end', () => assertOftenHit(tally));
});
