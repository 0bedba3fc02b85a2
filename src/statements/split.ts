import { CLIENT_COMMANDS, readDelimiterLine } from './client-commands.ts';
import { findOpenBlock } from './compound.ts';
import { readLexemes } from './lexemes.ts';
import { countNewlines, endOfLine, fail, moveTo, type Scan } from './scan.ts';
import { quotingAfter } from './sql-mode.ts';
import type { Statement } from './statement.ts';
import { takeToken } from './take-token.ts';
import { type Quoting, readToken } from './tokens.ts';

export { decodeScript } from './decode.ts';

const DEFAULT_DELIMITER = ';';
const SANDBOX_LINE = '/*M!999999\\-';
/** Saves reading every long INSERT twice. */
const NEVER_COMPOUND = /^(?:insert|replace|update|delete|select|set|drop)\b/i;
const BLANK = /^[ \t\v\f\r]*$/;

/**
 * Splits a script as the `mariadb` client does, so that the same statements reach the server:
 * DELIMITER at the beginning of a line, quotes, comments, executable comments as code. Where the
 * client would take a command of its own, guess, or send something cut in half, this refuses. Pure
 * and linear. The rules are those of MariaDB's `client/mysql.cc` (`read_and_execute`,
 * `find_command`, `add_line`) and `client/readline.cc`; the differential test holds them.
 *
 * A line ends with `\n` or `\r\n`, and both are `\n` to the server, also in strings, names and
 * bodies: a checkout on Windows runs the same statements. Any other `\r` is white space between
 * words, and itself in a string, name or comment, which it does not end.
 *
 * On purpose this differs from the client in what stands between words: comments stay, so that the
 * bodies of stored programs keep theirs. Where the client takes one out it may cut the word behind
 * it in two, and it joins a line that begins with `delimiter` to the next one; here both stay whole.
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
  const end = takeToken(scan, token);
  if (token.kind !== 'space' && token.kind !== 'comment') {
    scan.pending ??= { start: scan.at, line: scan.line, end };
    scan.pending.end = end;
  }
  moveTo(scan, end);
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
  const { statements, quoting: now } = scan;
  statements.push({ sql, line: pending.line, number: statements.length + 1, quoting: now });
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
