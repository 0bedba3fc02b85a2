/** Unpacks a package into a folder, as a stream, and trusts nothing in it. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import {
  CHECKSUMS_FILE,
  LIMITS,
  MASTERDATA_FOLDER,
  METADATA_FILE,
  nameProblem,
  shown,
} from './package-format.ts';
import { walkTar } from './tar-walk.ts';

/** Makes an error from words that complete the sentence "the package …". */
export type Fail = (problem: string, cause?: unknown) => Error;

export type UnpackedFile = { readonly sha256: string; readonly sizeBytes: number };

/**
 * Unpacks into `dir`, which must be empty and the caller's own. Names, types and sizes are checked
 * before a byte is written; contents are hashed on the way. Gives the files by name. Rejects with an
 * error of `fail`, or with that of the file system.
 */
export async function unpack(
  file: string,
  dir: string,
  fail: Fail,
): Promise<ReadonlyMap<string, UnpackedFile>> {
  await mkdir(join(dir, MASTERDATA_FOLDER), { mode: 0o700 });
  const packedBytes = await checkFile(file, fail);
  const files = new Map<string, UnpackedFile>();
  const archive = extract();
  const reading = pipeline(
    createReadStream(file),
    checkGzipHead(fail),
    createGunzip({ rejectGarbageAfterEnd: true }),
    limitBytes(packedBytes, fail),
    walkTar(fail),
    archive,
  );
  const writing = (async () => {
    for await (const entry of archive) {
      const { name, size = 0 } = entry.header;
      checkEntry(files, name, size, fail);
      files.set(name, await writeEntry(contentOf(entry), join(dir, name)));
    }
  })();
  const [read, written] = await Promise.allSettled([reading, writing]);
  // The stream that failed first says why; the others only say that they were cut off.
  if (read.status === 'rejected' && !isCutOff(read.reason)) throw explain(read.reason, fail);
  if (written.status === 'rejected') throw explain(written.reason, fail);
  if (read.status === 'rejected') throw explain(read.reason, fail);
  return files;
}

/** A pipe or a device would be read for ever. */
async function checkFile(file: string, fail: Fail): Promise<number> {
  const found = await stat(file).catch((cause: unknown) => {
    throw fail('cannot be read', cause);
  });
  if (!found.isFile()) throw fail('is not a file');
  if (found.size > LIMITS.packedBytes)
    throw fail(`is larger than ${mebibytes(LIMITS.packedBytes)}`);
  return found.size;
}

/** Magic number, deflate, no further fields: as prepare writes it. */
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0]);

function checkGzipHead(fail: Fail): Transform {
  let head: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (head.length < GZIP_HEAD.length) {
        head = Buffer.concat([head, chunk.subarray(0, GZIP_HEAD.length)]);
        const isGzip = head.subarray(0, 3).equals(GZIP_HEAD.subarray(0, Math.min(3, head.length)));
        if (!isGzip && head.length >= 3) return done(fail('is not compressed with gzip'));
        if (head.length >= GZIP_HEAD.length && head[3] !== 0)
          return done(fail('has a gzip header with further fields'));
      }
      done(null, chunk);
    },
    flush: (done) => done(head.length < GZIP_HEAD.length ? fail('is empty') : null),
  });
}

/** Stops a bomb while it goes off: as soon as a limit is passed, not at the end. */
function limitBytes(packedBytes: number, fail: Fail): Transform {
  let totalBytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      totalBytes += chunk.length;
      if (totalBytes > LIMITS.totalBytes)
        return done(fail(`unpacks to more than ${mebibytes(LIMITS.totalBytes)}`));
      const isLarge = totalBytes > LIMITS.ratioFromBytes;
      if (isLarge && totalBytes > packedBytes * LIMITS.ratio)
        return done(fail(`unpacks to more than ${LIMITS.ratio} times its size`));
      done(null, chunk);
    },
  });
}

function checkEntry(
  files: ReadonlyMap<string, UnpackedFile>,
  name: string,
  size: number,
  fail: Fail,
): void {
  const problem = nameProblem(name);
  if (problem !== null) throw fail(`has ${problem} in it`);
  // On a disk that ignores case one would replace the other.
  const names = [...files.keys()].map((other) => other.toLowerCase());
  if (names.includes(name.toLowerCase())) throw fail(`has ${shown(name)} in it twice`);
  if (files.size >= LIMITS.entries) throw fail(`has more than ${LIMITS.entries} files in it`);
  const isIndex = name === METADATA_FILE || name === CHECKSUMS_FILE;
  if (isIndex && size > LIMITS.indexBytes)
    throw fail(`has ${shown(name)} in it, which is larger than ${mebibytes(LIMITS.indexBytes)}`);
}

/** tar-stream's types do not say that its streams can be iterated. */
function contentOf(entry: unknown): AsyncIterable<Buffer> {
  return entry as AsyncIterable<Buffer>;
}

async function writeEntry(entry: AsyncIterable<Buffer>, path: string): Promise<UnpackedFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of entry) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      yield chunk;
    }
  }
  await pipeline(counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  return { sha256: hash.digest('hex'), sizeBytes };
}

function isCutOff(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR';
}

/** In words what zlib and tar-stream find; everything else as it is. */
function explain(error: unknown, fail: Fail): unknown {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  if (code === 'ERR_TRAILING_JUNK_AFTER_STREAM_END') return fail('has something behind its end');
  if (code === 'Z_BUF_ERROR') return fail('ends in the middle: the file is cut off', error);
  if (/^Z_/.test(code)) return fail('is damaged: it cannot be unpacked', error);
  if (/^Invalid tar header/.test(message)) return fail('has a damaged tar header in it', error);
  return error;
}

function mebibytes(sizeBytes: number): string {
  return `${sizeBytes / 1024 ** 2} MiB`;
}
