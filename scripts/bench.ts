/**
 * Runs the benches: `npm run bench`, or one of them: `npm run bench -- migrate`. Words after the
 * name go to the bench. `--write` also writes the tables into docs/benchmarks.md; `--write=backup-11.8`
 * beside the others under that name, for another server (the first `mariadbd` of PATH is measured).
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../src/scratch/binaries.ts';
import type { Bench, BenchContext, BenchTable, Peers } from '../test/bench/frame.ts';
import { putSection, renderSection, type Surroundings } from './bench-document.ts';

const root = join(import.meta.dirname, '..');
const benches = join(root, 'test', 'bench');
const documentPath = join(root, 'docs', 'benchmarks.md');

const words = process.argv.slice(2).filter((word) => !/^--write(=|$)/.test(word));
const written = process.argv.slice(2).find((word) => /^--write(=|$)/.test(word));
const writtenAs = written?.split('=')[1];
const [chosen, ...args] = words;

process.exitCode = await main();

async function main(): Promise<number> {
  const names = readdirSync(benches)
    .filter((file) => file.endsWith('.ts') && file !== 'frame.ts')
    .map((file) => file.replace(/\.ts$/, ''));
  if (chosen !== undefined && !names.includes(chosen)) {
    console.error(`no such bench: ${chosen}; there are: ${names.join(', ')}`);
    return 2;
  }
  const dir = mkdtempSync(join(tmpdir(), 'deploy-bench-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
  // On the disk: in memory the server's waiting for it, which is most of what a migration costs, is gone.
  process.env['DEPLOY_TEST_TMPDIR'] = join(dir, 'servers');
  await mkdir(join(dir, 'servers'));
  const { serverVersion } = await findBinaries();
  const surroundings = { serverVersion, date: new Date().toISOString().slice(0, 10) };
  let failed = 0;
  for (const name of chosen === undefined ? names : [chosen]) {
    const ok = await runBench(name, join(dir, name), surroundings);
    if (!ok) failed++;
  }
  return failed === 0 ? 0 : 1;
}

/** Gives whether the bench came to its end and found nothing wrong. */
async function runBench(name: string, dir: string, surroundings: Surroundings): Promise<boolean> {
  const { bench } = (await import(join(benches, `${name}.ts`))) as { readonly bench: Bench };
  console.error(`bench ${name}: ${bench.title}`);
  await mkdir(dir);
  const cleanups: (() => Promise<void>)[] = [];
  let table: BenchTable;
  try {
    table = await bench.run(makeContext(name, dir, cleanups));
  } catch (error) {
    console.error(`bench ${name} failed`, error);
    return false;
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
  const title = writtenAs === undefined ? bench.title : `${bench.title}: ${writtenAs}`;
  const section = renderSection({ title }, table, surroundings);
  console.log(`${section}\n`);
  if (written !== undefined) {
    const document = existsSync(documentPath) ? readFileSync(documentPath, 'utf8') : '';
    writeFileSync(documentPath, putSection(document, writtenAs ?? name, section));
  }
  for (const failure of table.failures ?? []) console.error(`bench ${name}: ${failure}`);
  return (table.failures ?? []).length === 0;
}

function makeContext(name: string, dir: string, cleanups: (() => Promise<void>)[]): BenchContext {
  return {
    args,
    dir,
    after: (cleanup) => cleanups.push(cleanup),
    installPeers: (packages) => installPeers(join(dir, 'peers'), packages),
    say: (text) => console.error(`bench ${name}: ${text}`),
  };
}

async function installPeers(dir: string, packages: readonly string[]): Promise<Peers> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'package.json'), '{"private":true}');
  const options = ['install', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm's own variables would make the inner npm think it is part of the outer one's script.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|command)/.test(name)),
  );
  execFileSync('npm', [...options, ...packages], { cwd: dir, env, stdio: ['ignore', 2, 2] });
  const versionOf = (name: string): string => {
    const text = readFileSync(join(dir, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  };
  return { dir, versions: Object.fromEntries(packages.map((name) => [name, versionOf(name)])) };
}
