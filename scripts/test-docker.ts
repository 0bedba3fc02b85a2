/**
 * `npm run test:docker`, or `npm run test:docker -- test/docker/x.test.ts`: real `docker compose`.
 * Makes the images once, runs the tests, and removes what they made, by name. Without an engine,
 * and without a way to get one, it fails.
 */

import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';
import { type Engine, provideEngine } from './docker-engine.ts';

const root = join(import.meta.dirname, '..');
/** The tests' projects begin with it, and it is in the tags of their images: short, as a database keeps 20 characters. */
const name = `dtest-${process.pid}`;
const release = `0.5.0-${name}`;

process.exitCode = await main();

async function main(): Promise<number> {
  let engine: Engine;
  try {
    engine = await provideEngine(root, name);
  } catch (error) {
    console.error(`test:docker: ${(error as Error).message}`);
    return 1;
  }
  const dir = await mkdtemp(join(tmpdir(), `${name}-`));
  const env = {
    ...engine.env,
    TMPDIR: dir,
    DOCKER_TEST_PREFIX: name,
    ...(engine.script !== null && { DOCKER_TEST_DOCKERD: engine.script }),
    // For the build alone, as no container is made: the tests have settings of their own.
    ...{ RELEASE: release, SECRETS_DIR: '/nowhere' },
    ...{ REVISION: name, BUILD_DATE: '2026-01-16T10:30:00Z' },
  };
  const call = $({ cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'], nothrow: true });
  // Ctrl-C reaches the tests as well, which clean up; this must live to do what they could not.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  try {
    const built = await call`docker compose --progress quiet build`;
    if (built.exitCode !== 0) return 1;
    const given = process.argv.slice(2);
    const files = given.length > 0 ? given : globSync('test/docker/**/*.test.ts', { cwd: root });
    // What stops the engine would stop the others' containers.
    const alone = files.filter((file) => file.includes('/alone/'));
    const together = files.filter((file) => !alone.includes(file));
    let exitCode = 0;
    for (const [group, atOnce] of [
      [together, 4],
      [alone, 1],
    ] as const) {
      if (group.length === 0) continue;
      const run =
        await call`node --test --test-timeout=900000 --test-concurrency=${atOnce} ${group}`;
      exitCode ||= run.exitCode ?? 1;
    }
    return exitCode;
  } finally {
    await removeLeftovers(env);
    await rm(dir, { recursive: true, force: true });
    await engine.stop();
  }
}

/** By name, so that neither a developer's stacks nor those of other runs are touched. */
async function removeLeftovers(env: NodeJS.ProcessEnv): Promise<void> {
  const docker = $({ cwd: root, env, quiet: true, nothrow: true });
  const projects = await docker`docker compose ls --all --quiet --filter name=${name}`;
  for (const project of projects.stdout.split('\n').filter(Boolean)) {
    await docker`docker compose --project-name ${project} down --volumes --remove-orphans --timeout 2`;
  }
  // By tag: the image itself may be a developer's as well.
  const format = ['--format', '{{.Repository}}:{{.Tag}}'];
  const tags = await docker`docker image ls --filter reference=*:*-${name}* ${format}`;
  await docker`docker image rm ${tags.stdout.split('\n').filter(Boolean)}`;
}
