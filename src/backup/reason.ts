import path from 'node:path';
import type { Manifest } from './manifest.ts';

const IMPORT = 'import of ';

/** `Manifest.reason` of a set that was made of somebody's dump, e.g. `import of old.sql.gz`. Pure. */
export function importReason(file: string): string {
  return `${IMPORT}${path.basename(file)}`;
}

/** True for a set that was made of somebody's dump: it holds what a file says, and not what the database ever was. Pure. */
export function isImported({ reason }: Pick<Manifest, 'reason'>): boolean {
  return reason.startsWith(IMPORT);
}

const HALF_WAY = ' of a half-way database';

/** `Manifest.reason` of a set that is taken while a run is not ended. Pure. */
export function halfWayReason(mode: string): string {
  return `${mode}${HALF_WAY}`;
}

/**
 * True for a set that holds what the database was after a run had ended: no imported dump, and
 * nothing that was taken in the middle of a run. Only such sets count in retention, and only on such
 * a set a run may rest. Pure.
 */
export function isOfVersion({ reason }: Pick<Manifest, 'reason'>): boolean {
  return !isImported({ reason }) && !reason.endsWith(HALF_WAY);
}
