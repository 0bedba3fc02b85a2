import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openPackage } from '../../../src/bundle/open-package.ts';
import { type DeployError, isDeployError } from '../../../src/errors/deploy-error.ts';
import {
  packageFiles,
  packageOf,
  type TarFile,
  tarEnd,
  tarEntry,
  tarOf,
} from '../../support/hostile-packages.ts';

const root = mkdtempSync(join(tmpdir(), 'hostile-'));
after(() => rmSync(root, { recursive: true, force: true }));

const good = packageOf();
const goodTar = tarOf(packageFiles());
const goodMetadata = {
  format: 1,
  version: '0.5.0',
  created_at: '2026-01-16T10:30:00.000Z',
  tool_version: '0.1.0',
  counts: { files: 2, rows: 1, by_file: {} },
};

/** A right package with one more entry, which its checksums know. */
function withEntry(entry: TarFile): Buffer {
  return gzipSync(tarOf([...packageFiles(), entry]));
}

function withData(...names: string[]): Buffer {
  return packageOf({ data: names.map((name) => ({ name, content: '[]' })) });
}

/** `length` bytes of JSON that do not compress well. */
function noise(length: number): string {
  let seed = 1;
  let text = '';
  while (text.length < length) {
    seed = (seed * 48271) % 2147483647;
    text += seed.toString(36);
  }
  return text.slice(0, length);
}

const mebibyte = 1024 ** 2;
const damagedInTheMiddle = Buffer.from(good);
damagedInTheMiddle.writeUInt8(good[60]! ^ 0xff, 60);
const pax = (record: string): TarFile => ({
  name: 'PaxHeader',
  flag: 'x',
  content: `${record.length + 3} ${record}\n`,
});

const hostile: readonly (readonly [
  title: string,
  content: Buffer | (() => Buffer),
  message: RegExp,
])[] = [
  ['is empty', Buffer.alloc(0), /is empty/],
  ['is no archive at all', Buffer.from('<html>404</html>'), /is not compressed with gzip/],
  ['is a tar file without gzip', goodTar, /is not compressed with gzip/],
  [
    'has a gzip header with a file name',
    Buffer.concat([
      good.subarray(0, 3),
      Buffer.from([8]),
      good.subarray(4, 10),
      Buffer.from('../x\0'),
      good.subarray(10),
    ]),
    /gzip header with further fields/,
  ],
  ['is cut off', good.subarray(0, good.length - 40), /ends in the middle/],
  ['is cut off in the checksum of gzip', good.subarray(0, good.length - 4), /ends in the middle/],
  ['has a flipped byte', damagedInTheMiddle, /cannot be unpacked|damaged/],
  [
    'has a wrong checksum of gzip',
    Buffer.concat([
      good.subarray(0, good.length - 8),
      Buffer.alloc(4),
      good.subarray(good.length - 4),
    ]),
    /cannot be unpacked/,
  ],
  [
    'has bytes behind the end',
    Buffer.concat([good, Buffer.from('more')]),
    /something behind its end/,
  ],
  [
    'has zeros behind the end',
    Buffer.concat([good, Buffer.alloc(512)]),
    /something behind its end/,
  ],
  ['is two archives in one', Buffer.concat([good, good]), /something behind its end/],
  ['is gzip of something else', gzipSync(Buffer.alloc(1024, 'x')), /no tar archive/],
  ['has no archive in its gzip', gzipSync(Buffer.alloc(0)), /ends before its archive does/],
  [
    'has an archive without end',
    gzipSync(goodTar.subarray(0, goodTar.length - 1024)),
    /ends before its archive does/,
  ],
  [
    'has an archive that stops inside a file',
    gzipSync(goodTar.subarray(0, 600)),
    /ends before its archive does/,
  ],
  [
    'has an archive that goes on behind its end',
    gzipSync(Buffer.concat([goodTar, tarEntry({ name: 'masterdata/late.json' }), tarEnd])),
    /behind the end of its archive/,
  ],
  [
    'has a damaged header',
    withEntry({ name: 'masterdata/a.json', damaged: 'checksum' }),
    /damaged tar header/,
  ],
  [
    'has a header of another kind',
    withEntry({ name: 'masterdata/a.json', damaged: 'magic' }),
    /no tar archive/,
  ],
  [
    'leads out of the folder',
    withData('../../outside.json'),
    /"\.\.\/\.\.\/outside\.json", which leads out/,
  ],
  [
    'leads out of the folder from within',
    withData('masterdata/../../outside.json'),
    /"masterdata\/\.\.\/\.\.\/outside\.json", which leads out/,
  ],
  ['has an absolute path', withData('/etc/cron.d/outside'), /absolute path "\/etc/],
  ['has an absolute path of Windows', withData('C:\\outside.json'), /absolute path "C:/],
  ['has a backslash', withData('masterdata\\outside.json'), /backslash/],
  ['has a line end in a name', withData('masterdata/a.json\n'), /control characters/],
  ['begins names with a dot', withData('./masterdata/a.json'), /begin without a dot/],
  ['has a file without a name', withEntry({ name: '' }), /without a name/],
  [
    'has a file in a folder of its own',
    withData('masterdata/deep/a.json'),
    /"masterdata\/deep\/a\.json", which has no place/,
  ],
  [
    'has a hidden file',
    withData('masterdata/.npmrc.json'),
    /"masterdata\/\.npmrc\.json", which has no place/,
  ],
  [
    'has code in it',
    withData('masterdata/install.ts'),
    /"masterdata\/install\.ts", which has no place/,
  ],
  [
    'has declarations in it',
    withData('masterdata/entities.json'),
    /entities\.json belongs to the image/,
  ],
  ['has migrations in it', withData('migrations/0.5.0/0004_x.up.sql'), /which has no place/],
  [
    'has a symbolic link',
    withEntry({ name: 'masterdata/a.json', flag: '2', link: '/etc/passwd' }),
    /a symbolic link/,
  ],
  [
    'has a symbolic link in place of the folder',
    gzipSync(tarOf([{ name: 'masterdata', flag: '2', link: '/tmp' }, ...packageFiles()])),
    /a symbolic link/,
  ],
  [
    'has a hard link',
    withEntry({ name: 'masterdata/a.json', flag: '1', link: '/etc/passwd' }),
    /a hard link/,
  ],
  [
    'has a character device',
    withEntry({ name: 'masterdata/a.json', flag: '3' }),
    /a character device/,
  ],
  ['has a block device', withEntry({ name: 'masterdata/a.json', flag: '4' }), /a block device/],
  ['has a folder', withEntry({ name: 'masterdata/', flag: '5' }), /a folder/],
  ['has a named pipe', withEntry({ name: 'masterdata/a.json', flag: '6' }), /a named pipe/],
  [
    'has a contiguous file',
    withEntry({ name: 'masterdata/a.json', flag: '7' }),
    /a contiguous file/,
  ],
  ['has a sparse file', withEntry({ name: 'masterdata/a.json', flag: 'S' }), /a sparse file/],
  [
    'has an entry of no known type',
    withEntry({ name: 'masterdata/a.json', flag: 'Q' }),
    /an unknown type/,
  ],
  [
    'has another path in an extended header',
    gzipSync(tarOf([pax('path=../../outside.json'), ...packageFiles()])),
    /an extended header/,
  ],
  [
    'has a global extended header',
    gzipSync(tarOf([{ ...pax('path=../../outside.json'), flag: 'g' }, ...packageFiles()])),
    /a global extended header/,
  ],
  [
    'has a GNU long name',
    gzipSync(
      tarOf([
        { name: '././@LongLink', flag: 'L', content: '../../outside.json\0' },
        ...packageFiles(),
      ]),
    ),
    /a GNU long name/,
  ],
  [
    'has a GNU long link name',
    gzipSync(
      tarOf([{ name: '././@LongLink', flag: 'K', content: '/etc/passwd\0' }, ...packageFiles()]),
    ),
    /a GNU long link name/,
  ],
  [
    'has a size that is negative',
    withEntry({ name: 'masterdata/a.json', sizeField: `\xff${'\xff'.repeat(11)}` }),
    /no plain number/,
  ],
  [
    'has a size in another notation',
    withEntry({ name: 'masterdata/a.json', sizeField: `\x80${'\0'.repeat(10)}\x01` }),
    /no plain number/,
  ],
  [
    'has a file twice',
    withData('masterdata/a.json', 'masterdata/a.json'),
    /"masterdata\/a\.json" in it twice/,
  ],
  [
    'has a file twice, differing in case',
    withData('masterdata/A.json', 'masterdata/a.json'),
    /"masterdata\/a\.json" in it twice/,
  ],
  [
    'has its metadata twice',
    withEntry({ name: 'metadata.json', content: '{}' }),
    /"metadata\.json" in it twice/,
  ],
  [
    'has too many files',
    () => withData(...Array.from({ length: 199 }, (_, at) => `masterdata/f${at}.json`)),
    /more than 200 files/,
  ],
  [
    'has a file that is too large',
    withEntry({
      name: 'masterdata/a.json',
      sizeField: `${(64 * mebibyte + 1).toString(8).padStart(11, '0')}\0`,
    }),
    /a file in it that is larger than 64 MiB/,
  ],
  [
    'has metadata that are too large',
    () => packageOf({ metadata: `{"format":1,"pad":"${noise(mebibyte)}"}` }),
    /"metadata\.json" in it, which is larger than 1 MiB/,
  ],
  [
    'is a bomb',
    () =>
      packageOf({
        data: [{ name: 'masterdata/a.json', content: Buffer.alloc(20 * mebibyte, ' ') }],
      }),
    /more than 200 times its size/,
  ],
  ['is too large unpacked', () => hugePackage(), /more than 256 MiB/],
  [
    'lacks its metadata',
    gzipSync(tarOf(packageFiles().filter(({ name }) => name !== 'metadata.json'))),
    /no metadata\.json/,
  ],
  [
    'lacks its checksums',
    gzipSync(tarOf(packageFiles().filter(({ name }) => name !== 'checksums.txt'))),
    /no checksums\.txt/,
  ],
  [
    'lacks a file of its checksums',
    gzipSync(tarOf(packageFiles().filter(({ name }) => name !== 'masterdata/skills.json'))),
    /lacks "masterdata\/skills\.json"/,
  ],
  [
    'has a file that its checksums do not know',
    withEntry({ name: 'masterdata/more.json', content: '[]' }),
    /more\.json in it, which is not in checksums\.txt/,
  ],
  [
    'has a file that was changed',
    gzipSync(
      tarOf(
        packageFiles().map((file) =>
          file.name === 'masterdata/skills.json'
            ? { ...file, content: '[{"name":"Raufen"}]' }
            : file,
        ),
      ),
    ),
    /a masterdata\/skills\.json whose checksum/,
  ],
  [
    'has metadata that were changed',
    gzipSync(
      tarOf(
        packageFiles().map((file) =>
          file.name === 'metadata.json'
            ? { ...file, content: JSON.stringify({ ...goodMetadata, tool_version: '9' }) }
            : file,
        ),
      ),
    ),
    /a metadata\.json whose checksum/,
  ],
  [
    'has a checksum too few',
    packageOf({ checksums: (right) => right.slice(right.indexOf('\n') + 1) }),
    /skills\.json in it, which is not in/,
  ],
  [
    'names a file twice in its checksums',
    packageOf({ checksums: (right) => right + right }),
    /names "masterdata\/skills\.json" twice/,
  ],
  [
    'has checksums of another kind',
    packageOf({ checksums: (right) => right.replaceAll(/^.{32}/gm, '') }),
    /not well formed in line 1/,
  ],
  [
    'has checksums that break off',
    packageOf({ checksums: (right) => right.slice(0, -1) }),
    /ends in the middle of a line/,
  ],
  [
    'has checksums of files elsewhere',
    packageOf({ checksums: (right) => `${right}${'0'.repeat(64)}  /etc/passwd\n` }),
    /lacks "\/etc\/passwd"/,
  ],
  [
    'has metadata that are no JSON',
    packageOf({ metadata: '{"format":1' }),
    /metadata\.json is not JSON/,
  ],
  [
    'has metadata that lack something',
    packageOf({ metadata: { ...goodMetadata, version: 'latest', counts: undefined } }),
    /metadata\.json is not well formed: version, counts/,
  ],
  [
    'is of a newer format',
    packageOf({ metadata: { ...goodMetadata, format: 2 } }),
    /is of format 2; this program knows 1/,
  ],
  [
    'is for another version',
    packageOf({ metadata: { ...goodMetadata, version: '0.4.0' } }),
    /is for version 0\.4\.0, and the required version is 0\.5\.0/,
  ],
  [
    'counts other files than it has',
    packageOf({ metadata: { ...goodMetadata, counts: { files: 3, rows: 1, by_file: {} } } }),
    /has 2 files of master data in it, and metadata\.json says 3/,
  ],
  [
    'has no master data',
    packageOf({
      data: [],
      metadata: { ...goodMetadata, counts: { files: 0, rows: 0, by_file: {} } },
    }),
    /no master data/,
  ],
];

/** Five files just below the limit of one, which compress well but not beyond the ratio. */
function hugePackage(): Buffer {
  // Farther apart than deflate looks back, so that each repetition costs its bytes anew.
  const part = noise(1024) + ' '.repeat(63 * 1024);
  const content = Buffer.from(part.repeat(63 * 16));
  const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `masterdata/${name}.json`);
  const files = packageFiles({ data: names.map((name) => ({ name, content })) });
  return gzipSync(tarOf(files), { level: 1 });
}

describe('a package is refused when it', () => {
  for (const [index, [title, content, message]] of hostile.entries())
    test(title, async () => {
      const place = join(root, `case-${index}`);
      const tmpDir = join(place, 'tmp');
      mkdirSync(tmpDir, { recursive: true });
      const file = join(place, 'package.tar.gz');
      writeFileSync(file, typeof content === 'function' ? content() : content);

      const error = await openPackage(file, { expectedVersion: '0.5.0', tmpDir }).then(
        () => assert.fail('it was opened'),
        (thrown: unknown) => thrown,
      );

      assert.ok(isDeployError(error, 'BUNDLE_INVALID'), String(error));
      assert.match(error.message, /^the package \S/);
      assert.match(error.message, message);
      assert.equal(error.where, file);
      // Nothing is left, and nothing was written beside: not here, not two folders above.
      assert.deepEqual(globSync('**/*', { cwd: place }).sort(), ['package.tar.gz', 'tmp']);
      assert.equal(existsSync(join(root, 'outside.json')), false);
      rmSync(file);
    });
});

describe('a file is no package when it', () => {
  const refused = async (file: string): Promise<DeployError> => {
    const tmpDir = mkdtempSync(join(root, 'tmp-'));
    const error = await openPackage(file, { expectedVersion: '0.5.0', tmpDir }).catch(
      (thrown: unknown) => thrown,
    );
    assert.ok(isDeployError(error, 'BUNDLE_INVALID'));
    assert.deepEqual(globSync('*', { cwd: tmpDir }), []);
    return error;
  };

  test('is missing', async () => {
    assert.equal(
      (await refused(join(root, 'missing.tar.gz'))).message,
      'the package cannot be read',
    );
  });

  test('is a folder', async () => {
    assert.equal((await refused(root)).message, 'the package is not a file');
  });

  test('is a named pipe, from which one could wait for ever', async () => {
    const pipe = join(root, 'pipe');
    execFileSync('mkfifo', [pipe]);

    assert.equal((await refused(pipe)).message, 'the package is not a file');
  });
});

describe('a package that is right', () => {
  const file = join(root, 'good.tar.gz');
  writeFileSync(file, good);

  test('is opened into a folder that only this user may read, and removed again', async () => {
    const tmpDir = mkdtempSync(join(root, 'tmp-'));

    const opened = await openPackage(file, { expectedVersion: '0.5.0', tmpDir });

    assert.deepEqual(opened.metadata, goodMetadata);
    assert.deepEqual(globSync('*', { cwd: opened.dir }).sort(), ['skills.json', 'sources.json']);
    const modes = execFileSync('find', [tmpDir, '-mindepth', '1', '-printf', '%m %y\n'], {
      encoding: 'utf8',
    });
    assert.deepEqual(new Set(modes.trim().split('\n')), new Set(['700 d', '600 f']));
    await opened.remove();
    await opened.remove();
    assert.deepEqual(globSync('*', { cwd: tmpDir }), []);
  });

  test('may be named by a link', async () => {
    const link = join(root, 'link.tar.gz');
    symlinkSync(file, link);

    const opened = await openPackage(link, { expectedVersion: '0.5.0', tmpDir: root });

    await opened.remove();
  });

  test('cannot be opened where the file system refuses', async () => {
    await assert.rejects(
      openPackage(file, { expectedVersion: '0.5.0', tmpDir: join(file, 'nowhere') }),
      (error) => isDeployError(error, 'BUNDLE_FAILED'),
    );
  });
});
