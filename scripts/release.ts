/**
 * `npm run release`: a new release, with the old backend serving until the database is ready. What
 * it runs is what a person would type, and it is shown:
 *
 *     docker compose build
 *     docker compose run --rm deploy doctor
 *     docker compose run --rm deploy plan
 *     docker compose run --rm deploy
 *     docker compose up --detach --wait
 *
 * Before: RELEASE in `.env` (or the environment) is the new release. Without a terminal it needs
 * `--yes`. Exit code: that of the command that failed; 13 when nobody said yes; 130 and 143 when it was
 * told to stop: the command that runs ends first, and no other is started. Whatever fails, it says which
 * release serves, and the command that brings the old one back.
 */

import { createInterface } from 'node:readline/promises';
import { $ } from 'zx';
import { type Situation, whatNow } from './release-advice.ts';
import {
  askReady,
  type LookedAt,
  readBackend,
  readDatabase,
  readNewRelease,
  readRevision,
  readSetOfBefore,
  StepFailed,
} from './release-look.ts';

const say = (text: string): void => void process.stderr.write(`release: ${text}\n`);
// In the terminal's own group: Ctrl-C reaches the command, which ends safely and says how.
const shown = $({ nothrow: true, stdio: 'inherit', detached: false, preferLocal: false });

/** Aborted by the first signal; the exit code is its reason. */
const stop = new AbortController();
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) return;
    say(`told to stop (${signal}): what runs now ends first`);
    stop.abort(exitCode);
  });
}

/** The situation as it becomes known. */
type Known = { -readonly [K in keyof Situation]: Situation[K] } & { before: LookedAt | null };

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words.some((word) => word !== '--yes')) {
    say('usage: npm run release [-- --yes]');
    return 2;
  }
  const known: Known = {
    ...{ step: 'build', newRelease: '', old: null, before: null, now: null, setOfBefore: null },
  };
  try {
    await release(known, words.includes('--yes'));
    return 0;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    await lookAgain(known);
    for (const line of whatNow(known, error.exitCode)) say(line);
    return error.exitCode;
  }
}

async function release(known: Known, isConfirmed: boolean): Promise<void> {
  known.newRelease = await readNewRelease();
  known.old = await readBackend();
  const from = known.old === null ? 'no backend runs' : (known.old.release ?? 'an older backend');
  say(`${from} → ${known.newRelease}`);
  await nameBuild();
  await step(['build']);

  known.step = 'plan';
  await step(inDeploy('doctor'));
  known.before = await readDatabase();
  // 30: there is something to do.
  await step(inDeploy('plan'), [0, 30]);
  known.step = 'question';
  if (!isConfirmed && !(await confirm())) throw new StepFailed(13);

  throwIfStopped();
  known.step = 'deploy';
  await step(inDeploy());
  known.step = 'start';
  await step(['up', '--detach', '--wait']);
  await check(known.newRelease);
  say(`${known.newRelease} serves, and the database is as it requires`);
}

/** For the labels of the images, which the sidecar shows. */
async function nameBuild(): Promise<void> {
  process.env['BUILD_DATE'] ??= new Date().toISOString();
  const revision = await readRevision();
  if (revision !== null) process.env['REVISION'] ??= revision;
}

/** A run that failed may have recorded versions before, so its exit code alone does not say where it is. */
async function lookAgain(known: Known): Promise<void> {
  if (known.before === null || !['deploy', 'start'].includes(known.step)) return;
  try {
    known.now = await readDatabase();
    known.setOfBefore = await readSetOfBefore(known.before);
  } catch (error) {
    // It has said why. What could not be read stays unknown, and the advice says so.
    if (!(error instanceof StepFailed)) throw error;
  }
}

function inDeploy(...words: readonly string[]): string[] {
  // Compose wants a terminal unless it is told that there is none.
  return ['run', '--rm', ...(process.stdin.isTTY ? [] : ['-T']), 'deploy', ...words];
}

async function step(words: readonly string[], good: readonly number[] = [0]): Promise<void> {
  throwIfStopped();
  say(`docker compose ${words.join(' ')}`);
  const exitCode = (await shown`docker compose ${words}`).exitCode ?? 1;
  if (!good.includes(exitCode)) throw new StepFailed(exitCode);
  throwIfStopped();
}

function throwIfStopped(): void {
  if (stop.signal.aborted) throw new StepFailed(stop.signal.reason as number);
}

/** Ctrl-C, Ctrl-D and a signal are a no. */
async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    say('there is no terminal to ask on: --yes goes on without asking');
    return false;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  const question = 'release: type yes to go on: ';
  try {
    const typed = lines.question(question, { signal: stop.signal });
    return (await Promise.race([typed, ended])).trim().toLowerCase() === 'yes';
  } catch (error) {
    if ((error as Error).name !== 'AbortError' && !stop.signal.aborted) throw error;
    return false;
  } finally {
    lines.close();
  }
}

/** `up --wait` is content with a backend that runs: the sidecar must agree, and it must be the new one. */
async function check(newRelease: string): Promise<void> {
  const problem = await askReady();
  if (problem !== null) {
    say(`the sidecar says that the database is not ready: ${problem}`);
    throw new StepFailed(1);
  }
  const running = await readBackend();
  if (running?.release === newRelease) return;
  say(`the backend that runs is ${running?.release ?? 'none'}`);
  throw new StepFailed(1);
}
