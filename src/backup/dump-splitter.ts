/**
 * Splits somebody's SQL dump into statements while it streams, as the `mariadb` client does:
 * DELIMITER lines, quotes, comments, executable comments. The lexical rules are those of
 * `statements/tokens.ts`; unlike `splitStatements` it never holds more than one statement. Pure.
 */
import { CLIENT_COMMANDS, readDelimiterLine } from '../statements/client-commands.ts';
import { countNewlines } from '../statements/scan.ts';
import { quotingAfter } from '../statements/sql-mode.ts';
import { type Quoting, readToken, type Token } from '../statements/tokens.ts';

export type DumpStatement = {
  /** Without its delimiter; each character is one byte. */
  readonly sql: string;
  /** Line of the file, from 1, where it begins. */
  readonly line: number;
  readonly quoting: Quoting;
};

/** What is wrong with a dump as a text, and where; holds nothing of its rows. */
export class DumpSyntaxError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.name = 'DumpSyntaxError';
    this.line = line;
  }
}

type Scan = {
  /** What is not done yet: from the beginning of the statement on. */
  text: string;
  at: number;
  line: number;
  isEnd: boolean;
  delimiter: string;
  quoting: Quoting;
  begun: { readonly start: number; readonly line: number } | null;
  inCode: boolean;
  /** The last comment line; dumps say in it that they are whole. */
  lastComment: string;
  /** So much text must be there before it is worth looking again. */
  wanted: number;
};

/** More than any statement that a server with usual settings takes in one piece. */
export const MAX_STATEMENT_BYTES = 256 * 2 ** 20;

/**
 * The statements of a dump. Gives its last comment line when it ends.
 *
 * @throws DumpSyntaxError when the text ends within a statement, holds a command of the client,
 *   or a statement that is longer than `maxBytes`.
 */
export async function* splitDumpText(
  chunks: AsyncIterable<string>,
  maxBytes = MAX_STATEMENT_BYTES,
): AsyncGenerator<DumpStatement, string> {
  const scan: Scan = {
    ...{ text: '', at: 0, line: 1, isEnd: false, delimiter: ';', quoting: {}, begun: null },
    ...{ inCode: false, lastComment: '', wanted: 0 },
  };
  for await (const chunk of chunks) {
    scan.text += chunk;
    if (scan.text.length < Math.min(scan.wanted, maxBytes)) continue;
    yield* take(scan);
    if (scan.text.length >= maxBytes) throw fail(scan, `is longer than ${maxBytes} bytes`);
  }
  scan.isEnd = true;
  yield* take(scan);
  if (scan.begun !== null) throw fail(scan, 'does not end: the dump is cut off');
  return scan.lastComment;
}

/** Takes as many statements as are there in full. */
function* take(scan: Scan): Generator<DumpStatement> {
  scan.wanted = 0;
  while (scan.at < scan.text.length) {
    if (scan.begun === null && isCommandNext(scan)) {
      if (!takeCommand(scan)) break;
      continue;
    }
    const left = scan.text.length - scan.at;
    if (!scan.isEnd && left < scan.delimiter.length) break;
    if (scan.text.startsWith(scan.delimiter, scan.at) && !scan.inCode) {
      const statement = endStatement(scan);
      scan.at += scan.delimiter.length;
      drop(scan);
      if (statement !== null) yield statement;
      continue;
    }
    const token = readToken(scan.text, scan.at, scan.quoting, scan.inCode);
    if (!isWhole(scan, token)) break;
    takeToken(scan, token);
  }
  if (scan.begun === null) drop(scan);
}

/** A token at the end of what was read may go on in the next piece. */
function isWhole(scan: Scan, token: Token): boolean {
  const { text, isEnd } = scan;
  if (token.kind === 'unterminated') {
    if (isEnd) throw fail(scan, 'does not end: the dump is cut off');
    // Looked at again when twice as much is there, so that a long value costs its length once or twice.
    scan.wanted = text.length + (text.length - token.start);
    return false;
  }
  return isEnd || token.end + 2 < text.length;
}

function takeToken(scan: Scan, token: Token): void {
  const { text } = scan;
  let { end } = token;
  if (token.kind === 'word') end = endOfWord(scan, token);
  if (token.kind === 'code-begin') scan.inCode = true;
  if (token.kind === 'code-end') scan.inCode = false;
  if (token.kind === 'symbol' && text[token.start] === '\\') {
    throw fail(scan, 'holds a command of the client after a backslash');
  }
  if (token.kind !== 'space' && token.kind !== 'comment')
    scan.begun ??= { start: token.start, line: scan.line };
  moveTo(scan, end);
}

/** Client commands, DELIMITER and comments stand only between two statements. */
function isCommandNext({ text, at }: Scan): boolean {
  return /[a-z?\-/#]/i.test(text[at] ?? '');
}

/** Takes what is not SQL; false when more of the text is needed. */
function takeCommand(scan: Scan): boolean {
  const { text, at, isEnd } = scan;
  const lineEnd = text.indexOf('\n', at);
  const isLineThere = isEnd || lineEnd !== -1;
  const end = lineEnd === -1 ? text.length : lineEnd;
  if (text.startsWith('--', at) || text[at] === '#') {
    if (!isLineThere) return false;
    const comment = text
      .slice(at, end)
      .replace(/^(?:--|#)\s*/, '')
      .trim();
    if (comment !== '') scan.lastComment = comment;
    moveTo(scan, end);
    return true;
  }
  if (text.startsWith('/*M!999999\\-', at)) {
    const close = text.indexOf('*/', at);
    if (close === -1) return false;
    moveTo(scan, close + 2);
    return true;
  }
  const word = /^[a-z?]+/i.exec(text.slice(at, at + 32))?.[0].toLowerCase() ?? '';
  if (word === 'delimiter') {
    if (!isLineThere) return false;
    const line = readDelimiterLine(text.slice(at + word.length, end).replace(/\r$/, ''));
    if ('problem' in line) throw fail(scan, line.problem);
    scan.delimiter = line.delimiter;
    moveTo(scan, end);
    return true;
  }
  if (!isEnd && text.length - at < 32) return false;
  // `use` is SQL as well.
  if (CLIENT_COMMANDS.has(word) && word !== 'use')
    throw fail(scan, `${word} is a command of the client`);
  const token = readToken(text, at, scan.quoting, false);
  if (!isWhole(scan, token)) return false;
  takeToken(scan, token);
  return true;
}

function endStatement(scan: Scan): DumpStatement | null {
  const { begun, text, quoting } = scan;
  if (begun === null) return null;
  const sql = text.slice(begun.start, scan.at);
  const isShort = sql.length < 10_000;
  const next = isShort ? quotingAfter(sql, quoting, {}) : quoting;
  if (next === null) throw fail(scan, 'sets sql_mode to a value that only the server knows');
  scan.quoting = next;
  return { sql, line: begun.line, quoting };
}

/** Forgets what is done. */
function drop(scan: Scan): void {
  scan.text = scan.text.slice(scan.at);
  scan.at = 0;
  scan.begun = null;
}

/** A delimiter ends a statement also in the middle of a word: `END$$` has two parts. */
function endOfWord({ text, delimiter }: Scan, { start, end }: Token): number {
  if (delimiter === ';') return end;
  for (let at = start + 1; at < end; at++) if (text.startsWith(delimiter, at)) return at;
  return end;
}

function moveTo(scan: Scan, end: number): void {
  scan.line += countNewlines(scan.text, scan.at, end);
  scan.at = end;
}

function fail({ begun, line }: Scan, what: string): DumpSyntaxError {
  return new DumpSyntaxError(`what begins here ${what}`, begun?.line ?? line);
}
