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
  /** Ends it if `provideEngine` started it. */
  stop(): Promise<void>;
};

const baseImages = ['node:26-trixie-slim', 'mariadb:11.8'];

/**
 * Finds or makes an engine, `docker compose` and the base images.
 *
 * @throws Error with one sentence for the person who started the tests when that is not possible.
 */
export async function provideEngine(root: string): Promise<Engine> {
  const helpers = join(root, '../shared/docker');
  const state = process.env['DK'] ?? join(tmpdir(), 'dk');
  let env: NodeJS.ProcessEnv = { ...process.env };
  let stop = async (): Promise<void> => {};

  if (!(await succeeds(env, ['docker', 'version']))) {
    const dockerd = helper(helpers, 'dockerd.sh', 'no Docker engine answers (docker version)');
    env = { ...env, DK: state, DOCKER_CONFIG: env['DOCKER_CONFIG'] ?? join(state, 'config') };
    const wasRunning = await succeeds(env, [dockerd, 'status']);
    env['DOCKER_HOST'] = (await call(env, [dockerd, 'start'])).trim();
    if (!wasRunning) stop = async () => void (await call(env, [dockerd, 'stop']));
  }
  try {
    if (!(await succeeds(env, ['docker', 'compose', 'version']))) {
      env['DOCKER_CONFIG'] ??= join(state, 'config');
      await call(env, [helper(helpers, 'compose-plugin.sh', 'docker has no "docker compose"')]);
    }
    const isThere = await Promise.all(
      baseImages.map((image) => succeeds(env, ['docker', 'image', 'inspect', image])),
    );
    // Without the script compose pulls them itself, and says why when it cannot.
    const makeImages = join(helpers, 'standins/base-images.sh');
    if (isThere.includes(false) && existsSync(makeImages)) await call(env, [makeImages]);
    return { env, stop };
  } catch (error) {
    await stop();
    throw error;
  }
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
