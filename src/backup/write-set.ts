import { join } from 'node:path';
import { $ } from 'zx/core';
import packageJson from '../../package.json' with { type: 'json' };
import { failPoint } from '../errors/fail-point.ts';
import { type Contents, structureDigest, withHashes } from './contents.ts';
import type { Dump } from './dump.ts';
import { syncFolder, writeSynced } from './folder.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import { writePacked, writePackedText } from './packed-file.ts';
import type { OnProgress } from './progress.ts';
import { formatSections } from './section-file.ts';
import type { Source } from './source.ts';
import { LOADING_SESSION, structurePrologue } from './structure-file.ts';

/** What was written of a set, and what the source held at that point in time. */
export type Written = {
  readonly files: readonly ManifestFile[];
  readonly contents: Contents;
  readonly structure: string;
  readonly tool: Manifest['tool'];
};

export type WriteOptions = {
  readonly database: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
};

/**
 * Writes all files of a set but the manifest, and hashes the rows meanwhile. Everything is on the
 * disk when it returns. When one part fails the other is ended, and both are over.
 */
export async function writeSetFiles(
  dir: string,
  source: Source,
  options: WriteOptions,
): Promise<Written> {
  const { database, onProgress, signal } = options;
  const title = `${database}, ${new Date().toISOString()}`;
  const prologue = structurePrologue(source.defaults);
  const structure = formatSections(`structure of ${title}`, [prologue, ...source.structure]);
  const objects = formatSections(`views, routines, triggers, events of ${title}`, source.objects);
  const files: ManifestFile[] = [
    {
      ...(await writePackedText(join(dir, FILES.structure), structure)),
      kind: 'structure',
      table: null,
    },
    { ...(await writePackedText(join(dir, FILES.objects), objects)), kind: 'objects', table: null },
  ];
  const hashing = withHashes(source.db, database, source.outline, onProgress).then(
    async (contents) => {
      await failPoint('backup.hashed');
      return contents;
    },
  );
  const writing = source.dump === null ? null : writeRows(dir, source.dump, { onProgress, signal });
  let contents: Contents;
  try {
    const [hashed, rows] = await Promise.all([hashing, writing]);
    contents = hashed;
    if (rows !== null) files.splice(1, 0, rows);
  } catch (error) {
    source.destroy();
    // A query on a connection that was cut never settles, so only the file is waited for.
    hashing.catch(() => {});
    await writing?.catch(() => {});
    throw error;
  }
  await writeSynced(join(dir, 'RESTORE.md'), restoreText(files));
  await syncFolder(dir);
  return { files, contents, structure: structureDigest(contents), tool: await readTool() };
}

const FILES = {
  structure: 'structure.sql.zst',
  rows: 'rows.sql.zst',
  objects: 'objects.sql.zst',
} as const;

async function writeRows(
  dir: string,
  dump: Dump,
  options: { onProgress: OnProgress | undefined; signal: AbortSignal | undefined },
): Promise<ManifestFile> {
  const { onProgress = () => {}, signal } = options;
  async function* withSession(): AsyncGenerator<Buffer> {
    yield Buffer.from(`${LOADING_SESSION.join(';\n')};\n`);
    let done = 0;
    for await (const chunk of dump.rows) {
      yield chunk;
      done += chunk.length;
      onProgress({ phase: 'dump', done, of: 0, what: 'bytes' });
    }
  }
  const packed = await writePacked(join(dir, FILES.rows), withSession(), { signal });
  await failPoint('backup.dumped');
  return { ...packed, kind: 'rows', table: null };
}

/** How to restore with nothing but the server's own client. Pure. */
export function restoreText(files: readonly ManifestFile[]): string {
  const lines = files.map(({ name, kind }) => {
    // Without these options the client takes comments out of routines and changes their line ends.
    const exact = kind === 'rows' ? '' : ' --binary-mode --comments';
    return `    zstd -dc ${name} | mariadb${exact} DATABASE`;
  });
  return `Restore into an EMPTY database, in this order:\n\n${lines.join('\n')}\n`;
}

async function readTool(): Promise<Manifest['tool']> {
  const output = await $({ nothrow: true, quiet: true })`mariadb-dump --no-defaults --version`;
  return { version: packageJson.version, dumpVersion: output.stdout.trim() };
}
