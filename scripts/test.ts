/**
 * Runs the tests: `npm test`, or only some of them: `npm test -- test/unit/config` or
 * `npm test -- test/cli/up.test.ts`. Options of `node --test` may follow, such as
 * `--test-name-pattern='lock'`. `--coverage` (as `npm run coverage`) measures the lines of `src`
 * as well, of all processes that the tests start, and checks what `coverage.ts` demands.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { availableParallelism, constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCoverage, lcovPath } from './coverage.ts';

const root = join(import.meta.dirname, '..');
const folders = ['unit', 'integration', 'cli', 'scenarios', 'faults', 'browser'].map(
  (name) => `test/${name}`,
);

const given = process.argv.slice(2);
const paths = given.filter((word) => !word.startsWith('-'));
const options = given.filter((word) => word.startsWith('-') && word !== '--coverage');
const withCoverage = given.includes('--coverage');

process.exitCode = await main();

async function main(): Promise<number> {
  const absent = paths.filter((path) => !existsSync(join(root, path)));
  if (absent.length > 0) {
    console.error(`no such test file or folder: ${absent.join(', ')}`);
    return 2;
  }
  const tmp = makeTmp();
  process.env['DEPLOY_TEST_TMPDIR'] = tmp;
  // Some 200 test files and thousands of runs of `deploy` load the same modules: each is stripped of
  // its types and compiled once. Half of the time of the unit tests; what is covered stays the same.
  process.env['NODE_COMPILE_CACHE'] = join(root, 'node_modules/.cache/node');
  process.on('exit', () => rmSync(tmp, { recursive: true, force: true }));
  const chosen = paths.length > 0 ? paths : folders.filter((path) => existsSync(join(root, path)));
  const status = await runNode([
    '--test',
    // They wait for servers and processes as much as they compute.
    `--test-concurrency=${availableParallelism() + 2}`,
    // No test takes this long: one that hangs must fail, not stop the others.
    '--test-timeout=900000',
    '--test-reporter=./scripts/reporter.ts',
    '--test-reporter-destination=stdout',
    ...(withCoverage ? coverageOptions() : []),
    ...options,
    ...chosen.map(asPattern),
  ]);
  if (status !== 0 || !withCoverage || paths.length > 0) return status;

  const shortfalls = checkCoverage(root);
  for (const shortfall of shortfalls) console.error(`coverage: ${shortfall}`);
  return shortfalls.length > 0 ? 1 : 0;
}

/**
 * A folder for the data directories of the tests' servers. In memory where there is room: they
 * write little, but wait for the disk with every statement.
 */
function makeTmp(): string {
  const memory = '/dev/shm';
  const free = existsSync(memory) ? statfsSync(memory) : { bavail: 0, bsize: 0 };
  const parent = free.bavail * free.bsize > 6 * 2 ** 30 ? memory : tmpdir();
  return mkdtempSync(join(parent, 'deploy-tests-'));
}

function asPattern(path: string): string {
  return statSync(join(root, path)).isDirectory()
    ? `${path.replace(/\/+$/, '')}/**/*.test.ts`
    : path;
}

/** Node hands the folder for coverage on in the environment, so that child processes count, too. */
function coverageOptions(): string[] {
  mkdirSync(join(root, 'coverage'), { recursive: true });
  return [
    '--experimental-test-coverage',
    '--test-coverage-include=src/**/*.ts',
    '--test-reporter=lcov',
    `--test-reporter-destination=${lcovPath}`,
  ];
}

/** Runs Node with our own output; Ctrl-C reaches it directly, SIGTERM is handed on. */
function runNode(parameters: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, { cwd: root, stdio: 'inherit' });
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
