/**
 * What share of the lines of `src` the tests must run through: 80 % of all, and every line of the
 * files that decide without acting, because a wrong decision there damages a database.
 */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where `npm run coverage` writes its measurement, from the root of the repository. */
export const lcovPath = 'coverage/lcov.info';

const leastPercent = 80;
const complete = [
  'src/history/versions.ts',
  'src/migrations/resolve.ts',
  'src/run/plan.ts',
  'src/run/refusals.ts',
  'src/statements/recover.ts',
  'src/statements/split.ts',
];

type Lines = { readonly total: number; readonly uncovered: readonly number[] };

/** Gives a sentence for each demand that the last measurement does not meet; prints the sum. */
export function checkCoverage(root: string): string[] {
  const files = readLcov(readFileSync(join(root, lcovPath), 'utf8'));
  for (const path of globSync('src/**/*.ts', { cwd: root })) {
    if (!files.has(path)) files.set(path, linesOfUnloaded(join(root, path)));
  }
  const total = sum([...files.values()].map((lines) => lines.total));
  const uncovered = sum([...files.values()].map((lines) => lines.uncovered.length));
  const percent = total === 0 ? 0 : (100 * (total - uncovered)) / total;
  console.error(`coverage: ${percent.toFixed(1)} % of ${total} lines in ${files.size} files`);

  const shortfalls = complete.flatMap((path) => {
    const lines = files.get(path);
    if (lines === undefined) return [`${path} is listed as to be covered and does not exist`];
    return lines.uncovered.length === 0
      ? []
      : [`${path} must be covered in full; not run: ${ranges(lines.uncovered)}`];
  });
  if (percent >= leastPercent) return shortfalls;
  const worst = [...files]
    .filter(([, lines]) => lines.uncovered.length > 0)
    .sort(([, a], [, b]) => b.uncovered.length - a.uncovered.length)
    .slice(0, 10)
    .map(([path, lines]) => `${path} (${lines.uncovered.length})`);
  return [
    ...shortfalls,
    `less than ${leastPercent} %; most lines are missing in ${worst.join(', ')}`,
  ];
}

/** Reads the lines of an lcov report, by the path of their file. */
export function readLcov(text: string): Map<string, Lines> {
  const files = new Map<string, Lines>();
  for (const record of text.split('end_of_record\n')) {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    if (path === undefined) continue;
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)$/gm)];
    const uncovered = lines.filter(([, , count]) => count === '0').map(([, line]) => Number(line));
    files.set(path, { total: lines.length, uncovered });
  }
  return files;
}

/** A file that no process loaded: all its lines are missing, unless it holds nothing but types. */
function linesOfUnloaded(path: string): Lines {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const hasCode = lines.some((line) => /^(?!import|export type|type |[ }/*]|$)/.test(line));
  if (!hasCode) return { total: 0, uncovered: [] };
  return { total: lines.length, uncovered: lines.map((_, index) => index + 1) };
}

/** 1, 2, 3, 7 as `1-3, 7`. */
function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
