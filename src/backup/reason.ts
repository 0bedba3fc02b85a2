import path from 'node:path';
import type { Manifest } from './manifest.ts';

const IMPORT = 'import of ';

/** `Manifest.reason` of a set that was made of somebody's dump, e.g. `import of old.sql.gz`. Pure. */
export function importReason(file: string): string {
  return `${IMPORT}${path.basename(file)}`;
}

/** True for such a set: it holds what a file says, and not what the database ever was. Pure. */
export function isImported({ reason }: Pick<Manifest, 'reason'>): boolean {
  return reason.startsWith(IMPORT);
}
