import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';

export type Packed = { readonly name: string; readonly sha256: string; readonly sizeBytes: number };

/** Level 1 keeps up with `mariadb-dump`; the checksum lets `zstd -t` see damage as well. */
const ZSTD = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
};

/** Each step behind costs much more per piece than per byte. */
const PIECE_BYTES = 128 * 1024;

/**
 * Compresses `source` into a new file, readable by its owner only, and has it on the disk when it
 * returns. Rejects with the error of the file system or of the source; the file then stays.
 */
export async function writePacked(
  path: string,
  source: AsyncIterable<Buffer | string>,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Packed> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(
    Readable.from(source, { objectMode: false }),
    createZstdCompress({ ...ZSTD, chunkSize: PIECE_BYTES }),
    count,
    // `flush`: fsync before the file is closed.
    createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
    options.signal === undefined ? {} : { signal: options.signal },
  );
  return { name: basename(path), sha256: hash.digest('hex'), sizeBytes };
}

/** Compresses a text that fits in memory; as `writePacked`. */
export function writePackedText(path: string, text: string): Promise<Packed> {
  return writePacked(path, Readable.from([Buffer.from(text)]));
}

/** The contents of a packed file; `onRead` is told the compressed bytes read so far. */
export async function* readPacked(
  path: string,
  onRead: (doneBytes: number) => void = () => {},
): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  let doneBytes = 0;
  file.on('data', (chunk) => {
    doneBytes += chunk.length;
    onRead(doneBytes);
  });
  const unpack = createZstdDecompress({ chunkSize: PIECE_BYTES });
  file.on('error', (error) => unpack.destroy(error));
  try {
    yield* file.pipe(unpack) as AsyncIterable<Buffer>;
  } finally {
    file.destroy();
  }
}

/** The contents of a packed file as one text. */
export async function readPackedText(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readPacked(path)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** SHA-256 and size of a file as it lies on the disk. */
export async function hashFile(path: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
