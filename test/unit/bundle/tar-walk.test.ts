import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { walkTar } from '../../../src/bundle/tar-walk.ts';
import { packageFiles, tarEnd, tarEntry, tarOf } from '../../support/hostile-packages.ts';

/** Sends a tar file through in pieces of a size; gives what comes out. */
async function walk(tar: Buffer, pieceBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < tar.length; at += pieceBytes)
    pieces.push(tar.subarray(at, at + pieceBytes));
  const passed: Buffer[] = [];
  await pipeline(
    Readable.from(pieces),
    walkTar((problem) => new Error(problem)),
    async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) passed.push(chunk);
    },
  );
  return Buffer.concat(passed);
}

describe('walkTar', () => {
  const good = tarOf([
    ...packageFiles(),
    { name: 'masterdata/empty.json' },
    { name: 'masterdata/block.json', content: 'x'.repeat(512) },
  ]);

  for (const pieceBytes of [1, 7, 511, 512, 513, 4096, good.length])
    test(`passes a plain archive on unchanged, in pieces of ${pieceBytes} bytes`, async () => {
      assert.deepEqual(await walk(good, pieceBytes), good);
    });

  for (const pieceBytes of [1, 513, 65_536])
    test(`finds what is behind the end, in pieces of ${pieceBytes} bytes`, async () => {
      const late = Buffer.concat([good, tarEntry({ name: 'masterdata/late.json' }), tarEnd]);

      await assert.rejects(walk(late, pieceBytes), /has something behind the end/);
    });

  test('does not take the contents of a file for a header', async () => {
    const inner = tarEntry({ name: 'x', flag: '2', link: '/etc/passwd' });

    const tar = tarOf([{ name: 'masterdata/a.json', content: inner }]);

    assert.deepEqual(await walk(tar, 100), tar);
  });

  test('finds an end that is too short', async () => {
    await assert.rejects(walk(good.subarray(0, good.length - 512), 512), /ends before/);
    await assert.rejects(walk(good.subarray(0, good.length - 1), 512), /ends before/);
  });
});
