/**
 * `npm start`: the whole run on a private throw-away MariaDB. Makes a legacy Bamort database with
 * rows, walks it version by version to the newest, prints the report, and shows how to look
 * around. Ctrl-C ends the server and leaves nothing behind.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { runCli } from '../src/cli/program.ts';
import { connect } from '../src/database/connect.ts';
import { quoteNameText } from '../src/database/identifier.ts';
import { DeployError } from '../src/errors/deploy-error.ts';
import { readMigrations } from '../src/migrations/files.ts';
import { withScratch } from '../src/scratch/server.ts';
import { fillLegacy } from '../test/support/bamort/rows.ts';

const database = 'bamort';
const root = path.resolve(import.meta.dirname, '..');
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => stop.abort(new DeployError('INTERRUPTED', `told to stop (${signal})`)));
const say = (text: string) => process.stderr.write(`${text}\n`);

const folder = await mkdtemp(path.join(tmpdir(), 'bamort-deploy-'));
try {
  await withScratch({ dir: path.join(folder, 'server') }, async ({ address }) => {
    say('a private MariaDB is up; making a legacy Bamort database with rows …');
    await prepareLegacy(address);
    const env = {
      LOG_FORMAT: 'text',
      ...process.env,
      ...{
        DB_HOST: address.socketPath!,
        DB_NAME: database,
        DB_USER: address.user,
        DB_PASSWORD: address.password,
      },
      ...{
        UPDATE_PATH: 'stepwise',
        BACKEND_VERSION: '0.5.0',
        MIGRATIONS_DIR: path.join(root, 'migrations'),
      },
      BACKUP_DIR: path.join(folder, 'backups'),
      SCRATCH_DIR: path.join(folder, 'scratch'),
      REPORT_DIR: path.join(folder, 'reports'),
    };
    const streams = { stdout: process.stdout, stderr: process.stderr };
    const run = (args: string[]) => runCli(args, { env, streams, stop: stop.signal });
    process.exitCode = await run(['up']);
    if (process.exitCode === 0) process.exitCode = await run(['status']);
    if (process.exitCode !== 0 || stop.signal.aborted || !process.stdin.isTTY) return;

    say(
      `\nlook around in another terminal:\n  mariadb --socket=${address.socketPath} --user=root ${database}`,
    );
    say(`  backups, reports: ${folder}\nCtrl-C ends it and leaves nothing behind.`);
    await untilStopped();
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function prepareLegacy(address: Parameters<typeof connect>[0]): Promise<void> {
  const admin = await connect(address, {});
  await admin.run(
    `CREATE DATABASE ${quoteNameText(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
  );
  await admin.close();
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
