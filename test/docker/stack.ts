/** A stack of `docker-compose.yml`, driven by `docker compose` as people do, under a name of its own. */

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { $ } from 'zx';
import { type Running, startProgram } from './running.ts';
import { type Settings, type StackOptions, writeSettings } from './settings.ts';

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
  readonly deploy: Readonly<Record<'release' | 'commit_hash' | 'build_date', string | null>>;
  readonly release: string;
  readonly database: Body;
};

/** One container as `docker inspect` has it. */
export type Container = {
  readonly id: string;
  readonly status: string;
  readonly exitCode: number;
  readonly health: string | null;
  readonly startedAt: string;
  readonly finishedAt: string;
};

export type Stack = Settings & {
  /** `docker compose …args`. */
  compose(...args: readonly string[]): Promise<Ended>;
  /** `docker compose up -d --wait`. */
  up(): Promise<Ended>;
  /** `docker compose run --rm deploy …args`, without a terminal. */
  deploy(...args: readonly string[]): Promise<Ended>;
  /** A `docker compose …args` that goes on by itself. */
  start(...args: readonly string[]): Running;
  /** Runs SQL as root in the database, and gives what it prints. */
  sql(text: string): Promise<string>;
  /** Runs SQL in the database as an account of docker/db/users.sh. */
  sqlAs(account: 'deploy' | 'health' | 'backend', text: string): Promise<Ended>;
  /** SQL as root that goes on by itself. */
  startSql(text: string): Running;
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
 * Makes the settings of a stack; it is not up yet. Two stacks at the same time need two names. When
 * the test ends, the stack and its volumes are removed; what the services said is printed at the
 * first failure.
 */
export async function makeStack(
  t: TestContext,
  name: string,
  options: StackOptions = {},
): Promise<Stack> {
  const settings = await writeSettings(name, options);
  const { project, dir, cwd, env } = settings;
  // A command that hangs is a failure that must be seen: no `up` takes this long.
  const call = $({ cwd, env, quiet: true, nothrow: true, timeout: '240s' });
  const compose: Stack['compose'] = async (...args) => {
    const { exitCode, stdout, stderr } = await call`docker compose ${args}`;
    return { code: exitCode ?? -1, stdout, stderr };
  };
  const inDatabase = (...args: string[]) =>
    compose('exec', '-T', options.database ?? 'db', 'sh', '-c', asRoot, ...args);
  removeAfter(t, compose, dir);
  const start = (...args: readonly string[]) =>
    startProgram(t, ['docker', 'compose', ...args], { cwd, env });
  return {
    ...settings,
    compose,
    up: () => compose('up', '--detach', '--wait'),
    deploy: (...args) => compose('run', '--rm', '-T', 'deploy', ...args),
    start,
    sql: async (text) =>
      succeeded(await inDatabase('mariadb', '--batch', `--execute=${text}`, 'bamort')),
    sqlAs: (account, text) =>
      compose('exec', '-T', 'db', 'sh', '-c', asAccount, account, `--execute=${text}`, 'bamort'),
    startSql: (text) =>
      start('exec', '-T', 'db', 'sh', '-c', asRoot, 'mariadb', `--execute=${text}`, 'bamort'),
    dump: async () => succeeded(await inDatabase(...dumpArguments)),
    inspect: async () => {
      const label = `label=com.docker.compose.project=${project}`;
      const ids = (await call`docker ps --all --quiet --filter ${label}`).stdout.split('\n');
      return (await call`docker inspect ${ids.filter(Boolean)}`).stdout;
    },
    container: async (service) => {
      const id = (await compose('ps', '--all', '--quiet', service)).stdout.trim();
      return id === '' ? null : readContainer((await call`docker inspect ${id}`).stdout);
    },
    async get(service, page) {
      const port = service === 'health' ? '8183' : '8180';
      const address = succeeded(await compose('port', service, port)).trim();
      const response = await fetch(`http://${address}${page}`);
      return { status: response.status, body: (await response.json()) as Body };
    },
  };
}

function readContainer(inspected: string): Container {
  const { Id: id, State: state } = JSON.parse(inspected)[0];
  return {
    ...{ id, status: state.Status, exitCode: state.ExitCode },
    health: state.Health?.Status ?? null,
    ...{ startedAt: state.StartedAt, finishedAt: state.FinishedAt },
  };
}

/** The program that follows, as root of the server; its password is in the environment only. */
const asRoot =
  'f=/run/secrets/db_root_password; [ ! -r $f ] || MARIADB_ROOT_PASSWORD=$(cat $f); MYSQL_PWD=$MARIADB_ROOT_PASSWORD exec "$0" --user=root "$@"';
/** As an application does, not by the socket; MariaDB 11.8 clients demand TLS unless told otherwise. */
const asAccount =
  'MYSQL_PWD=$(cat /run/secrets/db_$0_password) exec mariadb --skip-ssl --host=127.0.0.1 --user=$0 --batch "$@"';
const dumpArguments = [
  ...['mariadb-dump', '--skip-dump-date', '--skip-ssl', '--routines', '--events', '--triggers'],
  ...['deploy_lock', 'deploy_run', 'deploy_journal'].map((name) => `--ignore-table=bamort.${name}`),
  'bamort',
];

/** The output of what had to work. */
export function succeeded({ code, stdout, stderr }: Ended): string {
  assert.equal(code, 0, `exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

function removeAfter(t: TestContext, compose: Stack['compose'], dir: string): void {
  let isToldOf = false;
  const tell = async ({ passed }: { readonly passed?: boolean }) => {
    if (passed || isToldOf) return;
    isToldOf = true;
    const { stdout } = await compose('ps', '--all');
    const logs = await compose('logs', '--no-color', '--tail', '200');
    process.stderr.write(`\n${stdout}\n${logs.stdout}${logs.stderr}\n`);
  };
  // When it ends, a test does not know of its failed subtests any more.
  t.afterEach((subtest) => tell(subtest as TestContext));
  t.after(async () => {
    await tell(t);
    await compose('down', '--volumes', '--remove-orphans', '--timeout', '2');
    await rm(dir, { recursive: true, force: true });
  });
}
