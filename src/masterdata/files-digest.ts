import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * SHA-256 over names and bytes of every JSON file of some folders of master data, or null when one
 * of them cannot be read. Equal digests say that nothing changed; other ones may still say the
 * same, which only reading tells (`MasterdataSet.digest`). Touches no database.
 */
export async function digestFiles(dirs: readonly string[]): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for (const dir of new Set(dirs)) {
      const names = (await readdir(dir)).filter((name) => name.endsWith('.json')).sort();
      for (const name of names) {
        const bytes = await readFile(join(dir, name));
        hash.update(`${name}\0${bytes.length}\0`).update(bytes);
      }
    }
  } catch {
    return null;
  }
  return hash.digest('hex');
}
