/** Names of set folders. Pure. Whatever is named otherwise in a backup folder is not ours to touch. */

const SET_NAME = /^backup_\d{8}_\d{6}(?:_\d{1,4})?$/;
const UNFINISHED = /^\.unfinished-(backup_\d{8}_\d{6}(?:_\d{1,4})?)-(\d+)$/;

/**
 * Name of the set taken at `date` (UTC), e.g. `backup_20260116_103000`. The second set of the same
 * second (`nth` 2) ends in `_2`.
 */
export function makeSetName(date: Date, nth: number): string {
  const digits = date.toISOString().replace(/\D/g, '');
  const name = `backup_${digits.slice(0, 8)}_${digits.slice(8, 14)}`;
  return nth === 1 ? name : `${name}_${nth}`;
}

/** True for the name of a finished set. */
export function isSetName(name: string): boolean {
  return SET_NAME.test(name);
}

/** Folder in which the process `pid` writes the set `name` until it is complete and proven. */
export function makeUnfinishedName(name: string, pid: number): string {
  return `.unfinished-${name}-${pid}`;
}

/** The pid in the name of an unfinished set, or null when `name` is not one. */
export function unfinishedPid(name: string): number | null {
  const pid = UNFINISHED.exec(name)?.[2];
  return pid === undefined ? null : Number(pid);
}

/** What a set is called from the moment it is pruned until its files are gone: no reader takes it for a set. */
export function makePrunedName(name: string): string {
  return `.pruned-${name}`;
}

/** True for the name of a set that is being pruned. */
export function isPrunedName(name: string): boolean {
  return name.startsWith('.pruned-') && isSetName(name.slice('.pruned-'.length));
}

/** Order of sets, oldest first: by time, then by the number of the same second (`_2` before `_10`). */
export function compareSetNames(a: string, b: string): number {
  return a.slice(0, 22).localeCompare(b.slice(0, 22), 'en') || nthOf(a) - nthOf(b);
}

function nthOf(name: string): number {
  return Number(/^backup_\d{8}_\d{6}_(\d+)$/.exec(name)?.[1] ?? '1');
}
