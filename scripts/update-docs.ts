/** `npm run docs`: writes the documents that mirror the code. A test fails when one is stale. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderDocuments } from './documents.ts';

const root = join(import.meta.dirname, '..');
for (const [path, text] of renderDocuments(root)) {
  const place = join(root, path);
  if (existsSync(place) && readFileSync(place, 'utf8') === text) continue;
  writeFileSync(place, text);
  console.error(`docs: wrote ${path}`);
}
