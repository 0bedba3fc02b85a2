import { DeployError } from '../errors/deploy-error.ts';
import type { Statement } from './statement.ts';
import type { Quoting } from './tokens.ts';

/** Where the splitter stands. Everything before `at` is done. */
export type Scan = {
  readonly text: string;
  readonly path: string;
  readonly initial: Quoting;
  readonly statements: Statement[];
  at: number;
  line: number;
  delimiter: string;
  quoting: Quoting;
  /** The statement that has begun, or null between two. `end` is behind its last token so far. */
  pending: { readonly start: number; readonly line: number; end: number } | null;
  /** Line of the executable comment that is open, or null. */
  codeLine: number | null;
};

const NEWLINE = 10;

/** Goes on to a place, counting the lines in between. */
export function moveTo(scan: Scan, at: number): void {
  scan.line += countNewlines(scan.text, scan.at, at);
  scan.at = at;
}

/** Newlines from one place to before another. */
export function countNewlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (text.charCodeAt(at) === NEWLINE) count++;
  return count;
}

/** The place of the next newline, or the end of the text. */
export function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

/** The error for a script that cannot be split: at the place of the scan unless another line is given. */
export function fail(
  scan: Scan,
  message: string,
  next: readonly string[] = [],
  place: { readonly line: number } = scan,
): DeployError {
  return new DeployError('MIGRATION_FILE_INVALID', message, {
    where: `${scan.path}:${place.line}`,
    ...(next.length > 0 ? { next } : {}),
  });
}
