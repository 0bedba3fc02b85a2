/** Writes a deployment package: the same master data gives the same bytes. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack as makePack, type Pack } from 'tar-stream';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { parseVersion, type SchemaVersion } from '../history/versions.ts';
import { openPackage } from './open-package.ts';
import {
  CHECKSUMS_FILE,
  DECLARATIONS_FILE,
  formatChecksums,
  formatMetadata,
  LIMITS,
  MASTERDATA_FOLDER,
  METADATA_FILE,
  nameProblem,
  PACKAGE_FORMAT,
  type PackageMetadata,
} from './package-format.ts';

export type WritePackageOptions = {
  /** Every `*.json` in it is packed, but `entities.json`, which belongs to the image. */
  readonly masterdataDir: string;
  /** Of the database that the master data is for. */
  readonly version: SchemaVersion;
  readonly toolVersion: string;
  /** The file to write; an older one is replaced when the new one is complete. */
  readonly output: string;
  /** SOURCE_DATE_EPOCH or the time of the export: it is in the package, so it must be given. */
  readonly createdAt: Date;
};

export type WrittenPackage = {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly metadata: PackageMetadata;
};

/** The name that a package has when nobody gives it another. */
export function packageName(version: SchemaVersion): string {
  return `deployment_package_${version}.tar.gz`;
}

/**
 * Packs a folder of master data. Written beside `output` and renamed, so that a package is whole
 * or not there.
 *
 * @throws DeployError `BUNDLE_INVALID` for a file that a package may not have, or that is no JSON;
 * `BUNDLE_FAILED` when the file system refuses.
 */
export async function writePackage(options: WritePackageOptions): Promise<WrittenPackage> {
  const { masterdataDir, version, toolVersion, output, createdAt } = options;
  if (parseVersion(version) === null)
    throw new DeployError('BUNDLE_INVALID', 'a package needs a version of three numbers', {
      where: output,
    });
  const temporary = join(dirname(output), `.${randomUUID()}.tar.gz`);
  try {
    const data = await readFiles(masterdataDir);
    const byFile = Object.fromEntries(data.map(({ file, rows }) => [file, rows]));
    const metadata: PackageMetadata = {
      format: PACKAGE_FORMAT,
      version,
      created_at: new Date(createdAt).toISOString(),
      tool_version: toolVersion,
      counts: {
        files: data.length,
        rows: data.reduce((sum, { rows }) => sum + rows, 0),
        by_file: byFile,
      },
    };
    await writeArchive(temporary, data, formatMetadata(metadata));
    // What is handed out can be opened: a file that changed meanwhile is found out here.
    const opened = await openPackage(temporary, {
      expectedVersion: version,
      tmpDir: dirname(output),
    });
    await opened.remove();
    const sizeBytes = (await stat(temporary)).size;
    const sha256 = await hashFile(temporary);
    await rename(temporary, output);
    return { file: output, sha256, sizeBytes, metadata };
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    if (isDeployError(cause)) throw cause;
    throw new DeployError('BUNDLE_FAILED', 'the package could not be written', {
      where: output,
      cause,
    });
  }
}

type DataFile = {
  readonly file: string;
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly rows: number;
};

async function readFiles(dir: string): Promise<DataFile[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const files = entries
    .filter((entry) => entry.name.endsWith('.json') && entry.name !== DECLARATIONS_FILE)
    .map((entry) => entry.name)
    .sort();
  if (files.length === 0) throw refused('there is no master data to pack', dir);
  // Two more: the metadata and the checksums.
  if (files.length + 2 > LIMITS.entries) throw refused('there are too many files to pack', dir);
  const read: DataFile[] = [];
  for (const file of files) read.push(await readDataFile(dir, file));
  return read;
}

async function readDataFile(dir: string, file: string): Promise<DataFile> {
  const [name, path] = [`${MASTERDATA_FOLDER}/${file}`, join(dir, file)];
  if (nameProblem(name) !== null)
    throw refused('a file has a name that a package may not have', path);
  const { size } = await stat(path);
  if (size > LIMITS.fileBytes) throw refused('a file is larger than a package may have it', path);
  const content = await readFile(path);
  return {
    ...{ file, name, path },
    sizeBytes: content.length,
    sha256: sha256Of(content),
    rows: countRows(content, path),
  };
}

function refused(message: string, where: string, cause?: unknown): DeployError {
  return new DeployError('BUNDLE_INVALID', message, {
    where,
    cause,
    next: ['correct the master data, then run the same command again'],
  });
}

/** Rows of an envelope or of a bare list; a file of another shape has none. */
function countRows(content: Buffer, path: string): number {
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw refused('a file is not JSON', path, cause);
  }
  const data = Array.isArray(value) ? value : (value as { data?: unknown } | null)?.data;
  return Array.isArray(data) ? data.length : 0;
}

async function writeArchive(
  path: string,
  data: readonly DataFile[],
  metadataText: string,
): Promise<void> {
  const checksums = new Map(data.map(({ name, sha256 }) => [name, sha256]));
  checksums.set(METADATA_FILE, sha256Of(metadataText));
  const texts = { [CHECKSUMS_FILE]: formatChecksums(checksums), [METADATA_FILE]: metadataText };
  const pack = makePack();
  const writing = pipeline(
    pack,
    createGzip({ level: 9 }),
    createWriteStream(path, { flags: 'wx', mode: 0o644, flush: true }),
  );
  const adding = addAll(pack, data, texts).catch((error: unknown) => {
    pack.destroy(error as Error);
  });
  await Promise.all([writing, adding]);
}

/** In the order of the names, with nothing in the headers that the machine or the clock decides. */
async function addAll(
  pack: Pack,
  data: readonly DataFile[],
  texts: Readonly<Record<string, string>>,
): Promise<void> {
  const names = [...data.map(({ name }) => name), ...Object.keys(texts)].sort();
  for (const name of names) {
    const file = data.find((one) => one.name === name);
    const text = texts[name] ?? '';
    const size = file === undefined ? Buffer.byteLength(text) : file.sizeBytes;
    const header = { name, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) };
    const source = file === undefined ? [Buffer.from(text)] : createReadStream(file.path);
    await pipeline(source, pack.entry(header));
  }
  pack.finalize();
}

function sha256Of(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
