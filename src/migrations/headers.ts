/**
 * Pure: the header of a migration's SQL file. It is made of lines `--! key: value` and ends at the
 * first line that is neither empty, nor a comment, nor such a line.
 *
 * To the server `--!` is no comment, so header lines never reach it. The client, and with it the
 * splitter, skips such a line between statements: there it would be ignored without a word.
 */
import type { FileProblem } from './problem.ts';

/** What the headers of one file say; null where they say nothing. */
export type Headers = {
  readonly description: string | null;
  readonly critical: boolean | null;
  readonly rerunnable: boolean | null;
};

export type HeaderKey = keyof Headers;

/** `critical` and `description` belong to the migration, `rerunnable` to each of its files. */
export const headerKeys: Readonly<Record<'up' | 'down', readonly HeaderKey[]>> = {
  up: ['description', 'critical', 'rerunnable'],
  down: ['rerunnable'],
};

export type ReadHeaders = {
  readonly headers: Headers;
  /** The text with empty lines in place of the header lines: line numbers stay. */
  readonly text: string;
  readonly problems: readonly FileProblem[];
};

/** Reads the header of a file, of which only the keys of its kind are allowed, each once. */
export function readHeaders(text: string, path: string, kind: 'up' | 'down'): ReadHeaders {
  const lines = text.split('\n');
  const values = new Map<HeaderKey, string>();
  const problems: FileProblem[] = [];
  const { found, end } = headerLines(lines);
  for (const index of found) {
    const where = `${path}:${index + 1}`;
    const match = /^--!\s*([^\s:]+)\s*:\s*(.*?)\s*$/.exec(lines[index]!.trim());
    const key = headerKeys[kind].find((known) => known === match?.[1]);
    if (match === null) {
      problems.push({ where, message: 'a header line has the form --! key: value' });
    } else if (key === undefined) {
      const known = headerKeys[kind].join(', ');
      problems.push({
        where,
        message: `unknown header ${match[1]}; a ${kind} file knows ${known}`,
      });
    } else if (values.has(key)) {
      problems.push({ where, message: `the header ${key} stands here a second time` });
    } else {
      const value = match[2]!;
      const message = findValueProblem(key, value);
      if (message !== null) problems.push({ where, message });
      values.set(key, value);
    }
    lines[index] = '';
  }
  for (const [index, line] of lines.slice(end).entries()) {
    if (!lateHeader.test(line)) continue;
    const message = 'header lines stand before the first statement';
    problems.push({ where: `${path}:${end + index + 1}`, message });
  }
  const flag = (key: HeaderKey) => (values.has(key) ? values.get(key) === 'true' : null);
  return {
    headers: {
      description: values.get('description') ?? null,
      critical: flag('critical'),
      rerunnable: flag('rerunnable'),
    },
    text: lines.join('\n'),
    problems,
  };
}

const lateHeader = /^\s*--!\s*(?:description|critical|rerunnable)\s*:/;

function findValueProblem(key: HeaderKey, value: string): string | null {
  if (key === 'description') return value === '' ? 'the header description is empty' : null;
  return ['true', 'false'].includes(value) ? null : `the header ${key} is either true or false`;
}

/** The positions of the header lines, and where the header ends. */
function headerLines(lines: readonly string[]): {
  readonly found: number[];
  readonly end: number;
} {
  const found: number[] = [];
  let insideComment = false;
  for (const [index, whole] of lines.entries()) {
    let line = whole.trim();
    if (index === 0) line = line.replace(/^\uFEFF/, '').trimStart();
    if (!insideComment && line.startsWith('--!')) {
      found.push(index);
      continue;
    }
    // `/*!` and `/*M!` are code.
    if (/^\/\*(?!M?!)/.test(line)) {
      insideComment = true;
      line = line.slice(2);
    }
    if (insideComment) {
      const end = line.indexOf('*/');
      if (end === -1) continue;
      insideComment = false;
      line = line.slice(end + 2).trim();
    }
    if (!/^(?:$|--(?:\s|$)|#)/.test(line)) return { found, end: index };
  }
  return { found, end: lines.length };
}
