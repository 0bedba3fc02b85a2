/** What the deploy service costs an `up` that has nothing to do. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { provideEngine } from '../../scripts/docker-engine.ts';
import {
  type Bench,
  type BenchContext,
  type BenchTable,
  formatMs,
  measureInTurn,
  median,
} from './frame.ts';

const root = path.resolve(import.meta.dirname, '../..');
const withoutDeploy = `services:
  backend:
    depends_on: !override
      db: { condition: service_healthy }
      health: { condition: service_started }
  deploy: { profiles: [never] }
`;

export const bench: Bench = {
  name: 'up-in-compose',
  title: '`docker compose up` with nothing to do',
  run,
};

async function run({ dir, args, after, say }: BenchContext): Promise<BenchTable> {
  const rounds = Number(args[0] ?? 9);
  const engine = await provideEngine(root, `deploybench-${process.pid}`);
  after(engine.stop);
  const release = `0.5.0-deploybench-${process.pid}`;
  await mkdir(path.join(dir, 'secrets'), { mode: 0o755 });
  for (const name of ['db_root', 'db_deploy', 'db_health', 'db_backend', 'admin']) {
    await writeFile(path.join(dir, 'secrets', `${name}_password`), `${name}-of-a-bench`);
  }
  await writeFile(path.join(dir, 'without.yml'), withoutDeploy);
  const env = {
    ...engine.env,
    ...{ RELEASE: release, SECRETS_DIR: path.join(dir, 'secrets') },
    ...{ HEALTH_PUBLISH: '127.0.0.1:0', BACKEND_PUBLISH: '127.0.0.1:0' },
    COMPOSE_PROJECT_NAME: `deploybench-${process.pid}`,
  };
  const docker = $({ env, quiet: true, cwd: root });
  const files = {
    with: ['--file', 'docker-compose.yml'],
    without: ['--file', 'docker-compose.yml', '--file', path.join(dir, 'without.yml')],
  };
  after(async () => {
    await docker`docker compose down --volumes --timeout 2`;
    const images = ['deploy', 'health', 'demo-backend'].map((name) => `bamort-${name}:${release}`);
    await docker`docker image rm ${images}`;
  });
  say('building, and a first up');
  await docker`docker compose build`;
  await docker`docker compose up --detach --wait`;

  /** From the command to the start of the backend's container, as the engine has it. */
  const up = async (which: readonly string[]): Promise<number> => {
    await docker`docker compose rm --stop --force backend deploy`;
    const begunAt = Date.now();
    await docker`docker compose ${which} up --detach`;
    const id = (await docker`docker compose ps --quiet backend`).stdout.trim();
    const started = await docker`docker inspect --format {{.State.StartedAt}} ${id}`;
    return Date.parse(started.stdout.trim()) - begunAt;
  };
  const times = await measureInTurn(rounds, {
    with: () => up(files.with),
    without: () => up(files.without),
  });
  const [withIt, without] = [median(times.with), median(times.without)];
  const compose = (await docker`docker compose version --short`).stdout.trim();
  return {
    columns: ['', 'until the backend starts'],
    rows: [
      ['without the deploy service', formatMs(without)],
      ['with it', formatMs(withIt)],
      ['later by', formatMs(withIt - without)],
    ],
    notes: [
      `Database and sidecar run, the backend has no container yet; ${rounds} rounds in turn. The aim is at most 1.5 s later. Compose looks every half second whether deploy has ended.`,
    ],
    versions: { Compose: compose },
  };
}
