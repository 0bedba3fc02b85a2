import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * SHA-256 over names and bytes of every JSON file of some folders of master data, or null when one
 * of them cannot be read. Equal digests say that nothing changed; other ones may still say the
 * same, which only reading tells (`MasterdataSet.digest`). Touches no database.
 */
export function digestFiles(dirs: readonly string[]): string | null {
  const hash = createHash('sha256');
  try {
    for (const dir of new Set(dirs)) {
      const names = readdirSync(dir)
        .filter((name) => name.endsWith('.json'))
        .sort();
      for (const name of names) {
        const bytes = readFileSync(join(dir, name));
        hash.update(`${name}\0${bytes.length}\0`).update(bytes);
      }
    }
  } catch {
    return null;
  }
  return hash.digest('hex');
}
