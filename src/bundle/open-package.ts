/** Opens a deployment package: hostile until every file of it is verified. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import type { SchemaVersion } from '../history/versions.ts';
import {
  CHECKSUMS_FILE,
  MASTERDATA_FOLDER,
  METADATA_FILE,
  type PackageMetadata,
  parseChecksums,
  parseMetadata,
  shown,
} from './package-format.ts';
import { type Fail, type UnpackedFile, unpack } from './unpack.ts';

export type OpenPackage = {
  /** The folder with the master data; readable by this user only. */
  readonly dir: string;
  readonly metadata: PackageMetadata;
  /** Removes what was unpacked. May be called twice. */
  remove(): Promise<void>;
};

/**
 * Unpacks a package into a new folder (0700) below `tmpDir` and verifies it. Nothing is written
 * anywhere else, whatever the package says, and nothing is left behind when it is refused. Does
 * not touch the database; belongs before lock and backup.
 *
 * @throws DeployError `BUNDLE_INVALID` with what is wrong with the package; `BUNDLE_FAILED` when the
 * file system refuses to unpack it.
 */
export async function openPackage(
  file: string,
  options: { readonly expectedVersion: SchemaVersion; readonly tmpDir: string },
): Promise<OpenPackage> {
  const { expectedVersion, tmpDir } = options;
  const fail: Fail = (problem, cause) =>
    new DeployError('BUNDLE_INVALID', `the package ${problem}`, { where: file, cause });
  const root = await makeFolder(tmpDir).catch((cause: unknown) => {
    throw unpackFailed(tmpDir, cause);
  });
  const remove = () => rm(root, { recursive: true, force: true });
  try {
    const files = await unpack(file, root, fail);
    const read = (name: string) => readFile(join(root, name), 'utf8');
    for (const name of [METADATA_FILE, CHECKSUMS_FILE])
      if (!files.has(name)) throw fail(`has no ${name} in it`);
    checkSums(files, parseChecksums(await read(CHECKSUMS_FILE)), fail);
    const metadata = checkMetadata(parseMetadata(await read(METADATA_FILE)), fail);
    checkCounts(files, metadata, fail);
    if (metadata.version !== expectedVersion)
      throw fail(
        `is for version ${metadata.version}, and the required version is ${expectedVersion}`,
      );
    return { dir: join(root, MASTERDATA_FOLDER), metadata, remove };
  } catch (error) {
    // The reason why it is refused matters more than a folder that stays.
    await remove().catch(() => {});
    throw isDeployError(error) ? error : unpackFailed(tmpDir, error);
  }
}

async function makeFolder(tmpDir: string): Promise<string> {
  await mkdir(tmpDir, { recursive: true });
  return mkdtemp(join(tmpDir, 'package-'));
}

function unpackFailed(tmpDir: string, cause: unknown): DeployError {
  return new DeployError('BUNDLE_FAILED', 'the package could not be unpacked', {
    where: tmpDir,
    cause,
  });
}

function checkSums(
  files: ReadonlyMap<string, UnpackedFile>,
  checksums: ReadonlyMap<string, string> | string,
  fail: Fail,
): void {
  if (typeof checksums === 'string') throw fail(`is not valid: ${checksums}`);
  for (const name of checksums.keys())
    if (!files.has(name)) throw fail(`lacks ${shown(name)}, which is in ${CHECKSUMS_FILE}`);
  for (const [name, { sha256 }] of files) {
    if (name === CHECKSUMS_FILE) continue;
    const expected = checksums.get(name);
    if (expected === undefined) throw fail(`has ${name} in it, which is not in ${CHECKSUMS_FILE}`);
    if (expected !== sha256)
      throw fail(`has a ${name} whose checksum is not that of ${CHECKSUMS_FILE}`);
  }
}

function checkMetadata(metadata: PackageMetadata | string, fail: Fail): PackageMetadata {
  if (typeof metadata === 'string') throw fail(`is not valid: ${metadata}`);
  return metadata;
}

function checkCounts(
  files: ReadonlyMap<string, UnpackedFile>,
  { counts }: PackageMetadata,
  fail: Fail,
): void {
  const data = [...files.keys()].filter((name) => name.startsWith(`${MASTERDATA_FOLDER}/`));
  if (data.length === 0) throw fail('has no master data in it');
  if (data.length !== counts.files)
    throw fail(
      `has ${data.length} files of master data in it, and ${METADATA_FILE} says ${counts.files}`,
    );
}
