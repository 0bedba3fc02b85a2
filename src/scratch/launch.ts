import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { DeployError } from '../errors/deploy-error.ts';
import type { Instance } from './instance.ts';
import { readStartTime } from './owner.ts';
import { asRoot, lastLines } from './template.ts';

/** A running `mariadbd`. */
export type RunningServer = {
  readonly pid: number;
  /** Settles when the process has ended, however it did. */
  readonly ended: Promise<void>;
  /** Sends a signal; nothing happens when the process has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Sends a signal and waits until the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
};

const READY_MS = 60_000;
const POLL_MS = 5;

/**
 * Starts `mariadbd` on an instance's files and gives it back as soon as it greets on its socket.
 * May be called again on the same instance after the server has ended, e.g. after a crash.
 *
 * @throws DeployError `SCRATCH_FAILED` with the server's own error lines as cause.
 */
export async function launchServer(
  instance: Instance,
  options: readonly string[],
): Promise<RunningServer> {
  const { mariadbd, wrapper, baseDir } = instance.binaries;
  const [program = mariadbd, ...args] = [...wrapper, mariadbd];
  const all = [...args, '--no-defaults', `--basedir=${baseDir}`, ...asRoot(), ...options];
  // Everything it says goes to one file, also what it says before it reads its options.
  const log = openSync(instance.errorLog, 'a', 0o600);
  const stdio: StdioOptions = ['ignore', log, log];
  // Its own session, so that Ctrl-C on a terminal reaches this process only, which then ends it.
  const child = spawn(program, all, { stdio, detached: true, cwd: instance.dir });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const pid = child.pid ?? 0;
  if (pid !== 0) instance.setServer({ pid, startTime: readStartTime(pid) ?? '' });
  child.unref();
  await waitUntilReady(instance, child);
  return {
    pid,
    ended,
    kill: (signal) => void child.kill(signal),
    async end(signal) {
      child.kill(signal);
      child.ref();
      await ended;
    },
  };
}

async function waitUntilReady(instance: Instance, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_MS;
  let spawnError: unknown;
  child.once('error', (error) => {
    spawnError = error;
  });
  while (performance.now() < deadline) {
    if (await greets(instance.socketPath)) return;
    if (spawnError !== undefined || child.exitCode !== null || child.signalCode !== null) {
      throw failed(instance, 'the private server ended before it was ready', spawnError);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  child.kill('SIGKILL');
  throw failed(instance, `the private server was not ready after ${READY_MS / 1000} s`, spawnError);
}

/** The server listens before it can answer: only its greeting says that it is ready. */
function greets(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const finish = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('data', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

function failed(instance: Instance, message: string, spawnError: unknown): DeployError {
  const cause = spawnError ?? new Error(lastLines(readLog(instance.errorLog)));
  return new DeployError('SCRATCH_FAILED', message, { where: instance.dir, cause });
}

function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return 'the server wrote no log';
  }
}
