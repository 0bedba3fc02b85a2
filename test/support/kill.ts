/** Kills a deploy at a chosen or random moment, runs `up` once more, and looks at what is there. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../../src/database/connect.ts';
import type { Site } from './deploy.ts';
import { findLeftovers, type Picture, takePicture } from './picture.ts';

export type Kill = {
  readonly site: Site;
  readonly db: Db;
  /** A fail point, or a time after the start of the process. */
  readonly failAt?: string;
  readonly afterMs?: () => number;
  /** How the database looks when the run has succeeded. */
  readonly isNew?: Picture;
  /** How it looks when the run was put back. */
  readonly isOld?: Picture;
  readonly args?: readonly string[];
};

/**
 * Kills the deploy, then runs `up` once more. Afterwards the database must be exactly old or
 * exactly new, as the exit code says, and nothing may be left over.
 */
export async function tryKill(kill: Kill): Promise<void> {
  const { site, db } = kill;
  const env = kill.failAt === undefined ? {} : { DEPLOY_FAIL_AT: kill.failAt };
  const run = site.start(kill.args ?? ['up'], env);
  if (kill.afterMs !== undefined) {
    await Promise.race([delay(kill.afterMs()), run.ended]);
    run.child.kill('SIGKILL');
  }
  const first = await run.ended;
  if (kill.failAt !== undefined)
    assert.equal(first.signal, 'SIGKILL', `the run did not pass ${kill.failAt}: ${first.stderr}`);

  const second = await site.deploy(['up']);
  const picture = await takePicture(db, site.database);

  const wanted = second.code === 0 ? kill.isNew : kill.isOld;
  assert.ok(
    wanted !== undefined,
    `exit code ${second.code} is not one of this scenario: ${second.stderr}`,
  );
  assert.ok(second.code === 0 || second.code === 20, `exit code ${second.code}: ${second.stderr}`);
  assert.deepEqual(picture, wanted, `after a kill, and: ${second.stderr}`);
  assert.deepEqual(await findLeftovers(db, site), []);
}

/** The same numbers for the same seed (mulberry32). */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many random kills: the given number, or FAULT_KILLS for a longer run. */
export function killsInCi(number: number): number {
  return Number(process.env['FAULT_KILLS'] ?? number);
}
