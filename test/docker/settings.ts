/** The files that say what a stack is: passwords, `.env`, and what is laid over the compose file. */

import { randomUUID } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

export const root = path.resolve(import.meta.dirname, '../..');
/** Stands in the names of all that the tests make in the engine. */
export const prefix = process.env['DOCKER_TEST_PREFIX'] ?? `dtest-${process.pid}`;
/** The release whose images `npm run test:docker` makes before the tests. */
export const firstRelease = `0.5.0-${prefix}`;

/** Parts of services, or of volumes, by their names, as a compose file has them. */
export type Services = Readonly<Record<string, object>>;

export type StackOptions = {
  readonly settings?: Readonly<Record<string, string>>;
  /** Laid over the compose file for as long as the stack lives. */
  readonly services?: Services;
  /** Of another application: its files are copied, and the stack is driven from the copy. */
  readonly folder?: string;
  readonly files?: readonly string[];
  /** The service that is the database. */
  readonly database?: string;
};

export type Settings = {
  readonly project: string;
  /** For files of this stack. */
  readonly dir: string;
  /** Where compose is called, and with which environment: it says which files and which project. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** A part of each password that stands nowhere else. */
  readonly secrets: readonly string[];
  /** Changes `.env`, from the next command on. */
  set(settings: Readonly<Record<string, string>>): Promise<void>;
  /** Lays `services` over those of the compose file, from the next command on; adds `volumes`. */
  override(services: Services, volumes?: Services): Promise<void>;
};

/** Probes of the tests' stacks come often: they are what `up --wait` spends its time on. */
const often: Services = {
  db: {
    healthcheck: { interval: '500ms' },
    environment: { MARIADB_INITDB_SKIP_TZINFO: 'yes' },
  },
  health: { healthcheck: { interval: '1s' } },
  backend: { healthcheck: { interval: '1s' } },
};

/** Writes the files of a stack of this name into a folder of its own below the temporary one. */
export async function writeSettings(name: string, options: StackOptions): Promise<Settings> {
  const { settings = {}, services = {}, folder, files = ['docker-compose.yml'] } = options;
  const project = `${prefix}-${name}`;
  const dir = await mkdtemp(path.join(tmpdir(), `${project}-`));
  const file = (base: string) => path.join(dir, base);
  if (folder !== undefined) await cp(folder, dir, { recursive: true });
  const secrets = await writeSecrets(file('secrets'));
  const all: Record<string, string> = {
    ...{ RELEASE: firstRelease, SECRETS_DIR: file('secrets') },
    ...{ HEALTH_PUBLISH: '127.0.0.1:0', BACKEND_PUBLISH: '127.0.0.1:0' },
    ...{ RATE_LIMIT_PER_SECOND: '100', HEALTH_CACHE_SECONDS: '1' },
  };
  const set: Settings['set'] = async (more) => {
    Object.assign(all, more);
    const lines = Object.entries(all).map(([variable, value]) => `${variable}=${value}\n`);
    await writeFile(file('.env'), lines.join(''));
  };
  await set(settings);
  const base = folder === undefined ? merge(often, services) : services;
  await writeFile(file('base.yml'), JSON.stringify({ services: base }));
  const override: Settings['override'] = (more, volumes = {}) =>
    writeFile(file('override.yml'), JSON.stringify({ services: more, volumes }));
  await override({});

  // The tests' own variables would win over those of the file.
  const { RELEASE: _1, SECRETS_DIR: _2, REVISION: _3, BUILD_DATE: _4, ...outer } = process.env;
  const env = {
    ...outer,
    COMPOSE_PROJECT_NAME: project,
    COMPOSE_FILE: [...files, file('base.yml'), file('override.yml')].join(':'),
    COMPOSE_ENV_FILES: file('.env'),
  };
  const cwd = folder === undefined ? root : dir;
  return { project, dir, cwd, env, secrets, set, override };
}

const passwords = ['db_root', 'db_deploy', 'db_health', 'db_backend', 'admin'];

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

function merge(first: Services, second: Services): Services {
  const names = new Set([...Object.keys(first), ...Object.keys(second)]);
  return Object.fromEntries([...names].map((name) => [name, { ...first[name], ...second[name] }]));
}
