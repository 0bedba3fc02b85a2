/** Processes that a test starts: none outlives it, also when it fails or its file ends otherwise. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import type { Readable } from 'node:stream';

/** Put before a program, which is then process 1 of a namespace of its own, as in a container. */
export const inContainer = [
  'unshare',
  ...['--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'],
];

/** Those that run, or of whose group one still holds their output. */
const open = new Set<ChildProcess>();

/**
 * Starts a program as the first of a group of its own. The kernel ends it when the process of this test
 * file ends: a failure outside of a test leaves no moment to do it. `endGroup` is for the end of the test.
 */
export function startGroup(
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  open.add(child);
  child.once('close', () => open.delete(child));
  return child;
}

/**
 * Ends what `startGroup` started, with all others of its group, and waits for it. A wrapper such as
 * `unshare` would die alone, and leave the program that it runs.
 */
export async function endGroup(child: ChildProcess): Promise<void> {
  if (!open.has(child) || child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // All of them have ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
