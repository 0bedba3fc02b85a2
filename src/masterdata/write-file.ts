/** Writes files of format 2.0: the same bytes for the same rows, whole or not at all. */
import { createHash } from 'node:crypto';
import { open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nestedProblem } from './canonical.ts';
import { type Envelope, METADATA_FILE, type Metadata } from './format.ts';
import { invalid } from './problems.ts';

/** What `metadata.json` says of a file. */
export type FileEntry = { readonly sha256: string; readonly count: number };

/** A file of one entity that is being written. Only `end` gives it its name. */
export type EntityFile = {
  /** Throws MASTERDATA_INVALID for a row with a nested value. */
  add(row: object): Promise<void>;
  end(): Promise<FileEntry>;
  /** Closes it without giving it its name. May follow `end`. */
  abandon(): Promise<void>;
};

/** Opens the file of one entity below `dir`; its rows are written one by one, in large pieces. */
export async function openEntityFile(
  dir: string,
  file: string,
  about: Envelope,
): Promise<EntityFile> {
  const path = join(dir, file);
  const writer = await openWriter(`${path}.part`);
  let count = 0;
  await writer.write(JSON.stringify({ ...about, data: [] }, null, 2).replace(/\[\]\n\}$/, '['));
  return {
    async add(row) {
      const problem = nestedProblem(row);
      if (problem !== null) throw invalid(`${file} data[${count}]`, problem);
      await writer.write(`${count === 0 ? '' : ','}\n${indent(row)}`);
      count += 1;
    },
    async end() {
      await writer.write(`${count === 0 ? '' : '\n  '}]\n}\n`);
      await writer.flush();
      await writer.close();
      await rename(`${path}.part`, path);
      return { sha256: writer.sha256(), count };
    },
    abandon: () => writer.close(),
  };
}

/** Writes `metadata.json`, last of all files: a folder that has it is complete. */
export async function writeMetadata(
  dir: string,
  about: Envelope & { readonly db_version: string },
  files: Readonly<Record<string, FileEntry>>,
): Promise<Metadata> {
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { export_version, backend_version, db_version, timestamp, game_system } = about;
  const metadata: Metadata = {
    ...{ export_version, backend_version, db_version, timestamp, game_system },
    files: sorted,
  };
  const path = join(dir, METADATA_FILE);
  await writeFile(`${path}.part`, `${JSON.stringify(metadata, null, 2)}\n`, { flush: true });
  await rename(`${path}.part`, path);
  return metadata;
}

/** Indents an object as it stands in a list of a file, or of the combined one. Pure. */
export function indent(row: object, width = 4): string {
  const space = ' '.repeat(width);
  // Not `^` of a regular expression: it also stands behind U+2028, which JSON has raw in its texts.
  return space + JSON.stringify(row, null, 2).replaceAll('\n', `\n${space}`);
}

/** Writes text in large pieces, and hashes it. `flush` syncs it to the disk. */
export async function openWriter(path: string) {
  const file = await open(path, 'w');
  const hash = createHash('sha256');
  let text = '';
  let isOpen = true;
  async function send(): Promise<void> {
    hash.update(text);
    await file.write(text);
    text = '';
  }
  return {
    async write(part: string): Promise<void> {
      text += part;
      if (text.length > 1 << 18) await send();
    },
    async flush(): Promise<void> {
      await send();
      await file.sync();
    },
    async close(): Promise<void> {
      if (!isOpen) return;
      isOpen = false;
      await file.close();
    },
    sha256: () => hash.digest('hex'),
  };
}
