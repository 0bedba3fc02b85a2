/**
 * A Docker engine with compose and the two base images, for the tests. What is there is used; the
 * rest comes from `../shared/docker` beside this checkout, if that exists (its README says how).
 */

import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';

/** An engine that answers. */
export type Engine = {
  /** The environment that makes `docker` find it. */
  readonly env: NodeJS.ProcessEnv;
  /** The script that stops and starts it; null when it is not the tests' own, and others may use it. */
  readonly script: string | null;
  /** Ends it if `provideEngine` started it, and nobody else has a container on it by now. */
  stop(): Promise<void>;
};

/** What the images are made of and tested with, and the script that makes a stand-in where none can be pulled. */
const images: Readonly<Record<string, readonly string[]>> = {
  'node:26-trixie-slim': ['base-images.sh', 'node'],
  'mariadb:11.8': ['base-images.sh', 'mariadb'],
  'mariadb:10.11': ['extra-images.sh', 'mariadb-10.11'],
};

/**
 * Finds or makes an engine, `docker compose` and the base images. `prefix`: how the names of the caller's
 * compose projects begin.
 *
 * @throws Error with one sentence for the person who started the tests when that is not possible.
 */
export async function provideEngine(root: string, prefix: string): Promise<Engine> {
  const helpers = join(root, '../shared/docker');
  const state = process.env['DK'] ?? join(tmpdir(), 'dk');
  let env: NodeJS.ProcessEnv = { ...process.env };
  let script: string | null = null;

  if (!(await succeeds(env, ['docker', 'version']))) {
    const dockerd = helper(helpers, 'dockerd.sh', 'no Docker engine answers (docker version)');
    env = { ...env, DK: state, DOCKER_CONFIG: env['DOCKER_CONFIG'] ?? join(state, 'config') };
    const wasRunning = await succeeds(env, [dockerd, 'status']);
    env['DOCKER_HOST'] = (await call(env, [dockerd, 'start'])).trim();
    if (!wasRunning) script = dockerd;
  }
  const stop = async () => {
    if (script === null) return;
    const others = await listOthers(env, prefix);
    if (others.length === 0) await call(env, [script, 'stop']);
    else console.error(`the Docker engine stays: others use it (${others.join(', ')})`);
  };
  try {
    if (!(await succeeds(env, ['docker', 'compose', 'version']))) {
      env['DOCKER_CONFIG'] ??= join(state, 'config');
      await call(env, [helper(helpers, 'compose-plugin.sh', 'docker has no "docker compose"')]);
    }
    for (const image of Object.keys(images)) await provideImage(env, helpers, image);
    return { env, script, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Names of the containers that run on the engine and are not of compose projects with this prefix. */
export async function listOthers(env: NodeJS.ProcessEnv, prefix: string): Promise<string[]> {
  const format = '{{.Label "com.docker.compose.project"}} {{.Names}}';
  const { stdout } = await $({ env, quiet: true })`docker ps --format ${format}`;
  const all = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '));
  const isOwn = (project = '') => project === prefix || project.startsWith(`${prefix}-`);
  return all.filter(([project]) => !isOwn(project)).map(([, name = '']) => name);
}

/** Without the scripts compose pulls an image itself, and says why when it cannot. */
async function provideImage(env: NodeJS.ProcessEnv, helpers: string, image: string): Promise<void> {
  if (await succeeds(env, ['docker', 'image', 'inspect', image])) return;
  const [script = '', ...args] = images[image] ?? [];
  const path = join(helpers, 'standins', script);
  if (!existsSync(path)) return;
  // base-images.sh pulls by itself where that is possible.
  const pulled = script === 'extra-images.sh' && (await succeeds(env, ['docker', 'pull', image]));
  if (!pulled) await call(env, [path, ...args]);
}

function helper(folder: string, name: string, problem: string): string {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  throw new Error(`${problem}, and ${folder} is not there to provide it: install Docker and retry`);
}

async function succeeds(env: NodeJS.ProcessEnv, command: readonly string[]): Promise<boolean> {
  try {
    return (await $({ env, nothrow: true, quiet: true })`${command}`).exitCode === 0;
  } catch {
    return false;
  }
}

/** Gives stdout; what the script says on its way goes to stderr as it comes. */
async function call(env: NodeJS.ProcessEnv, command: readonly string[]): Promise<string> {
  const stdio = ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'];
  const { exitCode, stdout } = await $({ env, stdio, nothrow: true })`${command}`;
  if (exitCode === 0) return stdout;
  throw new Error(`${command.join(' ')} failed with exit code ${exitCode} (see above)`);
}
