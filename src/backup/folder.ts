import { readlinkSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { Log } from '../config/log.ts';
import { failPoint } from '../errors/fail-point.ts';
import { readStartTime } from '../scratch/owner.ts';
import {
  isPrunedName,
  isSetName,
  makeSetName,
  makeUnfinishedName,
  unfinishedPid,
} from './names.ts';

/** Says who writes an unfinished set, so that a later run can tell a leftover from work in progress. */
const OWNER_FILE = 'owner.json';

/**
 * A process in another container cannot be seen: its set counts as left behind when nothing in it
 * moves, unless the run that it belongs to is known to be over.
 */
const STALE_MS = 3_600_000;

/** A folder is there for a moment before it says whose it is. */
const BEGINNING_MS = 60_000;

const ownerSchema = z.object({
  pid: z.number(),
  startTime: z.string(),
  place: z.string(),
  runId: z.string().nullable().default(null),
});
type Owner = z.infer<typeof ownerSchema>;

/** An unfinished set of this process. */
export type Unfinished = {
  readonly dir: string;
  /** What it will be called, unless another set has got that name by then. */
  readonly name: string;
};

/**
 * Makes the folder of a new set under a name that no reader takes for a set. Makes `dir` too when
 * it is missing. Rejects with the error of the file system.
 */
export async function beginFolder(
  dir: string,
  now: Date,
  runId: string | null,
): Promise<Unfinished> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (let nth = 1; ; nth++) {
    const name = makeSetName(now, nth);
    if (await exists(join(dir, name))) continue;
    const unfinished = join(dir, makeUnfinishedName(name, process.pid));
    try {
      await mkdir(unfinished, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    await writeFile(join(unfinished, OWNER_FILE), JSON.stringify(thisOwner(runId)), {
      mode: 0o600,
    });
    return { name, dir: unfinished };
  }
}

/** The first name for a set of this time that no finished set has. */
export async function findFreeName(dir: string, now: Date): Promise<string> {
  for (let nth = 1; ; nth++) {
    const name = makeSetName(now, nth);
    if (!(await exists(join(dir, name)))) return name;
  }
}

/**
 * Gives a complete set its final name: everything is on the disk before the rename, and the rename
 * before this returns. False when another set got the name meanwhile.
 */
export async function publishFolder(dir: string, from: string, name: string): Promise<boolean> {
  await syncFolder(from);
  // A rename would take the place of an empty folder.
  if (await exists(join(dir, name))) return false;
  try {
    await rename(from, join(dir, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
  await failPoint('backup.renamed');
  await syncFolder(dir);
  // Not before: an unfinished set without it looks dead to who cannot see this process.
  await rm(join(dir, name, OWNER_FILE), { force: true });
  return true;
}

/** Writes a small file of a set and has it on the disk. Replaces an older one of that name. */
export async function writeSynced(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600, flush: true });
}

/** Has the names in a folder on the disk. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes an unfinished set. Never rejects: the reason why it is removed matters more. */
export async function removeUnfinished(unfinished: Unfinished): Promise<void> {
  await rm(unfinished.dir, { recursive: true, force: true }).catch(() => {});
}

/** Whether a run, by its id, has lost the deploy lock for good: only its next holder can know. */
export type IsOver = (runId: string) => Promise<boolean>;

/**
 * Removes unfinished sets whose process is dead or whose run is over, and what is left of pruned
 * ones; gives their names. Finished sets, and whatever has another name, are never touched. What
 * cannot be removed is logged and stays: nobody's recovery or backup fails because of it.
 */
export async function sweepUnfinished(
  dir: string,
  log: Log,
  isOver: IsOver = async () => false,
): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(dir).catch(() => [])) {
    const pid = unfinishedPid(name);
    const path = join(dir, name);
    const isLeft = isPrunedName(name) || (pid !== null && !(await isInUse(path, pid, isOver)));
    if (!isLeft) continue;
    try {
      // Children of a killed process may still write for a moment, so that a folder is not empty.
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    } catch (error) {
      log.warn({ dir: path, err: error }, 'an unfinished backup of a dead run cannot be removed');
      continue;
    }
    log.info({ dir: path }, 'removed an unfinished or half pruned backup of a run that is dead');
    removed.push(name);
  }
  return removed;
}

/** Names of the finished sets in `dir`, in no order; empty when the folder is missing. */
export async function readSetNames(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries
    .filter((entry) => entry.isDirectory() && isSetName(entry.name))
    .map(({ name }) => name);
}

async function isInUse(path: string, pid: number, isOver: IsOver): Promise<boolean> {
  const owner = await readOwner(path);
  if (owner === null || owner.place !== thisPlace()) {
    const isGone = owner === null && readStartTime(pid) === null;
    // Killed with its container. Were it only asleep, it would find its lock lost and give the set up.
    if (owner?.runId != null && (await isOver(owner.runId))) return false;
    return Date.now() - (await lastChange(path)) < (isGone ? BEGINNING_MS : STALE_MS);
  }
  return readStartTime(owner.pid) === owner.startTime;
}

async function lastChange(path: string): Promise<number> {
  const names = await readdir(path).catch(() => []);
  const times = await Promise.all(
    ['.', ...names].map((name) =>
      stat(join(path, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}

async function readOwner(path: string): Promise<Owner | null> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(join(path, OWNER_FILE), 'utf8')));
  } catch {
    return null;
  }
}

function thisOwner(runId: string | null): Owner {
  const { pid } = process;
  return { pid, startTime: readStartTime(pid) ?? '', place: thisPlace(), runId };
}

/** Where a pid means this process: host, and the container's own numbering. */
function thisPlace(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: one numbering per host.
  }
  return `${hostname()} ${namespace}`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
