import { stat } from 'node:fs/promises';
import { DeployError } from '../errors/deploy-error.ts';
import { readFreeBytes } from './disk-errors.ts';

const MIB = 1024 * 1024;

/**
 * Bytes without which it makes no sense to begin: a little more than the last set of this database
 * took, else a tenth of the database. Less than needed is still found out, when the disk is full.
 * Pure.
 */
export function neededBytes(databaseBytes: number, lastSetBytes: number | null): number {
  return Math.ceil(lastSetBytes === null ? databaseBytes / 10 : lastSetBytes * 1.1) + MIB;
}

/** What is needed where. */
export type SpaceNeed = {
  /** e.g. `the backup`. */
  readonly who: string;
  readonly dir: string;
  readonly needBytes: number;
};

/** @throws DeployError `SPACE_SHORT` with the numbers. `freeBytes` null: not known. Pure. */
export function assertSpace({ who, dir, needBytes }: SpaceNeed, freeBytes: number | null): void {
  if (freeBytes === null || freeBytes >= needBytes) return;
  const what = `${who} needs about ${needBytes} bytes, and ${freeBytes} bytes are free`;
  throw new DeployError('SPACE_SHORT', what, { where: dir, facts: { needBytes, freeBytes } });
}

/**
 * Checks each need, and their sum where two lie on one disk.
 *
 * @throws DeployError `SPACE_SHORT`
 */
export async function assertSpaces(needs: readonly SpaceNeed[]): Promise<void> {
  const devices = await Promise.all(needs.map(({ dir }) => deviceOf(dir)));
  for (const [index, need] of needs.entries()) {
    const before = needs.filter((_, at) => at < index && devices[at] === devices[index]);
    const shared = before.reduce((sum, { needBytes }) => sum + needBytes, 0);
    const who = [...before.map((other) => other.who), need.who].join(' and ');
    const whole = { ...need, who, needBytes: need.needBytes + shared };
    assertSpace(whole, await readFreeBytes(need.dir));
  }
}

/** A folder that is not there yet is made later; its disk is not known. */
async function deviceOf(dir: string): Promise<number | string> {
  return stat(dir).then(
    ({ dev }) => dev,
    () => dir,
  );
}
