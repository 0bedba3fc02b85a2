import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { decodeManifest, encodeManifest, type Manifest } from '../../../src/backup/manifest.ts';
import { hashFile } from '../../../src/backup/packed-file.ts';

/** Changes the text of a file of a set and seals the set again, as somebody who means it could. */
export async function forgeFile(
  dir: string,
  name: string,
  edit: (text: string) => string,
): Promise<void> {
  const path = join(dir, name);
  const text = zstdDecompressSync(readFileSync(path)).toString('utf8');
  const edited = edit(text);
  if (edited === text) throw new Error('the edit changed nothing');
  writeFileSync(path, zstdCompressSync(Buffer.from(edited)));
  const hashed = await hashFile(path);
  forgeManifest(dir, (manifest) => ({
    ...manifest,
    files: manifest.files.map((file) => (file.name === name ? { ...file, ...hashed } : file)),
  }));
}

/** Changes a manifest and seals it again. */
export function forgeManifest(dir: string, edit: (manifest: Manifest) => Manifest): void {
  const path = join(dir, 'manifest.json');
  writeFileSync(path, encodeManifest(edit(decodeManifest(readFileSync(path, 'utf8'), path))));
}

/** Flips one bit of a file. */
export function flipBit(path: string, position: number): void {
  const bytes = readFileSync(path);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
