/** What tests do to the engine itself, behind the back of compose. */

import assert from 'node:assert/strict';
import process from 'node:process';
import type { TestContext } from 'node:test';
import { $ } from 'zx';
import { listOthers } from '../../scripts/docker-engine.ts';
import { until } from './running.ts';
import { firstRelease, prefix } from './settings.ts';
import type { Container, Stack } from './stack.ts';

const docker = $({ quiet: true });

/**
 * kill -9 of the container's process, as the kernel does when memory is short. With `docker kill` the
 * engine would take it for wanted, and not start the container again. The process is the engine's,
 * which may be on another machine: so a container with the engine's processes kills it. One that has
 * ended by then is left as it is.
 */
export async function killContainer({ id }: Pick<Container, 'id'>): Promise<void> {
  const pid = (await docker`docker inspect --format {{.State.Pid}} ${id}`).stdout.trim();
  if (pid === '0') return;
  const helper = ['--rm', '--pid=host', '--user=0', '--network=none', '--entrypoint=sh'];
  const kill = `kill -9 ${pid} || ! test -d /proc/${pid}`;
  await docker`docker run ${helper} bamort-deploy:${firstRelease} -c ${kill}`;
}

/** Waits until a container that runs by itself has said this; fails when it has ended without. */
export async function untilSaid({ id }: Pick<Container, 'id'>, text: string): Promise<void> {
  await until(`the container has said: ${text}`, async () => {
    const { stdout, stderr } = await docker`docker logs ${id}`;
    if (`${stdout}${stderr}`.includes(text)) return true;
    const state = (await docker`docker inspect --format {{.State.Status}} ${id}`).stdout.trim();
    assert.equal(state, 'running', `it ended without "${text}":\n${stdout}${stderr}`);
    return false;
  });
}

/** All that the image tells of how it was made, and of what runs in it. */
export async function describeImage(image: string): Promise<string> {
  const history = await docker`docker image history --no-trunc ${image}`;
  const inspected = await docker`docker image inspect ${image}`;
  return history.stdout + inspected.stdout;
}

/** What an image says about its containers, as JSON. */
export async function describeConfig(image: string): Promise<string> {
  return (await docker`docker image inspect --format ${'{{json .}}'} ${image}`).stdout;
}

/** The labels of an image. */
export async function readLabels(image: string): Promise<Readonly<Record<string, string>>> {
  const inspected =
    await docker`docker image inspect --format ${'{{json .Config.Labels}}'} ${image}`;
  return JSON.parse(inspected.stdout);
}

/** Makes a volume the property of an account, as after a restore of its files by another one. */
export async function giveVolumeTo(volume: string, uid: number): Promise<void> {
  const helper = ['--rm', '--user=0', '--network=none', '--entrypoint=chown'];
  const image = `bamort-deploy:${firstRelease}`;
  await docker`docker run ${helper} --volume ${volume}:/volume ${image} ${uid}:${uid} /volume`;
}

/** The containers of a project that `compose run` made and that still run. */
export async function listOneOffs(project: string): Promise<readonly string[]> {
  const labels = [`com.docker.compose.project=${project}`, 'com.docker.compose.oneoff=True'];
  const filters = labels.flatMap((label) => ['--filter', `label=${label}`]);
  return (await docker`docker ps --quiet ${filters}`).stdout.split('\n').filter(Boolean);
}

/** The processes of a project's containers with all their arguments, as the host sees them. */
export async function listProcesses(project: string): Promise<string> {
  const label = `label=com.docker.compose.project=${project}`;
  const ids = (await docker`docker ps --quiet --filter ${label}`).stdout
    .split('\n')
    .filter(Boolean);
  const listed = await Promise.all(ids.map((id) => docker`docker top ${id} -eo pid,args`));
  return listed.map(({ stdout }) => stdout).join('');
}

/** A container that is none of the tests' own, as another person on this engine would have it. */
export async function startOther(
  t: TestContext,
): Promise<{ readonly began: string; startedAt(): Promise<string> }> {
  const options = ['--detach', '--rm', '--network=none', '--entrypoint=sleep'];
  const image = `bamort-deploy:${firstRelease}`;
  const id = (await docker`docker run ${options} ${image} 600`).stdout.trim();
  t.after(() => docker`docker rm --force ${id}`);
  const startedAt = async () =>
    (await docker`docker inspect --format {{.State.StartedAt}} ${id}`).stdout.trim();
  return { began: await startedAt(), startedAt };
}

/**
 * Stops the engine and starts it again, when the tests have one of their own. An engine that others use,
 * now or always, stays: there the processes of the stack are killed, and it starts them again in the same way, by the
 * restart policy and without compose.
 */
export async function rebootEngine(stack: Stack): Promise<void> {
  const services = ['db', 'health', 'backend'];
  const find = () => Promise.all(services.map(stack.container));
  const before = await find();
  const dockerd = process.env['DOCKER_TEST_DOCKERD'];
  if (dockerd === undefined || (await listOthers(process.env, prefix)).length > 0) {
    for (const container of before) await killContainer(container!);
  } else {
    await docker`${dockerd} stop`;
    await docker`${dockerd} start`;
  }
  await until('the engine has started the containers again', async () =>
    (await find()).every((after, at) => {
      const isBack = after?.status === 'running' && after.startedAt !== before[at]?.startedAt;
      return isBack && (services[at] === 'backend' || after.health === 'healthy');
    }),
  );
}
