import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { DeployError } from '../errors/deploy-error.ts';

/** The programs of one MariaDB installation on this machine. */
export type Binaries = {
  readonly mariadbd: string;
  readonly installDb: string;
  /** `/usr`, or the folder of an unpacked archive: both programs are told, so that they find their own files. */
  readonly baseDir: string;
  /** As `mariadbd --version` prints it, e.g. `10.11.19-MariaDB-0+deb12u1`. */
  readonly serverVersion: string;
  /** What to put before `mariadbd` so that the kernel kills it when this process dies; empty when there is no such tool. */
  readonly wrapper: readonly string[];
};

const NAMES = ['mariadbd', 'mysqld'];
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/usr/bin'];
const INSTALLERS = ['bin/mariadb-install-db', 'scripts/mariadb-install-db'];

const known = new Map<string, Promise<Binaries>>();

/**
 * Finds `mariadbd` and what belongs to it: the given path, else PATH, else Debian's folders.
 * Asked once per process and path.
 *
 * @throws DeployError `SCRATCH_FAILED` when a program is missing or does not run.
 */
export function findBinaries(mariadbd?: string): Promise<Binaries> {
  const key = mariadbd ?? '';
  let found = known.get(key);
  if (found === undefined) {
    found = readBinaries(mariadbd);
    known.set(key, found);
    // A failure is not remembered: the program may be installed later.
    found.catch(() => known.delete(key));
  }
  return found;
}

async function readBinaries(given: string | undefined): Promise<Binaries> {
  const mariadbd = given === undefined ? findMariadbd() : resolve(given);
  const baseDir = dirname(dirname(mariadbd));
  const installDb = INSTALLERS.map((name) => join(baseDir, name)).find(isExecutable);
  if (!isExecutable(mariadbd) || installDb === undefined) {
    throw new DeployError('SCRATCH_FAILED', 'mariadbd or mariadb-install-db is not installed', {
      where: mariadbd,
      next: ['install both, e.g. on Debian: apt-get install mariadb-server'],
    });
  }
  const wrapped = await readVersion(['setpriv', '--pdeathsig', 'KILL', mariadbd]);
  const serverVersion = wrapped ?? (await readVersion([mariadbd]));
  if (serverVersion === null) {
    throw new DeployError('SCRATCH_FAILED', 'mariadbd does not run', { where: mariadbd });
  }
  const wrapper = wrapped === null ? [] : ['setpriv', '--pdeathsig', 'KILL'];
  return { mariadbd, installDb, baseDir, serverVersion, wrapper };
}

function findMariadbd(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  const paths = NAMES.flatMap((name) => folders.filter(Boolean).map((dir) => join(dir, name)));
  return paths.find(isExecutable) ?? 'mariadbd';
}

/** Without zx, which looks for a shell when it is loaded: every plan waits for this. */
function readVersion([program = '', ...args]: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, [...args, '--no-defaults', '--version'], (_error, stdout) => {
      resolve(/Ver (\S+)/.exec(stdout)?.[1] ?? null);
    });
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
