import { randomBytes } from 'node:crypto';
import { constants, mkdtempSync, utimesSync } from 'node:fs';
import { cp, mkdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DeployError } from '../errors/deploy-error.ts';
import type { Binaries } from './binaries.ts';
import { DEFAULT_POOL_MB, redoLogMb, type ServerOptions } from './options.ts';
import {
  BEAT_MS,
  endProcess,
  instanceName,
  makeOwner,
  ownerFile,
  type ProcessName,
  removeInstance,
  sweepScratch,
  writeOwner,
} from './owner.ts';
import { atProcessEnd } from './parent.ts';
import { ensureTemplate } from './template.ts';

/** Where the parts of one private server lie. */
export type InstancePaths = {
  readonly dir: string;
  readonly dataDir: string;
  readonly tmpDir: string;
  readonly errorLog: string;
  readonly socketPath: string;
  /** Folder made elsewhere because the socket's path would be too long, or null. */
  readonly socketDir: string | null;
};

export type Instance = InstancePaths & {
  readonly binaries: Binaries;
  /** Notes the server's process on disk, so that whoever cleans up can end it. */
  setServer(server: ProcessName | null): void;
  /** Ends the server if it runs and removes every file. Synchronous, so that it works while the process exits. */
  remove(): void;
};

export type InstanceOptions = ServerOptions & {
  readonly dir: string;
  /** Bytes that the caller is going to write; checked on top of what the server itself needs. */
  readonly neededBytes?: number;
};

/** `sun_path` of a Unix socket has 108 bytes with its end. */
const SOCKET_PATH_BYTES = 107;
/** Copy of the template, temporary tablespace, and room to breathe. */
const BASE_BYTES = 64 * 2 ** 20;

/**
 * Makes a folder with a fresh data directory for one server, after removing what dead processes
 * left in `options.dir`. It is removed when this process ends, or by the next start after a kill -9.
 *
 * @throws DeployError `SCRATCH_FAILED`, `SPACE_SHORT`
 */
export async function makeInstance(
  options: InstanceOptions,
  binaries: Binaries,
): Promise<Instance> {
  const dir = resolve(options.dir);
  try {
    await mkdir(dir, { recursive: true });
    sweepScratch(dir);
  } catch (cause) {
    throw new DeployError('SCRATCH_FAILED', 'the scratch folder cannot be used', {
      where: dir,
      cause,
    });
  }
  await assertSpace(dir, options);
  const instance = claimInstance(choosePaths(dir), binaries);
  try {
    await mkdir(instance.tmpDir, { recursive: true, mode: 0o700 });
    instance.setServer(null);
    const template = await ensureTemplate(dir, instance.dir, binaries, options.variables ?? {});
    await cp(template, instance.dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
    return instance;
  } catch (cause) {
    instance.remove();
    if (cause instanceof DeployError) throw cause;
    throw new DeployError('SCRATCH_FAILED', 'the private server’s files cannot be made', {
      where: dir,
      cause,
    });
  }
}

function claimInstance(paths: InstancePaths, binaries: Binaries): Instance {
  let server: ProcessName | null = null;
  let removed = false;
  const beat = setInterval(touch, BEAT_MS, ownerFile(paths.dir)).unref();
  const remove = () => {
    if (removed) return;
    removed = true;
    clearInterval(beat);
    if (server !== null) endProcess(server);
    removeInstance(paths.dir, paths.socketDir);
    forget();
  };
  const forget = atProcessEnd(remove);
  return {
    ...paths,
    binaries,
    remove,
    setServer(next) {
      server = next;
      writeOwner(paths.dir, makeOwner(next, paths.socketDir));
    },
  };
}

function choosePaths(scratchDir: string): InstancePaths {
  const dir = join(scratchDir, instanceName(randomBytes(4).toString('hex')));
  const near = join(dir, 's.sock');
  const fits = Buffer.byteLength(near) <= SOCKET_PATH_BYTES;
  // mkdtemp gives the folder the mode 0700: the server's root has no password.
  const socketDir = fits ? null : mkdtempSync(join(tmpdir(), 'deploy-'));
  return {
    dir,
    dataDir: join(dir, 'data'),
    tmpDir: join(dir, 'tmp'),
    errorLog: join(dir, 'error.log'),
    socketPath: socketDir === null ? near : join(socketDir, 's.sock'),
    socketDir,
  };
}

async function assertSpace(dir: string, options: InstanceOptions): Promise<void> {
  const redoBytes = redoLogMb(options.bufferPoolMb ?? DEFAULT_POOL_MB) * 2 ** 20;
  const neededBytes = BASE_BYTES + redoBytes + (options.neededBytes ?? 0);
  const disk = await statfs(dir);
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes >= neededBytes) return;
  throw new DeployError(
    'SPACE_SHORT',
    `the scratch folder has ${asMb(freeBytes)} MB free and needs ${asMb(neededBytes)} MB`,
    { where: dir, facts: { freeBytes, neededBytes } },
  );
}

function asMb(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // The folder was removed by hand: nothing is left to keep fresh.
  }
}
