/** The tables of the benches as Markdown, and docs/benchmarks.md that they go into. Pure. */

import { arch, cpus, totalmem, type } from 'node:os';
import type { Bench, BenchTable } from '../test/bench/frame.ts';

/** What every measurement depends on; no names of machines. */
export type Surroundings = { readonly serverVersion: string; readonly date: string };

/** One section: heading, circumstances, table, notes. */
export function renderSection(
  { title }: Pick<Bench, 'title'>,
  table: BenchTable,
  { serverVersion, date }: Surroundings,
): string {
  const versions = { Node: process.versions.node, MariaDB: serverVersion, ...table.versions };
  const with_ = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `## ${title}`,
    '',
    `${date}; ${describeMachine()}; ${with_.join(', ')}.`,
    '',
    renderRow(table.columns),
    renderRow(table.columns.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...table.rows.map(renderRow),
    ...table.notes.flatMap((note) => ['', note]),
  ].join('\n');
}

function renderRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function describeMachine(): string {
  const [cpu] = cpus();
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  const model = cpu?.model.trim() || 'unknown processor';
  return `${cpus().length} cores (${model}), ${memoryGib} GiB memory, ${type()} ${arch()}`;
}

const head = `# Benchmarks

Written by \`npm run bench -- --write\`. Each table is one run, in which the candidates were measured in turn; times
are medians. Another machine has other times; the ratios are what counts. No test asserts a time.
`;

/** The document with the section of `name` replaced, or added at its end. */
export function putSection(document: string, name: string, section: string): string {
  const [begin, end] = [`<!-- begin ${name} -->\n`, `\n<!-- end ${name} -->`];
  const text = document === '' ? head : document;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) return `${text.trimEnd()}\n\n${begin}${section}${end}\n`;
  return text.slice(0, from) + begin + section + text.slice(to);
}
