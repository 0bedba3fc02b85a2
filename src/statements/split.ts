import { DeployError } from '../errors/deploy-error.ts';
import { CLIENT_COMMANDS, readDelimiterLine } from './client-commands.ts';
import { findOpenBlock } from './compound.ts';
import { readLexemes } from './lexemes.ts';
import { quotingAfter } from './sql-mode.ts';
import type { Statement } from './statement.ts';
import { type Quoting, readToken, type Token } from './tokens.ts';

export { decodeScript } from './decode.ts';

/** Where the splitter stands. Everything before `at` is done. */
type Scan = {
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

const DEFAULT_DELIMITER = ';';
const SANDBOX_LINE = '/*M!999999\\-';
/** Saves reading every long INSERT twice. */
const NEVER_COMPOUND = /^(?:insert|replace|update|delete|select|set|drop)\b/i;
const NEWLINE = 10;
const BLANK = /^[ \t\v\f\r]*$/;

/**
 * Splits a script as the `mariadb` client does, so that the same statements reach the server:
 * DELIMITER at the beginning of a line, quotes, comments, executable comments as code, `\r\n` as
 * `\n`. Where the client would take a command of its own, guess, or send something cut in half,
 * this refuses. Pure and linear. The rules are those of MariaDB's `client/mysql.cc`
 * (`read_and_execute`, `find_command`, `add_line`); the differential test holds them.
 *
 * `SET sql_mode` in the script changes how the rest is read, as the client sees it from the server.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID` with `path:line`.
 */
export function splitStatements(text: string, path: string, options: Quoting = {}): Statement[] {
  const scan: Scan = {
    text: text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'),
    path,
    initial: options,
    statements: [],
    at: 0,
    line: 1,
    delimiter: DEFAULT_DELIMITER,
    quoting: options,
    pending: null,
    codeLine: null,
  };
  const nul = scan.text.indexOf('\0');
  if (nul !== -1) {
    throw fail(scan, 'the file holds a NUL byte', [], {
      line: 1 + countNewlines(scan.text, 0, nul),
    });
  }
  while (scan.at < scan.text.length) step(scan);
  finish(scan);
  return scan.statements;
}

function step(scan: Scan): void {
  if (scan.pending === null && readCommand(scan)) return;
  if (scan.text.startsWith(scan.delimiter, scan.at)) {
    endStatement(scan);
    scan.at += scan.delimiter.length;
    return;
  }
  const token = readToken(scan.text, scan.at, scan.quoting, scan.codeLine !== null);
  const end = token.kind === 'word' ? endOfWord(scan, token) : takeToken(scan, token);
  if (token.kind !== 'space' && token.kind !== 'comment') {
    scan.pending ??= { start: scan.at, line: scan.line, end };
    scan.pending.end = end;
  }
  moveTo(scan, end);
}

/** Checks a token that is not a word and gives its end. */
function takeToken(scan: Scan, token: Token): number {
  const { text, at, codeLine } = scan;
  switch (token.kind) {
    case 'unterminated':
      throw fail(scan, `${nameOf(text, at)} begins here and does not end`);
    case 'symbol':
      if (text[at] !== '\\') return token.end;
      // The only thing of this kind that is SQL: the client passes `\N` on, an old form of NULL.
      if (text[at + 1] === 'N') return token.end + 1;
      throw fail(scan, `\\${text[at + 1] ?? ''} is a command of the mariadb client, not SQL`, [
        'remove it; end statements with ; or with the delimiter',
      ]);
    case 'code-begin':
      if (codeLine !== null) throw fail(scan, 'an executable comment stands in another one');
      assertUncut(scan, token);
      scan.codeLine = scan.line;
      return token.end;
    case 'code-end':
      assertUncut(scan, token);
      scan.codeLine = null;
      return token.end;
    case 'comment':
      assertPlain(scan, text.slice(at, token.end));
      return token.end;
    default:
      return token.end;
  }
}

/** The client looks for the delimiter also in the middle of such a mark: `*/ //` with delimiter `//`. */
function assertUncut(scan: Scan, token: Token): void {
  if (endOfWord(scan, token) !== token.end) {
    throw fail(scan, 'the delimiter cuts a mark of an executable comment', [
      'put a space between them',
    ]);
  }
  if (token.kind === 'code-end' && scan.text[token.end] === '*') {
    throw fail(scan, 'the client takes */* for a star and the beginning of a comment', [
      'put a space behind */',
    ]);
  }
}

/** The client is confused by marks of a comment inside a comment, and loses what follows. */
function assertPlain(scan: Scan, comment: string): void {
  if (!comment.startsWith('/*')) return;
  if (scan.codeLine === scan.line) {
    throw fail(scan, 'a comment stands in an executable comment on the same line');
  }
  const lastLine = comment.slice(Math.max(2, comment.lastIndexOf('\n')));
  if (/\/\*(?:M?!|\/$)/.test(lastLine)) {
    throw fail(scan, 'a comment holds the beginning of another one', ['remove the inner /*']);
  }
}

/** A delimiter ends a statement also in the middle of a word: `END$$` has two parts. */
function endOfWord({ text, delimiter }: Scan, { start, end }: Token): number {
  for (let at = start + 1; at < end; at++) if (text.startsWith(delimiter, at)) return at;
  return end;
}

/**
 * Takes what stands between two statements and is not SQL: DELIMITER lines, comments that only
 * the client knows. Gives false when a statement, white space or an ordinary comment comes.
 */
function readCommand(scan: Scan): boolean {
  const { text, at } = scan;
  if (text.startsWith(SANDBOX_LINE, at)) {
    const close = text.indexOf('*/', at);
    if (close === -1) throw fail(scan, 'a comment begins here and does not end');
    moveTo(scan, close + 2);
    return true;
  }
  // At the beginning of a statement the client needs no space after `--`.
  if (text.startsWith('--', at) && !text.startsWith(scan.delimiter, at)) {
    moveTo(scan, endOfLine(text, at));
    return true;
  }
  const token = readToken(text, at, scan.quoting, false);
  const word = text.slice(at, token.kind === 'space' ? at : token.end).toLowerCase();
  if (word === 'delimiter') {
    readDelimiter(scan, token.end);
    return true;
  }
  if (CLIENT_COMMANDS.has(word) && !text.startsWith(scan.delimiter, at)) {
    throw fail(scan, `${word} is a command of the mariadb client, not SQL`, [
      'remove it: a migration runs in its own database and session',
    ]);
  }
  return false;
}

function readDelimiter(scan: Scan, afterWord: number): void {
  const { text, at } = scan;
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  if (at > 0 && !BLANK.test(text.slice(lineStart, at))) {
    throw fail(scan, 'DELIMITER must be the first word of its line');
  }
  const end = endOfLine(text, at);
  const line = readDelimiterLine(text.slice(afterWord, end));
  if ('problem' in line) throw fail(scan, line.problem);
  scan.delimiter = line.delimiter;
  moveTo(scan, end);
}

function endStatement(scan: Scan): void {
  const { text, pending } = scan;
  if (pending === null) return;
  const sql = text.slice(pending.start, pending.end);
  if (scan.codeLine !== null) {
    throw fail(scan, 'an executable comment begins here and is cut by the delimiter', [], {
      line: scan.codeLine,
    });
  }
  assertWhole(scan, sql, pending.line);
  scan.statements.push({ sql, line: pending.line, number: scan.statements.length + 1 });
  scan.pending = null;
  const quoting = quotingAfter(sql, scan.quoting, scan.initial);
  if (quoting === null) {
    throw fail(
      scan,
      'how the rest of the file is to be read depends on a value of sql_mode that only the server knows',
      ['set sql_mode to a literal'],
      pending,
    );
  }
  scan.quoting = quoting;
}

/** The body of a stored program was cut if one of its blocks is still open. */
function assertWhole(scan: Scan, sql: string, line: number): void {
  if (NEVER_COMPOUND.test(sql)) return;
  const block = findOpenBlock(readLexemes(sql, scan.quoting).lexemes);
  if (block === null) return;
  if (scan.delimiter === DEFAULT_DELIMITER && scan.at < scan.text.length) {
    throw fail(
      scan,
      'a stored program with a body needs another delimiter than ;',
      [
        'put the line DELIMITER // before it, // behind its END, and the line DELIMITER ; after that',
      ],
      { line },
    );
  }
  const opened = line + countNewlines(sql, 0, block.start);
  throw fail(scan, `${block.keyword} begins here and has no END`, [], { line: opened });
}

function finish(scan: Scan): void {
  if (scan.pending === null) return;
  if (scan.delimiter !== DEFAULT_DELIMITER) {
    const message = `the last statement is not ended by the delimiter ${scan.delimiter}`;
    throw fail(scan, message, [], scan.pending);
  }
  endStatement(scan);
}

function moveTo(scan: Scan, at: number): void {
  scan.line += countNewlines(scan.text, scan.at, at);
  scan.at = at;
}

function countNewlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (text.charCodeAt(at) === NEWLINE) count++;
  return count;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function nameOf(text: string, at: number): string {
  if (text[at] === '`') return 'a name in backticks';
  return text[at] === '/' ? 'a comment' : 'a quoted text';
}

function fail(
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
