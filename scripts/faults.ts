/**
 * The long run of the fault tests: `npm run faults`, or `npm run faults -- 20` for 20 random
 * moments per scenario instead of 100. `FAULT_SEED` repeats a run. Ends with a table: which
 * scenarios were disturbed how often, how the disturbed runs ended, and the one command after them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Line = {
  readonly scenario: string;
  readonly disturbed: string;
  readonly hit: boolean;
  readonly outcome: string;
};

const [times = '100', ...paths] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(times)) {
  console.error('usage: npm run faults [-- <random moments per scenario> [test files]]');
  process.exit(2);
}
process.exitCode = main();

function main(): number {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-faults-'));
  const log = join(folder, 'log');
  try {
    const runner = join(import.meta.dirname, 'test.ts');
    const chosen = paths.length > 0 ? paths : ['test/faults'];
    const { status } = spawnSync(process.execPath, [runner, ...chosen], {
      stdio: 'inherit',
      env: { ...process.env, FAULT_KILLS: times, FAULT_LOG: log },
    });
    if (existsSync(log)) printSummary(readLines(log));
    return status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readLines(file: string): Line[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Line);
}

function printSummary(lines: readonly Line[]): void {
  console.log('\n| scenario | times | disturbed | the runs ended | the command after them |');
  console.log('|---|---|---|---|---|');
  for (const [scenario, own] of Map.groupBy(lines, (line) => line.scenario)) {
    const ends = count(own.map(({ disturbed }) => disturbed));
    const after = count(own.map(({ outcome }) => outcome));
    console.log(`| ${scenario} | ${own.length} | ${hits(own)} | ${ends} | ${after} |`);
  }
  const missed = lines.length - hits(lines);
  console.log(`\n${hits(lines)} disturbed runs, each left exactly old or exactly new`);
  if (missed > 0) console.log(`${missed} more had ended before they were to be disturbed`);
}

function hits(lines: readonly Line[]): number {
  return lines.filter(({ hit }) => hit).length;
}

/** `SIGKILL 12 ×, exit 0 3 ×` */
function count(words: readonly string[]): string {
  const groups = [...Map.groupBy(words, (word) => word)];
  return groups.map(([word, same]) => `${word} ${same.length} ×`).join(', ');
}
