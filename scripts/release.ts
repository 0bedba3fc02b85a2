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
 * `--yes`. Exit code: that of the command that failed; 13 when nobody said yes. Whatever fails, it
 * says which release serves, and the command that brings the old one back.
 */

import { createInterface } from 'node:readline/promises';
import { $ } from 'zx';
import { type Situation, whatNow } from './release-advice.ts';

/** A command of this procedure failed, and has said why. */
class StepFailed extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

const say = (text: string): void => void process.stderr.write(`release: ${text}\n`);
const quiet = $({ nothrow: true, quiet: true });
// In the terminal's own group: Ctrl-C reaches the command, which ends safely and says how.
const shown = $({ nothrow: true, stdio: 'inherit', detached: false, preferLocal: false });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words.some((word) => word !== '--yes')) {
    say('usage: npm run release [-- --yes]');
    return 2;
  }
  const situation: Situation = {
    ...{ oldRelease: null, newRelease: '', oldVersion: null, step: 'build' },
  };
  try {
    await release(situation, words.includes('--yes'));
    return 0;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    for (const line of whatNow(situation, error.exitCode)) say(line);
    return error.exitCode;
  }
}

async function release(situation: Situation, isConfirmed: boolean): Promise<void> {
  situation.newRelease = await readNewRelease();
  situation.oldRelease = await readOldRelease();
  say(`${situation.oldRelease ?? 'no backend runs'} → ${situation.newRelease}`);
  await nameBuild();
  await step(['build']);

  situation.step = 'plan';
  await step(inDeploy('doctor'));
  situation.oldVersion = await readVersion();
  // 30: there is something to do.
  await step(inDeploy('plan'), [0, 30]);
  if (!isConfirmed && !(await confirm())) throw new StepFailed(13);

  situation.step = 'deploy';
  await step(inDeploy());
  situation.step = 'start';
  await step(['up', '--detach', '--wait']);
  await check(situation.newRelease);
  say(`${situation.newRelease} serves, and the database is as it requires`);
}

/** For the labels of the images, which the sidecar shows. */
async function nameBuild(): Promise<void> {
  process.env['BUILD_DATE'] ??= new Date().toISOString();
  const { exitCode, stdout } = await quiet`git rev-parse HEAD`;
  if (exitCode === 0) process.env['REVISION'] ??= stdout.trim();
}

/** As compose itself understands `.env`, the environment and the compose files. */
async function readNewRelease(): Promise<string> {
  const { exitCode, stdout, stderr } = await quiet`docker compose config --format json`;
  if (exitCode !== 0) {
    process.stderr.write(stderr);
    throw new StepFailed(10);
  }
  const { services } = JSON.parse(stdout);
  return tagOf(services.backend.image);
}

async function readOldRelease(): Promise<string | null> {
  const id = (await quiet`docker compose ps --quiet backend`).stdout.trim();
  if (id === '') return null;
  return tagOf((await quiet`docker inspect --format {{.Config.Image}} ${id}`).stdout.trim());
}

function tagOf(image: string): string {
  return /:([^:/]+)$/.exec(image)?.[1] ?? 'latest';
}

/** The database's version before the release; null when it is empty. */
async function readVersion(): Promise<string | null> {
  const { stdout } = await quiet`docker compose run --rm -T deploy status --json`;
  try {
    return JSON.parse(stdout).actual_db_version;
  } catch {
    return null;
  }
}

function inDeploy(...words: readonly string[]): string[] {
  // Compose wants a terminal unless it is told that there is none.
  return ['run', '--rm', ...(process.stdin.isTTY ? [] : ['-T']), 'deploy', ...words];
}

async function step(words: readonly string[], good: readonly number[] = [0]): Promise<void> {
  say(`docker compose ${words.join(' ')}`);
  const exitCode = (await shown`docker compose ${words}`).exitCode ?? 1;
  if (!good.includes(exitCode)) throw new StepFailed(exitCode);
}

async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    say('there is no terminal to ask on: --yes goes on without asking');
    return false;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question('release: type yes to go on: ').finally(() => lines.close());
  return answer.trim().toLowerCase() === 'yes';
}

/** `up --wait` is content with a backend that runs: the sidecar must agree, and it must be the new one. */
async function check(newRelease: string): Promise<void> {
  const ready = await quiet`docker compose exec -T health node healthcheck/probe.ts ready`;
  if (ready.exitCode !== 0) {
    say(`the sidecar says that the database is not ready: ${ready.stdout.trim()}`);
    throw new StepFailed(1);
  }
  const running = await readOldRelease();
  if (running === newRelease) return;
  say(`the backend that runs is ${running ?? 'none'}`);
  throw new StepFailed(1);
}
