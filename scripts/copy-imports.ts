/**
 * Copies source files and all that they import, directly or not, with their paths:
 *
 *     node scripts/copy-imports.ts FOLDER FILE…
 *
 * For the image of the sidecar, which shall hold nothing that writes. Needs no packages.
 */

import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const [target, ...entries] = process.argv.slice(2);
if (target === undefined || entries.length === 0) {
  console.error('usage: node scripts/copy-imports.ts FOLDER FILE…');
  process.exit(2);
}

const files = new Set<string>();
for (const entry of entries) collect(normalize(entry));
for (const file of files) {
  mkdirSync(dirname(join(target, file)), { recursive: true });
  cpSync(file, join(target, file));
}
console.error(`copied ${files.size} files to ${target}`);

function collect(file: string): void {
  if (files.has(file)) return;
  files.add(file);
  for (const name of importedBy(readFileSync(file, 'utf8'))) collect(join(dirname(file), name));
}

/**
 * The relative paths that a source imports; they end in `.ts` here, always. Types are gone before it
 * runs, so what is imported for types alone is left out.
 */
function importedBy(text: string): string[] {
  const pattern =
    /^(?:import|export)\s(?!type\b)(?:[^;'"]*?\bfrom\s+)?'(\.[^']+\.ts)'|\bimport\('(\.[^']+\.ts)'\)/gm;
  return [...text.matchAll(pattern)].map(([, fixed, dynamic]) => fixed ?? dynamic ?? '');
}
