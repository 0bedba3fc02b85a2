/** A stack of `docker-compose.yml`, driven by `docker compose` as people do, under a name of its own. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { $ } from 'zx';

const root = path.resolve(import.meta.dirname, '../..');
const prefix = process.env['DOCKER_TEST_PREFIX'] ?? `deploytest-${process.pid}`;
const passwords = ['db_root', 'db_deploy', 'db_health', 'db_backend', 'admin'];

/** How a command ended; `stderr` holds compose's own words, too. */
export type Ended = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

export type Answer = { readonly status: number; readonly body: Body };

/** Of what sidecar and demo backend answer, the fields that tests look at. */
export type Body = {
  readonly status: string;
  readonly compatible: boolean;
  readonly backend_version: string;
  readonly actual_db_version: string;
  readonly required_db_version: string;
  readonly pending_migrations: readonly { readonly number: number }[];
  readonly last_run: { readonly outcome: string; readonly error_code: string | null };
  readonly release: string;
  readonly database: Body;
};

/** One container as `docker inspect` has it. */
export type Container = {
  readonly status: string;
  readonly exitCode: number;
  readonly health: string | null;
  readonly startedAt: string;
};

export type Stack = {
  /** For files of this stack; removed with it. */
  readonly dir: string;
  /** A part of each password that stands nowhere else. */
  readonly secrets: readonly string[];
  /** `docker compose …args`. */
  compose(...args: readonly string[]): Promise<Ended>;
  /** `docker compose up -d --wait`. */
  up(): Promise<Ended>;
  /** `docker compose run --rm deploy …args`, without a terminal. */
  deploy(...args: readonly string[]): Promise<Ended>;
  /** Lays `services` over those of docker-compose.yml, from the next command on. */
  override(services: object): Promise<void>;
  /** Runs SQL as root in the database, and gives what it prints. */
  sql(text: string): Promise<string>;
  /** The whole database as text, without the tables of this program: equal texts are equal databases. */
  dump(): Promise<string>;
  /** All that the engine knows of the stack's containers. */
  inspect(): Promise<string>;
  /** The container of a service; null when there is none. */
  container(service: string): Promise<Container | null>;
  /** `GET` from a published port. */
  get(service: 'health' | 'backend', page: string): Promise<Answer>;
};

/**
 * Makes the settings of a stack; it is not up yet. When the test ends, the stack and its volumes are
 * removed, and if the test failed, what the services said is printed before.
 */
export async function makeStack(
  t: TestContext,
  name: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Stack> {
  const project = `${prefix}-${name}`;
  const dir = await mkdtemp(path.join(tmpdir(), `${project}-`));
  const secrets = await writeSecrets(path.join(dir, 'secrets'));
  const env = {
    ...{ RELEASE: `0.5.0-${prefix}`, SECRETS_DIR: path.join(dir, 'secrets') },
    ...{ HEALTH_PUBLISH: '127.0.0.1:0', BACKEND_PUBLISH: '127.0.0.1:0' },
    ...{ RATE_LIMIT_PER_SECOND: '100', HEALTH_CACHE_SECONDS: '1' },
    ...settings,
  };
  const lines = Object.entries(env).map(([variable, value]) => `${variable}=${value}\n`);
  await writeFile(path.join(dir, '.env'), lines.join(''));
  const files = ['docker-compose.yml', path.join(dir, 'override.yml')];
  await writeFile(files[1]!, '{}');
  const options = ['--project-name', project, '--env-file', path.join(dir, '.env')];
  const all = [...options, ...files.flatMap((file) => ['--file', file])];

  // The tests' own variables would win over those of the file.
  const { RELEASE: _release, SECRETS_DIR: _folder, ...outer } = process.env;
  // A command that hangs is a failure that must be seen: no `up` takes this long.
  const call = $({ cwd: root, env: outer, quiet: true, nothrow: true, timeout: '240s' });
  const compose: Stack['compose'] = async (...args) => {
    const { exitCode, stdout, stderr } = await call`docker compose ${all} ${args}`;
    return { code: exitCode ?? -1, stdout, stderr };
  };
  const inDatabase = (...args: string[]) =>
    compose('exec', '-T', 'db', 'sh', '-c', asRoot, ...args);
  const container: Stack['container'] = async (service) => {
    const id = (await compose('ps', '--all', '--quiet', service)).stdout.trim();
    if (id === '') return null;
    const { State: state } = JSON.parse((await call`docker inspect ${id}`).stdout)[0];
    const health = state.Health?.Status ?? null;
    return { status: state.Status, exitCode: state.ExitCode, health, startedAt: state.StartedAt };
  };
  t.after(async () => {
    if (!t.passed) await printLogs(compose);
    await compose('down', '--volumes', '--remove-orphans', '--timeout', '2');
    await rm(dir, { recursive: true, force: true });
  });
  return {
    ...{ dir, secrets, compose, container },
    up: () => compose('up', '--detach', '--wait'),
    deploy: (...args) => compose('run', '--rm', '-T', 'deploy', ...args),
    override: (services) => writeFile(files[1]!, JSON.stringify({ services })),
    sql: async (text) =>
      succeeded(await inDatabase('mariadb', '--batch', `--execute=${text}`, 'bamort')),
    dump: async () => succeeded(await inDatabase(...dumpArguments)),
    inspect: async () => {
      const ids = (await compose('ps', '--all', '--quiet')).stdout.split('\n').filter(Boolean);
      return (await call`docker inspect ${ids}`).stdout;
    },
    async get(service, page) {
      const port = service === 'health' ? '8183' : '8180';
      const address = succeeded(await compose('port', service, port)).trim();
      const response = await fetch(`http://${address}${page}`);
      return { status: response.status, body: (await response.json()) as Body };
    },
  };
}

/** The program that follows, as root of the server; its password is in the environment only. */
const asRoot = 'MYSQL_PWD=$(cat /run/secrets/db_root_password) exec "$0" --user=root "$@"';
const dumpArguments = [
  ...['mariadb-dump', '--skip-dump-date', '--skip-ssl', '--routines', '--events', '--triggers'],
  ...['deploy_lock', 'deploy_run', 'deploy_journal'].map((name) => `--ignore-table=bamort.${name}`),
  'bamort',
];

async function writeSecrets(dir: string): Promise<string[]> {
  await mkdir(dir);
  const parts = passwords.map(() => randomUUID());
  for (const [at, name] of passwords.entries()) {
    const file = path.join(dir, `${name}_password`);
    // With all that quoting could get wrong on its way into SQL and addresses.
    await writeFile(file, `${parts[at]}'"\\ %)@/$\n`);
    // Read by accounts inside the containers; the folder above keeps others out.
    await chmod(file, 0o644);
  }
  return parts;
}

/** The output of what had to work. */
export function succeeded({ code, stdout, stderr }: Ended): string {
  assert.equal(code, 0, `exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** The repository's migrations with more files, in a folder that any account can read. */
export async function copyMigrations(
  stack: Stack,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const dir = path.join(stack.dir, 'migrations');
  await cp(path.join(root, 'migrations'), dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
  // mkdtemp keeps others out, and the account in the container is one of them.
  await chmod(stack.dir, 0o755);
  return dir;
}

async function printLogs(compose: Stack['compose']): Promise<void> {
  const { stdout } = await compose('ps', '--all');
  const logs = await compose('logs', '--no-color', '--tail', '200');
  process.stderr.write(`\n${stdout}\n${logs.stdout}${logs.stderr}\n`);
}
