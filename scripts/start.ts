/**
 * `npm start`: the whole run on a private throw-away MariaDB, twice. A legacy Bamort database with
 * rows is adopted and walked version by version to the newest; then an empty one is installed,
 * with master data and an administrator, and the sidecar serves what it sees of it. Ctrl-C ends
 * everything and leaves nothing behind.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { startHealth } from '../healthcheck/start.ts';
import { makeLog } from '../src/cli/log.ts';
import { runCli } from '../src/cli/run-cli.ts';
import { toolVersion } from '../src/cli/tool-version.ts';
import type { ServerAddress } from '../src/config/config.ts';
import { loadConfig } from '../src/config/load.ts';
import { connect } from '../src/database/connect.ts';
import { quoteNameText } from '../src/database/identifier.ts';
import { DeployError } from '../src/errors/deploy-error.ts';
import { readMigrations } from '../src/migrations/files.ts';
import { withScratch } from '../src/scratch/server.ts';
import { fillLegacy } from '../test/support/bamort/rows.ts';

const root = path.resolve(import.meta.dirname, '..');
const scratchDir = path.join(root, 'node_modules/.cache/scratch');
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort(new DeployError('INTERRUPTED', `told to stop (${signal})`)));
}
const say = (text: string) => process.stderr.write(`${text}\n`);
const streams = { stdout: process.stdout, stderr: process.stderr };

const folder = await mkdtemp(path.join(tmpdir(), 'bamort-deploy-'));
try {
  // The template of a data directory is set-up: it is kept where the packages are, for the next start.
  await withScratch({ dir: scratchDir }, async ({ address }) => {
    process.exitCode = await show(address);
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function show(address: ServerAddress): Promise<number> {
  say('\n1. a legacy Bamort database with rows, without any history');
  await makeLegacy(address, 'bamort_legacy');
  const legacy = envFor(address, 'bamort_legacy', { UPDATE_PATH: 'stepwise', MASTERDATA: 'off' });
  const adopted = await run(['up'], legacy);
  if (adopted !== 0) return adopted;

  say('\n2. an empty database: a fresh installation with master data and an administrator');
  await makeDatabase(address, 'bamort');
  const env = envFor(address, 'bamort', {
    ...{ ADMIN_USER: 'admin', ADMIN_EMAIL: 'admin@example.org', ADMIN_PASSWORD: 'change-me-now' },
  });
  const installed = await run(['up'], env);
  if (installed !== 0 || stop.signal.aborted) return installed;
  await serve(address, env);
  return 0;
}

function run(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  return runCli(args, { env, streams, stop: stop.signal });
}

function envFor(
  address: ServerAddress,
  database: string,
  more: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const own = {
    ...{ DB_HOST: address.socketPath!, DB_NAME: database, DB_USER: address.user, DB_PASSWORD: '' },
    ...{
      MIGRATIONS_DIR: path.join(root, 'migrations'),
      MASTERDATA_DIR: path.join(root, 'masterdata'),
    },
    ...{ BACKUP_DIR: path.join(folder, 'backups'), SCRATCH_DIR: scratchDir },
    ...{
      REPORT_DIR: path.join(folder, 'reports'),
      BACKEND_VERSION: '0.2.2',
      HEALTH_HOST: '127.0.0.1',
    },
  };
  return { LOG_FORMAT: 'text', ...process.env, ...own, ...more };
}

async function serve(address: ServerAddress, env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig(env);
  const sidecar = await startHealth({
    config,
    log: makeLog({ ...config, logLevel: 'warn' }, { stderr: process.stderr }),
    folder: await readMigrations(config.migrationsDir),
    toolVersion: toolVersion(),
  });
  say('\n3. the sidecar');
  for (const route of ['api/system/health', 'api/system/version', 'livez', 'readyz', 'metrics']) {
    say(`  ${sidecar.url.replace(/\/$/, '')}/${route}`);
  }
  say(`\nlook around: mariadb --socket=${address.socketPath} --user=root bamort`);
  say(`backups, reports: ${folder}`);
  say('Ctrl-C ends it and leaves nothing behind.');
  await untilStopped();
  await sidecar.stop();
}

async function makeDatabase(address: ServerAddress, database: string): Promise<void> {
  const admin = await connect(address, {});
  const name = quoteNameText(database);
  await admin.run(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  await admin.close();
}

async function makeLegacy(address: ServerAddress, database: string): Promise<void> {
  await makeDatabase(address, database);
  const db = await connect(address, { database });
  try {
    const { migrations } = await readMigrations(path.join(root, 'migrations'));
    for (const migration of migrations.filter(({ version }) => version === '0.3.0')) {
      for (const statement of migration.up.statements) await db.run(statement.sql);
    }
    await fillLegacy(db, { characters: 12, seed: 1, imageBytes: 20_000 });
  } finally {
    await db.close();
  }
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 2 ** 30);
    const end = () => {
      clearInterval(alive);
      resolve();
    };
    if (stop.signal.aborted) end();
    else stop.signal.addEventListener('abort', end, { once: true });
  });
}
