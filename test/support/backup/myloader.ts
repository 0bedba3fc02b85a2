/** myloader, which the backup bench is measured against: the fastest restore of a dump there is. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ServerAddress } from '../../../src/config/config.ts';

const exec = promisify(execFile);

/**
 * Its version; null where it is not there and cannot be installed. On Debian it is, when this
 * process may do so, as `scripts/bootstrap.mjs` does with what the program itself needs.
 */
export async function findMyloader(): Promise<string | null> {
  const found = await versionOfMyloader();
  if (found !== null) return found;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await exec('apt-get', ['install', '-y', '--no-install-recommends', 'mydumper'], { env }).catch(
    () => {},
  );
  return versionOfMyloader();
}

async function versionOfMyloader(): Promise<string | null> {
  const output = await exec('myloader', ['--version']).catch(() => null);
  return output === null ? null : output.stdout.trim().split(',')[0]!.replace('myloader ', '');
}

export type MyloaderOptions = {
  readonly address: ServerAddress;
  readonly database: string;
  readonly dir: string;
  readonly threads: number;
};

/** Dumps a database for it, tables cut into files so that all of its threads have work. */
export async function runMydumper(
  options: MyloaderOptions & { rowsPerFile: number },
): Promise<void> {
  const cut = ['-c', '--trx-consistency-only', '-r', String(options.rowsPerFile)];
  await exec('mydumper', [...wordsOf(options), '-o', options.dir, ...cut]);
}

export async function runMyloader(options: MyloaderOptions): Promise<void> {
  await exec('myloader', [...wordsOf(options), '-d', options.dir]);
}

function wordsOf({ address, database, threads }: MyloaderOptions): string[] {
  const { socketPath, user } = address;
  return [
    `--socket=${socketPath}`,
    `--user=${user}`,
    '-B',
    database,
    '-t',
    `${threads}`,
    '-v',
    '1',
  ];
}
