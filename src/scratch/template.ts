import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError } from '../errors/deploy-error.ts';
import type { Binaries } from './binaries.ts';
import { INSTALL_VARIABLES, variableOptions } from './options.ts';

/** What the server takes when it is told nothing: no reason for a second template. */
const DEFAULTS = { lower_case_table_names: '0', innodb_page_size: '16384' } as const;

/** Raised when the options below change, so that older templates are left alone. */
const TEMPLATE_FORMAT = 1;

/**
 * Path of a data directory that `mariadb-install-db` has made, to be copied by every start. Made on
 * first use in `workDir`, which has a folder `tmp`, and moved to its name in one step: of two
 * starters at once both get a whole one.
 *
 * @throws DeployError `SCRATCH_FAILED` when the installation fails.
 */
export async function ensureTemplate(
  dir: string,
  workDir: string,
  binaries: Binaries,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const template = join(dir, templateName(binaries.serverVersion, variables));
  if (await exists(template)) return template;

  const made = join(workDir, 'template');
  await installDataDir(made, join(workDir, 'tmp'), binaries, variables);
  try {
    await rename(made, template);
  } catch (cause) {
    // Another starter was faster: its template is as good, ours goes with `workDir`.
    if (!(await exists(template))) {
      throw new DeployError(
        'SCRATCH_FAILED',
        'the template of the private server cannot be stored',
        {
          where: template,
          cause,
        },
      );
    }
  }
  return template;
}

/** Name of the template for a server version and the variables that are fixed at installation. Pure. */
export function templateName(
  serverVersion: string,
  variables: Readonly<Record<string, string>>,
): string {
  const fixed = INSTALL_VARIABLES.map((name) => variables[name] ?? DEFAULTS[name]);
  const parts = ['template', TEMPLATE_FORMAT, serverVersion, ...fixed];
  return parts.join('-').replace(/[^\w.+-]/g, '_');
}

async function installDataDir(
  dataDir: string,
  tmpDir: string,
  binaries: Binaries,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const options = [
    '--no-defaults',
    `--basedir=${binaries.baseDir}`,
    `--datadir=${dataDir}`,
    // MariaDB: a starting server deletes the temporary tables of others in a shared folder.
    `--tmpdir=${tmpDir}`,
    ...asRoot(),
    // root@localhost without password; the socket lies in a folder that only this user can enter.
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
    // Small, because it is copied; the server makes it as large as it needs.
    '--innodb-log-file-size=4M',
    ...variableOptions(INSTALL_VARIABLES, variables),
  ];
  const { $ } = await import('zx/core');
  const result = await $({ nothrow: true, quiet: true })`${binaries.installDb} ${options}`;
  if (result.exitCode === 0) return;
  throw new DeployError('SCRATCH_FAILED', 'mariadb-install-db failed', {
    where: dataDir,
    cause: new Error(lastLines(`${result.stdout}\n${result.stderr}`)),
  });
}

/** mariadbd refuses to run as root unless it is told that this is meant. */
export function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

/** The lines of a server's log that say what is wrong, else its last ones. Pure. */
export function lastLines(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => line.includes('[ERROR]'));
  return (errors.length > 0 ? errors : lines).slice(-5).join('\n');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
