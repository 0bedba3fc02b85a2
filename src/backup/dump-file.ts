import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { DeployError } from '../errors/deploy-error.ts';

/** How a dump file is packed, told by its first bytes, not by its name. */
type Packing = 'plain' | 'gzip' | 'zstd';

const MAGIC: readonly (readonly [hex: string, packing: Packing | { readonly refused: string }])[] =
  [
    ['1f8b', 'gzip'],
    ['28b52ffd', 'zstd'],
    ['fffe', { refused: 'is UTF-16: PowerShell writes that with >; dump with --result-file' }],
    ['feff', { refused: 'is UTF-16: dump with --result-file' }],
    ['504b0304', { refused: 'is a zip archive: unpack it first' }],
    ['425a68', { refused: 'is packed with bzip2: unpack it first, or pack it with gzip or zstd' }],
    ['fd377a585a', { refused: 'is packed with xz: unpack it first, or pack it with gzip or zstd' }],
  ];

export type DumpFileOptions = {
  /** The file may not unpack to more: a small file can become any size (a bomb). */
  readonly limitBytes: number;
  readonly onRead?: (doneBytes: number) => void;
};

/**
 * The text of somebody's SQL dump, piece by piece, unpacked. Each character of it is one byte of the
 * file (latin1), so that whatever character sets the dump mixes, the server gets the same bytes.
 *
 * @throws DeployError `BACKUP_SET_INVALID` when the file is cut off, damaged, packed in another way,
 *   or no text; `SPACE_SHORT` when it unpacks to more than the limit.
 */
export async function* readDumpFile(
  path: string,
  options: DumpFileOptions,
): AsyncGenerator<string> {
  const invalid = (message: string, cause?: unknown) =>
    new DeployError('BACKUP_SET_INVALID', `the dump ${message}`, { where: path, cause });
  const head = await readHead(path, invalid);
  const packing = packingOf(head);
  if (typeof packing !== 'string') throw invalid(packing.refused);
  let size = 0;
  try {
    for await (const chunk of unpacked(path, packing, options)) {
      size += chunk.length;
      if (size > options.limitBytes) throw tooLarge(path, options.limitBytes);
      if (chunk.includes(0)) throw invalid('holds a NUL byte: it is no SQL text');
      yield chunk.toString('latin1');
    }
  } catch (cause) {
    if (cause instanceof DeployError) throw cause;
    throw invalid('is cut off or damaged: it cannot be unpacked to its end', cause);
  }
  if (size === 0) throw invalid('is empty');
}

async function* unpacked(
  path: string,
  packing: Packing,
  { onRead = () => {} }: DumpFileOptions,
): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  let doneBytes = 0;
  file.on('data', (chunk) => {
    doneBytes += chunk.length;
    onRead(doneBytes);
  });
  if (packing === 'plain') return yield* file as AsyncIterable<Buffer>;
  const unpack = packing === 'gzip' ? createGunzip() : createZstdDecompress();
  file.on('error', (error) => unpack.destroy(error));
  try {
    yield* file.pipe(unpack) as AsyncIterable<Buffer>;
  } finally {
    file.destroy();
  }
}

function packingOf(head: Buffer): Packing | { readonly refused: string } {
  const hex = head.toString('hex');
  return MAGIC.find(([magic]) => hex.startsWith(magic))?.[1] ?? 'plain';
}

async function readHead(
  path: string,
  invalid: (message: string, cause?: unknown) => DeployError,
): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw invalid('cannot be read', cause);
  }
}

function tooLarge(path: string, limitBytes: number): DeployError {
  const what = `the dump unpacks to more than ${limitBytes} bytes, for which SCRATCH_DIR has no room`;
  return new DeployError('SPACE_SHORT', what, { where: path, facts: { limitBytes } });
}
