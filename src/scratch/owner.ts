import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Who made a scratch folder, so that a later start can tell a leftover from one in use.
 *
 * A process is named by pid *and* start time: a pid alone is reused. A process in another
 * container cannot be seen, so its folder counts as in use while its owner file is kept fresh
 * (every `BEAT_MS`), and as left behind after `STALE_MS` or after a reboot.
 */
export type Owner = {
  readonly owner: ProcessName;
  readonly server: ProcessName | null;
  readonly bootId: string;
  readonly pidNamespace: string;
  /** Folder made outside the scratch folder for a short socket path, or null. */
  readonly socketDir: string | null;
};

export type ProcessName = { readonly pid: number; readonly startTime: string };

/** How often the owner file is touched. */
export const BEAT_MS = 15_000;
const STALE_MS = 120_000;

const PREFIX = 'scratch-';
const OWNER_FILE = 'owner.json';

/** Name of a new instance's folder: carries the pid, so that even a folder without owner file has one. */
export function instanceName(random: string): string {
  return `${PREFIX}${process.pid}-${random}`;
}

/** The owner file's text for this process and its server (null before it is started). */
export function makeOwner(server: ProcessName | null, socketDir: string | null): Owner {
  const owner = { pid: process.pid, startTime: readStartTime(process.pid) ?? '' };
  return { owner, server, bootId: readBootId(), pidNamespace: readPidNamespace(), socketDir };
}

/** Writes the owner file. Synchronous: nothing may happen between starting a server and noting it. */
export function writeOwner(dir: string, owner: Owner): void {
  writeFileSync(join(dir, OWNER_FILE), `${JSON.stringify(owner)}\n`);
}

/** Path of the owner file, to keep it fresh. */
export function ownerFile(dir: string): string {
  return join(dir, OWNER_FILE);
}

/**
 * Removes what dead processes left in `dir`, and ends their servers if those still run. Folders of
 * living processes, of this one too, are not touched. Gives the names of the removed folders.
 *
 * DATA LOSS: deletes `scratch-…` folders only, and only those whose owner is dead.
 */
export function sweepScratch(dir: string): string[] {
  const removed: string[] = [];
  for (const name of listInstances(dir)) {
    const path = join(dir, name);
    const owner = readOwner(path);
    if (owner === null ? isAlive(pidOf(name)) : isInUse(path, owner)) continue;
    if (owner?.server && isSameBoot(owner)) endProcess(owner.server);
    removeInstance(path, owner?.socketDir ?? null);
    removed.push(name);
  }
  return removed;
}

/** Removes one instance's folder and its socket folder. */
export function removeInstance(dir: string, socketDir: string | null): void {
  // A dying server may still be writing: its folder can be "not empty" for a moment.
  rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  // The name came from a file: only a folder that this module makes may be removed.
  if (
    socketDir !== null &&
    /\/deploy-[A-Za-z0-9]{6}$/.test(socketDir) &&
    dirname(dir) !== socketDir
  ) {
    rmSync(socketDir, { recursive: true, force: true });
  }
}

/** Field 22 of `/proc/PID/stat`; null when there is no such process or it is only waited for (zombie). */
export function readStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, and may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function listInstances(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => /^scratch-\d+-\w+$/.test(name));
  } catch {
    return [];
  }
}

function pidOf(name: string): number {
  return Number(name.slice(PREFIX.length).split('-')[0]);
}

function readOwner(dir: string): Owner | null {
  try {
    return JSON.parse(readFileSync(join(dir, OWNER_FILE), 'utf8')) as Owner;
  } catch {
    return null;
  }
}

function isInUse(dir: string, owner: Owner): boolean {
  if (!isSameBoot(owner)) return false;
  if (owner.pidNamespace === readPidNamespace()) {
    return readStartTime(owner.owner.pid) === owner.owner.startTime;
  }
  return Date.now() - statSync(join(dir, OWNER_FILE)).mtimeMs < STALE_MS;
}

function isSameBoot(owner: Owner): boolean {
  return owner.bootId === readBootId();
}

function isAlive(pid: number): boolean {
  return readStartTime(pid) !== null;
}

/** Kills exactly this process; one that got its pid later is not touched. */
export function endProcess(name: ProcessName): void {
  if (readStartTime(name.pid) !== name.startTime) return;
  try {
    process.kill(name.pid, 'SIGKILL');
  } catch {
    // It ended by itself between the look and the signal.
  }
}

function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function readPidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}
