import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { withConnection } from '../database/connect.ts';
import { findBinaries } from './binaries.ts';
import { type InstanceOptions, makeInstance } from './instance.ts';
import { launchServer } from './launch.ts';
import { canGrowRedoLog, DEFAULT_POOL_MB, redoLogMb, serverOptions } from './options.ts';

export { sweepScratch } from './owner.ts';

export type ScratchOptions = InstanceOptions & {
  readonly log?: Log;
  /** Another `mariadbd` than the one of this machine's PATH. */
  readonly mariadbd?: string;
  /** There is none, on purpose: the server's root has no password. */
  readonly network?: never;
};

/** A private server: structural runs, proofs of backups, `npm start` and tests use it. */
export type Scratch = {
  /** root through a Unix socket, without password. */
  readonly address: ServerAddress;
  readonly pid: number;
  readonly dir: string;
  readonly serverVersion: string;
  /** Settles when the server has ended, wanted or not. */
  readonly ended: Promise<void>;
  /** Ends the server at once and removes its files. May be called twice. */
  stop(): Promise<void>;
  /** Sends a signal to the server, e.g. SIGKILL to test a crash; its files stay until `stop`. */
  kill(signal: NodeJS.Signals): void;
};

/**
 * Starts a private `mariadbd` with an empty data directory under `options.dir`. It ends with this
 * process (the kernel kills it where `setpriv` exists, else the next start does), and its files too.
 *
 * DATA LOSS: what is in it is gone after `stop`; it never stands for the real server.
 *
 * @throws DeployError `SCRATCH_FAILED`, `SPACE_SHORT`
 */
export async function startScratch(given: ScratchOptions): Promise<Scratch> {
  const begun = performance.now();
  const binaries = await findBinaries(given.mariadbd);
  const { redoLog, ...large } = given;
  const isSmall = redoLog === 'small' && canGrowRedoLog(binaries.serverVersion);
  const options: ScratchOptions = isSmall ? { ...large, redoLog } : large;
  const instance = await makeInstance(options, binaries);
  try {
    const args = [...serverOptions(instance, options), '--skip-networking'];
    const server = await launchServer(instance, args);
    const durationMs = Math.round(performance.now() - begun);
    options.log?.debug(
      { dir: instance.dir, pid: server.pid, durationMs },
      'scratch server started',
    );
    return {
      address: makeSocketAddress(instance.socketPath),
      pid: server.pid,
      dir: instance.dir,
      serverVersion: binaries.serverVersion,
      ended: server.ended,
      async stop() {
        await server.end('SIGKILL');
        instance.remove();
      },
      kill: (signal) => server.kill(signal),
    };
  } catch (error) {
    instance.remove();
    throw error;
  }
}

/**
 * Gives a server that was started with a small redo log the one that loading needs; one that has it
 * already stays as it is. Takes a second or more, during which the server works on.
 */
export async function growRedoLog(scratch: Scratch): Promise<void> {
  const sizeBytes = redoLogMb(DEFAULT_POOL_MB) * 2 ** 20;
  await withConnection(scratch.address, {}, async (db) => {
    const now = await db.one<{ size: string }>('SELECT @@innodb_log_file_size AS size');
    if (Number(now?.size) >= sizeBytes || !canGrowRedoLog(scratch.serverVersion)) return;
    await db.run(`SET GLOBAL innodb_log_file_size = ${sizeBytes}`);
  });
}

/** Runs `work` with a private server and removes it afterwards, also when `work` throws. */
export async function withScratch<T>(
  options: ScratchOptions,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const scratch = await startScratch(options);
  try {
    return await work(scratch);
  } finally {
    await scratch.stop();
  }
}

/** Address of the root account of a private server. */
export function makeSocketAddress(socketPath: string): ServerAddress {
  return { host: 'localhost', port: 0, socketPath, user: 'root', password: '' };
}
