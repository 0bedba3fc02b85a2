/** The program as people run it: a process with an environment, its output, its exit code. */
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Db } from '../../src/database/connect.ts';
import { endGroup, startGroup } from './processes.ts';
import type { Cleanup, TestServer } from './server.ts';
import { testTmp } from './tmp.ts';

const main = path.resolve(import.meta.dirname, '../../src/main.ts');

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type Running = {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What stderr has so far. */
  stderr(): string;
};

export type Site = {
  readonly dir: string;
  readonly database: string;
  readonly env: Readonly<Record<string, string>>;
  readonly backupDir: string;
  readonly reportDir: string;
  readonly migrationsDir: string;
  /** Writes files below the migrations folder; null removes one. */
  write(files: Readonly<Record<string, string | null>>): Promise<void>;
  /** Runs `deploy …args` to its end. */
  deploy(
    args: readonly string[],
    env?: Readonly<Record<string, string | undefined>>,
  ): Promise<Ended>;
  /** Starts `deploy …args`; ended by the test's clean-up at the latest. */
  start(
    args: readonly string[],
    env?: Readonly<Record<string, string | undefined>>,
    /** A program that runs the one given as its arguments, e.g. in another namespace. */
    wrapper?: readonly string[],
  ): Running;
  /** A connection as root, closed when the test ends. */
  connect(): Promise<Db>;
};

/**
 * A database of its own with folders of its own: what one installation is. The scratch folder is
 * shared by the sites of a test file, as its template costs seconds.
 */
export async function makeSite(
  t: Cleanup,
  server: TestServer,
  files: Readonly<Record<string, string>> = {},
  more: { readonly migrationsDir?: string; readonly database?: string } = {},
): Promise<Site> {
  const dir = await mkdtemp(path.join(testTmp, 'deploy-site-'));
  const started: ChildProcess[] = [];
  t.after(async () => {
    // Before the folder goes, into which they write.
    await Promise.all(started.map(endGroup));
    await rm(dir, { recursive: true, force: true });
  });
  const database = await server.createDatabase(more.database);
  const migrationsDir = more.migrationsDir ?? path.join(dir, 'migrations');
  const env = {
    ...{ DB_HOST: server.address.socketPath!, DB_NAME: database, DB_USER: 'root', DB_PASSWORD: '' },
    ...{
      MIGRATIONS_DIR: migrationsDir,
      BACKUP_DIR: path.join(dir, 'backups'),
      REPORT_DIR: path.join(dir, 'reports'),
    },
    ...{
      SCRATCH_DIR: path.join(testTmp, `deploy-test-scratch-${process.pid}`),
      DB_WAIT_SECONDS: '20',
      FENCE: 'off',
      MASTERDATA: 'off',
    },
  };
  const start: Site['start'] = (args, extra = {}, wrapper = []) => {
    const run = startDeploy(args, { ...env, ...extra }, wrapper);
    started.push(run.child);
    return run;
  };
  const site: Site = {
    ...{ dir, database, env, backupDir: env.BACKUP_DIR, reportDir: env.REPORT_DIR, migrationsDir },
    async write(changes) {
      for (const [name, text] of Object.entries(changes)) {
        const file = path.join(migrationsDir, name);
        await mkdir(path.dirname(file), { recursive: true });
        if (text === null) await rm(file, { force: true });
        else await writeFile(file, text);
      }
    },
    deploy: (args, extra) => start(args, extra).ended,
    start,
    connect: () => server.connect(database),
  };
  if (more.migrationsDir === undefined) await mkdir(migrationsDir, { recursive: true });
  await site.write(files);
  return site;
}

const inherited = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE'];

/** For runs that are the same a hundred times over: counting lines would cost a sixth of their time. */
export const notMeasured = { NODE_V8_COVERAGE: undefined };

/** Starts the program; nothing of this process's environment reaches it but PATH and the like. */
export function startDeploy(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  wrapper: readonly string[] = [],
): Running {
  const own = Object.fromEntries(inherited.map((name) => [name, process.env[name]]));
  const child = startGroup([...wrapper, process.execPath, main, ...args], { ...own, ...env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended, stderr: () => stderr };
}

/** Waits until `done` gives true, and fails loudly after the limit. */
export async function until(
  what: string,
  done: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
