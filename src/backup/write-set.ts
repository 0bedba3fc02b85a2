import { join } from 'node:path';
import { $ } from 'zx/core';
import packageJson from '../../package.json' with { type: 'json' };
import { failPoint } from '../errors/fail-point.ts';
import { type Contents, structureDigest, withHashes } from './contents.ts';
import { syncFolder, writeSynced } from './folder.ts';
import { JSON_ROWS_SUFFIX } from './json-rows.ts';
import { allOrStop } from './lanes.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import { writePackedText } from './packed-file.ts';
import type { OnProgress } from './progress.ts';
import { neededPacketBytes } from './restore-fit.ts';
import { formatSections, type Section } from './section-file.ts';
import type { Source } from './source.ts';
import { LOADING_SESSION, structurePrologue } from './structure-file.ts';
import { type RowFormat, writeAllRows } from './write-rows.ts';

/** What was written of a set, and what the source held at that point in time. */
export type Written = {
  readonly files: readonly ManifestFile[];
  readonly contents: Contents;
  readonly structure: string;
  readonly longestStatementBytes: number;
  readonly tool: Manifest['tool'];
};

export type WriteOptions = {
  readonly database: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  readonly format?: RowFormat;
};

/**
 * Writes all files of a set but the manifest, and hashes the rows meanwhile. Everything is on the
 * disk when it returns. When one part fails the others are ended, and all are over.
 */
export async function writeSetFiles(
  dir: string,
  source: Source,
  options: WriteOptions,
): Promise<Written> {
  const { database, onProgress, signal, format } = options;
  const title = `${database}, ${new Date().toISOString()}`;
  const prologue = structurePrologue(source.defaults);
  const write = async (
    kind: 'structure' | 'keys' | 'objects',
    what: string,
    sections: readonly Section[],
  ) => {
    const text = formatSections(`${what} of ${title}`, sections);
    return { ...(await writePackedText(join(dir, FILES[kind]), text)), kind, table: null };
  };
  const session = { key: null, statements: LOADING_SESSION };
  const structure = await write('structure', 'structure', [prologue, ...source.structure.tables]);
  const keys = await write('keys', 'keys', [session, ...source.structure.keys]);
  const objects = await write('objects', 'views, routines, triggers, events', source.objects);
  const writing = writeAllRows(dir, source, { onProgress, signal, format });
  const hashing = hashSource(source, database, onProgress);
  const [rows, contents] = await allOrStop([writing, hashing], source.destroy);
  const files = [structure, ...rows.files, keys, objects];
  await writeSynced(join(dir, 'RESTORE.md'), restoreText(files, rows.longestStatementBytes));
  await syncFolder(dir);
  return {
    ...{ files, contents, structure: structureDigest(contents) },
    longestStatementBytes: rows.longestStatementBytes,
    tool: await readTool(),
  };
}

async function hashSource(
  { readers, outline, ranges }: Source,
  database: string,
  onProgress: OnProgress | undefined,
): Promise<Contents> {
  const contents = await withHashes(readers, database, outline, { onProgress, ranges });
  await failPoint('backup.hashed');
  return contents;
}

const FILES = {
  structure: 'structure.sql.zst',
  keys: 'keys.sql.zst',
  objects: 'objects.sql.zst',
} as const;

/** max_allowed_packet of a server that nobody set otherwise. */
const USUAL_PACKET_BYTES = 16 * 1024 * 1024;

/** How to restore with nothing but the server's own client. Pure. */
export function restoreText(files: readonly ManifestFile[], longestStatementBytes: number): string {
  const load = (names: string, options = '') =>
    `    zstd -dc ${names} | mariadb${options} DATABASE`;
  // Without these options the client takes comments out of routines and changes their line ends.
  const exact = ' --binary-mode --comments';
  const rows = files.filter(({ kind }) => kind === 'rows');
  if (rows.some(({ name }) => name.endsWith(JSON_ROWS_SUFFIX))) {
    return 'Rows are lines of JSON: zstd -dc NAME.ndjson.zst shows them.\n\nTo restore: deploy restore --backup NAME\n';
  }
  const hasRows = rows.length > 0;
  const lines = [
    load(FILES.structure, exact),
    // The client's own limit is 16 MiB.
    ...(hasRows ? [load('rows-*.sql.zst', ' --max-allowed-packet=1G')] : []),
    load(`${FILES.keys} ${FILES.objects}`, exact),
  ];
  const packetBytes = neededPacketBytes(longestStatementBytes);
  const first =
    packetBytes <= USUAL_PACKET_BYTES
      ? ''
      : `The server must take long statements: SET GLOBAL max_allowed_packet = ${packetBytes};\n\n`;
  return `${first}Restore into an EMPTY database, in this order:\n\n${lines.join('\n')}\n`;
}

async function readTool(): Promise<Manifest['tool']> {
  const output = await $({ nothrow: true, quiet: true })`mariadb-dump --no-defaults --version`;
  return { version: packageJson.version, dumpVersion: output.stdout.trim() };
}
