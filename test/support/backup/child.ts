import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const PROGRAM = new URL('./program.ts', import.meta.url).pathname;

export type Kill = {
  /** The program dies by itself when it passes this place. */
  readonly failPoint?: string;
  /** Killed so long after its first sign of life. */
  readonly afterMs?: number;
  /** What is killed after `afterMs` instead: the private server that the program has started. */
  readonly victim?: 'scratch server';
  /** `afterMs` counts from when this is true instead. */
  readonly onceTrue?: () => boolean;
};

export type Ended = {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly stderr: string;
  /** What was to be killed was there. */
  readonly hit: boolean;
};

/** Runs the program to its end. `onStarted` is called at its first sign of life. */
export async function runProgram(
  args: readonly string[],
  kill: Kill,
  onStarted: () => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: {
      ...process.env,
      ...(kill.failPoint === undefined ? {} : { DEPLOY_FAIL_AT: `${kill.failPoint}=kill` }),
    },
  });
  let stderr = '';
  let hit = kill.failPoint !== undefined;
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const ended = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), ended]);
  onStarted();
  if (kill.afterMs !== undefined) {
    const isThere = () => kill.victim === undefined || serversOf(child.pid!).length > 0;
    while (child.exitCode === null && (kill.onceTrue?.() === false || !isThere())) await sleep(2);
    await Promise.race([sleep(kill.afterMs), ended]);
    hit = kill.victim === undefined ? child.kill('SIGKILL') : killServerOf(child.pid!);
  }
  const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  return { signal, code, stderr, hit };
}

/** Kills the servers among the children of a process; false when there is none. */
function killServerOf(pid: number): boolean {
  const killed = serversOf(pid).filter((server) => {
    try {
      return process.kill(server, 'SIGKILL');
    } catch {
      // It has ended by itself since it was seen.
      return false;
    }
  });
  return killed.length > 0;
}

function serversOf(pid: number): number[] {
  const listed = spawnSync('ps', ['--ppid', String(pid), '-o', 'pid=,comm='], { encoding: 'utf8' });
  return [...listed.stdout.matchAll(/^ *(\d+) +mariadbd/gm)].map(([, id]) => Number(id));
}
