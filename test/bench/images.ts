/** How large the images are, and how long it takes to make them. */

import { appendFile, cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { provideEngine } from '../../scripts/docker-engine.ts';
import { type Bench, type BenchContext, type BenchTable, formatMs, timed } from './frame.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** What `.dockerignore` lets into an image. */
const sources = [
  ...['.dockerignore', 'Dockerfile', 'package.json', 'package-lock.json'],
  ...['src', 'healthcheck', 'migrations', 'masterdata', 'scripts/copy-imports.ts', 'docker'],
];

const composeFile = (tag: string) => `services:
  deploy: { build: { context: ., target: deploy }, image: "bamort-deploy:${tag}" }
  health: { build: { context: ., target: health }, image: "bamort-health:${tag}" }
`;

export const bench: Bench = { name: 'images', title: 'Images', run };

async function run({ dir, after, say }: BenchContext): Promise<BenchTable> {
  const engine = await provideEngine(root, `deploybench-${process.pid}`);
  after(engine.stop);
  const docker = $({ env: engine.env, quiet: true, cwd: dir });
  for (const source of sources) {
    await cp(path.join(root, source), path.join(dir, source), { recursive: true });
  }
  const tag = `deploybench-${process.pid}`;
  after(async () => {
    await docker`docker image rm bamort-deploy:${tag} bamort-health:${tag}`;
  });
  // By compose, as the README does: its builder is BuildKit, also where `docker build` is not.
  await writeFile(path.join(dir, 'images.yml'), composeFile(tag));
  const build = async (target: string, options: readonly string[]) =>
    formatMs(await timed(() => docker`docker compose -f images.yml build ${options} ${target}`));
  const rows: string[][] = [];
  for (const target of ['deploy', 'health']) {
    say(`${target}: without a cache`);
    const cold = await build(target, ['--no-cache']);
    await appendFile(path.join(dir, 'src/main.ts'), `// changed for ${target}\n`);
    await appendFile(path.join(dir, 'healthcheck/main.ts'), `// changed for ${target}\n`);
    say(`${target}: after a change of a source`);
    const changed = await build(target, []);
    const unchanged = await build(target, []);
    const size = await sizeOf(`bamort-${target}:${tag}`);
    const base = await sizeOf('node:26-trixie-slim');
    rows.push([target, formatSize(size), formatSize(size - base), cold, changed, unchanged]);
  }
  return {
    columns: [
      'image',
      'size',
      'of it above the base',
      'build without cache',
      'after a change',
      'again',
    ],
    rows,
    notes: [
      'Without cache: with the base images in the engine; Debian and npm packages are downloaded, the latter into a cache that BuildKit keeps. After a change: one line in a source file.',
      'Of `deploy`, most is `mariadbd` for the scratch server. Both images hold the compiled form of their sources, which halves the time to start.',
    ],
  };

  async function sizeOf(image: string): Promise<number> {
    return Number((await docker`docker image inspect --format {{.Size}} ${image}`).stdout);
  }
}

function formatSize(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
