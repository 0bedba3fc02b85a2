/**
 * Holds a tar file to the plain form that this program writes: regular files, one after the
 * other, then zeros. What makes two programs read one archive in two ways is refused here, before
 * tar-stream reads it: extended headers, links, devices, odd numbers, an end in the middle.
 */
import { Transform } from 'node:stream';
import { LIMITS } from './package-format.ts';

const BLOCK = 512;

/** What each type flag stands for, as a person knows it; `0` and NUL are regular files. */
const TYPES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '5': 'a folder',
  '6': 'a named pipe',
  '7': 'a contiguous file',
  x: 'an extended header',
  g: 'a global extended header',
  L: 'a GNU long name',
  K: 'a GNU long link name',
  S: 'a sparse file',
  M: 'a part of another archive',
  V: 'a volume label',
};

/**
 * Passes a tar file on as it is. `fail` makes the error from words that complete the sentence
 * "the package has …" or "the package ends …".
 */
export function walkTar(fail: (problem: string) => Error): Transform {
  let header = Buffer.alloc(0);
  /** Bytes of the current file and its padding that are still to come. */
  let skipBytes = 0;
  let zeroBlocks = 0;

  function readBlock(block: Buffer): void {
    if (block.every((byte) => byte === 0)) {
      zeroBlocks++;
      return;
    }
    if (zeroBlocks > 0) throw fail('has something behind the end of its archive');
    skipBytes = readHeader(block, fail);
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        let rest = chunk;
        while (rest.length > 0) {
          const skipped = Math.min(skipBytes, rest.length);
          skipBytes -= skipped;
          rest = rest.subarray(skipped);
          const part = rest.subarray(0, BLOCK - header.length);
          rest = rest.subarray(part.length);
          header = Buffer.concat([header, part]);
          if (header.length < BLOCK) continue;
          readBlock(header);
          header = Buffer.alloc(0);
        }
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      const isWhole = skipBytes === 0 && header.length === 0 && zeroBlocks >= 2;
      done(isWhole ? null : fail('ends before its archive does'));
    },
  });
}

/** Gives the bytes to skip to the next header. */
function readHeader(block: Buffer, fail: (problem: string) => Error): number {
  if (block.toString('latin1', 257, 262) !== 'ustar') throw fail('has no tar archive in it');
  const flag = String.fromCharCode(block[156] ?? 0);
  if (flag !== '0' && flag !== '\0')
    throw fail(`has ${TYPES[flag] ?? 'an entry of an unknown type'} in it`);
  const size = /^[0-7]{11}[ \0]$/.exec(block.toString('latin1', 124, 136));
  if (size === null) throw fail('has a file whose size is no plain number');
  const sizeBytes = Number.parseInt(size[0], 8);
  if (sizeBytes > LIMITS.fileBytes)
    throw fail(`has a file in it that is larger than ${LIMITS.fileBytes / 1024 ** 2} MiB`);
  return Math.ceil(sizeBytes / BLOCK) * BLOCK;
}
