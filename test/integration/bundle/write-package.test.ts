import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openPackage } from '../../../src/bundle/open-package.ts';
import { packageName, writePackage } from '../../../src/bundle/write-package.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';

const root = mkdtempSync(join(tmpdir(), 'bundle-'));
after(() => rmSync(root, { recursive: true, force: true }));

const createdAt = new Date('2026-01-16T10:30:00Z');
const skills = '{"export_version":"2.0","data":[{"name":"Reiten"},{"name":"Körperwaﬀen"}]}\n';
let folders = 0;

/** A folder of master data as a checkout has it; with more or other files. */
function makeMasterdata(files: Readonly<Record<string, string>> = {}): string {
  const dir = join(root, `masterdata-${++folders}`);
  mkdirSync(dir);
  const all = {
    ...{
      'metadata.json': '{"export_version":"2.0"}',
      'skills.json': skills,
      'a_sources.json': '[{},{},{}]',
    },
    ...{ 'entities.json': '{}', 'install.ts': 'export {}', 'README.md': '# hello' },
    ...files,
  };
  for (const [name, content] of Object.entries(all)) writeFileSync(join(dir, name), content);
  return dir;
}

function write(masterdataDir: string, output: string) {
  return writePackage({ masterdataDir, version: '0.5.0', toolVersion: '0.1.0', output, createdAt });
}

describe('a package', () => {
  test('has the name of its version', () => {
    assert.equal(packageName('0.5.0'), 'deployment_package_0.5.0.tar.gz');
  });

  test('can be opened again and gives the same files', async () => {
    const output = join(root, 'round.tar.gz');
    const dir = makeMasterdata();

    const written = await write(dir, output);

    const opened = await openPackage(output, { expectedVersion: '0.5.0', tmpDir: root });
    assert.deepEqual(opened.metadata, written.metadata);
    assert.deepEqual(opened.metadata, {
      format: 1,
      version: '0.5.0',
      created_at: '2026-01-16T10:30:00.000Z',
      tool_version: '0.1.0',
      counts: {
        files: 3,
        rows: 5,
        by_file: { 'a_sources.json': 3, 'metadata.json': 0, 'skills.json': 2 },
      },
    });
    assert.deepEqual(globSync('*', { cwd: opened.dir }).sort(), [
      'a_sources.json',
      'metadata.json',
      'skills.json',
    ]);
    assert.equal(readFileSync(join(opened.dir, 'skills.json'), 'utf8'), skills);
    await opened.remove();
  });

  test('is opened below a folder that is not there yet', async () => {
    const output = join(root, 'round.tar.gz');
    await write(makeMasterdata(), output);
    const tmpDir = join(root, 'not', 'there');

    const opened = await openPackage(output, { expectedVersion: '0.5.0', tmpDir });

    assert.ok(opened.dir.startsWith(tmpDir));
    await opened.remove();
  });

  test('is the same byte for byte, whenever and from wherever it is made', async () => {
    const dir = makeMasterdata();
    const other = makeMasterdata();
    utimesSync(join(other, 'skills.json'), 0, 0);

    const first = await write(dir, join(root, 'first.tar.gz'));
    const second = await write(other, join(root, 'second.tar.gz'));

    assert.equal(second.sha256, first.sha256);
    assert.deepEqual(readFileSync(first.file), readFileSync(second.file));
    assert.equal(first.sizeBytes, readFileSync(first.file).length);
  });

  test('can be unpacked and checked with tar and sha256sum', async () => {
    const output = join(root, 'stock.tar.gz');
    await write(makeMasterdata(), output);
    const dir = mkdtempSync(join(root, 'stock-'));

    execFileSync('tar', ['-xzf', output, '-C', dir]);
    const checked = execFileSync('sha256sum', ['-c', 'checksums.txt'], {
      cwd: dir,
      encoding: 'utf8',
    });
    const listed = execFileSync('tar', ['-tvzf', output, '--numeric-owner'], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    });

    assert.equal(
      checked,
      'masterdata/a_sources.json: OK\nmasterdata/metadata.json: OK\nmasterdata/skills.json: OK\nmetadata.json: OK\n',
    );
    assert.deepEqual(
      listed
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/ +\d+ 1970-01-01 00:00 /, ' ')),
      [
        '-rw-r--r-- 0/0 checksums.txt',
        '-rw-r--r-- 0/0 masterdata/a_sources.json',
        '-rw-r--r-- 0/0 masterdata/metadata.json',
        '-rw-r--r-- 0/0 masterdata/skills.json',
        '-rw-r--r-- 0/0 metadata.json',
      ],
    );
  });

  test('replaces an older one, and leaves nothing else behind', async () => {
    const place = mkdtempSync(join(root, 'place-'));
    const output = join(place, packageName('0.5.0'));
    writeFileSync(output, 'older');

    await write(makeMasterdata(), output);

    assert.deepEqual(globSync('{*,.*}', { cwd: place }), [packageName('0.5.0')]);
    assert.equal(readFileSync(output).subarray(0, 2).toString('hex'), '1f8b');
  });
});

describe('a package is not written', () => {
  const refused = async (files: Readonly<Record<string, string>>, message: RegExp) => {
    const place = mkdtempSync(join(root, 'place-'));
    const output = join(place, 'package.tar.gz');
    writeFileSync(output, 'older');
    await assert.rejects(
      write(makeMasterdata(files), output),
      (error) => isDeployError(error, 'BUNDLE_INVALID') && message.test(error.message),
    );
    assert.deepEqual(globSync('{*,.*}', { cwd: place }), ['package.tar.gz']);
    assert.equal(readFileSync(output, 'utf8'), 'older');
  };

  test('from a file that is no JSON', () => refused({ 'broken.json': '[' }, /not JSON/));

  test('from a file whose name no package may have', () =>
    refused({ 'a b.json': '[]' }, /a name that a package may not have/));

  test('from so many files that nobody could open it', () =>
    refused(
      Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`f${at}.json`, '[]'])),
      /too many files/,
    ));

  test('from a folder without master data', async () => {
    const empty = mkdtempSync(join(root, 'empty-'));
    await assert.rejects(write(empty, join(root, 'none.tar.gz')), (error) =>
      isDeployError(error, 'BUNDLE_INVALID'),
    );
  });

  test('for a version that is none', async () => {
    const options = { masterdataDir: makeMasterdata(), toolVersion: '0.1.0', createdAt };
    await assert.rejects(
      writePackage({ ...options, version: 'latest', output: join(root, 'x') }),
      (error) => isDeployError(error, 'BUNDLE_INVALID'),
    );
  });

  test('where a folder has its name, and leaves nothing behind', async () => {
    const place = mkdtempSync(join(root, 'place-'));
    mkdirSync(join(place, 'package.tar.gz'));

    await assert.rejects(write(makeMasterdata(), join(place, 'package.tar.gz')), (error) =>
      isDeployError(error, 'BUNDLE_FAILED'),
    );

    assert.deepEqual(globSync('{*,.*}', { cwd: place }), ['package.tar.gz']);
  });

  test('where the file system refuses', async () => {
    await assert.rejects(write(makeMasterdata(), join(root, 'nowhere', 'x.tar.gz')), (error) =>
      isDeployError(error, 'BUNDLE_FAILED'),
    );
    await assert.rejects(write(join(root, 'nothing'), join(root, 'x.tar.gz')), (error) =>
      isDeployError(error, 'BUNDLE_FAILED'),
    );
  });
});
