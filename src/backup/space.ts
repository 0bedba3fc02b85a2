import { DeployError } from '../errors/deploy-error.ts';

const MIB = 1024 * 1024;

/**
 * Bytes without which it makes no sense to begin: a little more than the last set of this database
 * took, else a tenth of the database. Less than needed is still found out, when the disk is full.
 * Pure.
 */
export function neededBytes(databaseBytes: number, lastSetBytes: number | null): number {
  return Math.ceil(lastSetBytes === null ? databaseBytes / 10 : lastSetBytes * 1.1) + MIB;
}

/** @throws DeployError `SPACE_SHORT` with the numbers. `freeBytes` null: not known. Pure. */
export function assertSpace(dir: string, needBytes: number, freeBytes: number | null): void {
  if (freeBytes === null || freeBytes >= needBytes) return;
  const what = `the backup needs about ${needBytes} bytes, and ${freeBytes} bytes are free`;
  throw new DeployError('SPACE_SHORT', what, { where: dir, facts: { needBytes, freeBytes } });
}
