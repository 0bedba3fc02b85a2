/** Disturbs a deploy at a chosen or random moment, runs one more command, and looks at what is there. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../../src/database/connect.ts';
import { type Ended, notMeasured, type Running, type Site, until } from './deploy.ts';
import { findLeftovers, type Picture, takePicture } from './picture.ts';

export type Kill = {
  readonly site: Site;
  readonly db: Db;
  /** A fail point, or a time after the start of the process. */
  readonly failAt?: string;
  readonly afterMs?: () => number;
  /** What is sent then; SIGKILL unless given. */
  readonly signal?: NodeJS.Signals;
  /** How a run may end that was not killed; any way unless given. */
  readonly firstCodes?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
  /** Counts the runs that were really disturbed. */
  readonly tally?: Tally;
  /** What else is done to the run while it goes on; it gives up waiting when the run ends. */
  readonly strike?: (run: Running) => Promise<void>;
  /** Another connection than `db`, which a strike may have ended. */
  readonly reconnect?: () => Promise<Db>;
  /** How the database looks when the last command has succeeded (exit 0). */
  readonly isNew?: Picture;
  /** How it looks when the run was put back (exit 20). */
  readonly isOld?: Picture;
  /** How it looks after other exit codes of the last command. */
  readonly outcomes?: Readonly<Record<number, Picture>>;
  readonly args?: readonly string[];
  /** The last command, which must leave everything tidy; `up` unless given. */
  readonly finish?: readonly string[];
  /** What was left over before, as `findLeftovers` says it. */
  readonly known?: readonly string[];
  /** Under which name `npm run faults` counts it. */
  readonly scenario?: string;
};

/** Of the runs to be disturbed at random moments: some have ended before theirs. */
export type Tally = { tried: number; hit: number };

/**
 * Random moments mean nothing when the runs have ended before them. Of many a third must hit; of the
 * few in `npm test` one, because how long a run takes varies on a busy machine.
 */
export function assertOftenHit({ tried, hit }: Tally): void {
  const least = tried < 30 ? 1 : tried / 3;
  assert.ok(hit >= least, `only ${hit} of ${tried} runs were disturbed before their end`);
}

/**
 * Disturbs the deploy, then runs one more command. Afterwards the database must be exactly what
 * the exit code says, and nothing may be left over. Gives how the disturbed run ended.
 */
export async function tryKill(kill: Kill): Promise<Ended> {
  const { site, failAt, afterMs, strike, signal = 'SIGKILL' } = kill;
  const run = site.start(kill.args ?? ['up'], {
    ...notMeasured,
    ...kill.env,
    ...(failAt === undefined ? {} : { DEPLOY_FAIL_AT: failAt }),
  });
  if (strike !== undefined) await strike(run);
  if (afterMs !== undefined) {
    await Promise.race([delay(afterMs()), run.ended]);
    run.child.kill(signal);
  }
  const first = await run.ended;
  if (failAt?.endsWith('=kill'))
    assert.equal(first.signal, 'SIGKILL', `the run did not pass ${failAt}: ${first.stderr}`);
  if (kill.firstCodes !== undefined && first.signal === null)
    assert.ok(kill.firstCodes.includes(first.code!), `exit ${first.code}: ${first.stderr}`);
  await finishKilled(kill, first);
  return first;
}

/** Exactly one more command after a run that was disturbed, and what must be true then. */
export async function finishKilled(kill: Kill, first: Ended): Promise<void> {
  const { site } = kill;
  const last = await site.deploy(kill.finish ?? ['up'], { ...notMeasured, ...kill.env });
  const wanted = { 0: kill.isNew, 20: kill.isOld, ...kill.outcomes }[last.code ?? -1];
  const said = `exit code ${last.code} after: ${first.stderr}\n--- and then: ${last.stderr}`;
  assert.ok(wanted !== undefined, `not one of this scenario's outcomes: ${said}`);
  const db = (await kill.reconnect?.()) ?? kill.db;
  assert.deepEqual(await takePicture(db, site.database), wanted, said);
  assert.deepEqual(await findLeftovers(db, site, kill.known), [], said);
  // Done, refused or put back: nothing came in its way.
  const hit = first.signal !== null || ![0, 13, 20].includes(first.code!);
  if (kill.tally !== undefined) {
    kill.tally.tried++;
    if (hit) kill.tally.hit++;
  }
  noteFault({
    scenario: kill.scenario ?? (kill.args ?? ['up']).join(' '),
    disturbed: first.signal ?? `exit ${first.code}`,
    hit,
    outcome: `exit ${last.code}`,
  });
}

/** A line for the summary of `npm run faults`, which says where. */
export function noteFault(line: {
  readonly scenario: string;
  readonly disturbed: string;
  /** False for a run that had ended before it was to be disturbed. */
  readonly hit: boolean;
  readonly outcome: string;
}): void {
  const file = process.env['FAULT_LOG'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** Waits until the run has stopped itself at a fail point (`=stop`), or has ended. */
export async function untilStopped(run: Running): Promise<void> {
  await until('the run stands still', () => {
    if (run.child.exitCode !== null || run.child.signalCode !== null) return true;
    return /\) [Tt] /.test(readFileSync(`/proc/${run.child.pid}/stat`, 'utf8'));
  });
}

/** Waits until the run stands at a fail point (`=pause`), where its heartbeat goes on; or has ended. */
export async function untilPaused(run: Running): Promise<void> {
  await until('the run pauses', () => {
    if (run.child.exitCode !== null || run.child.signalCode !== null) return true;
    return /^paused at /m.test(run.stderr());
  });
}

/** Ends the pause of a run. */
export function resume(run: Running): void {
  run.child.kill('SIGUSR2');
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

/**
 * Which of the passes of a fail point are tried, counted from 1: all in `npm run faults`; in
 * `npm test` every other one, as the points before and after a statement take turns.
 */
export function passesInCi(times: number, which: 'all' | 'odd' | 'even'): number[] {
  const all = Array.from({ length: times }, (_, index) => index + 1);
  if (which === 'all' || process.env['FAULT_KILLS'] !== undefined) return all;
  return all.filter((nth) => (nth % 2 === 1) === (which === 'odd'));
}
