import { type Quoting, readToken, type Token } from './tokens.ts';

/** A token that means something to the grammar. */
export type Lexeme = {
  readonly kind: 'word' | 'name' | 'string' | 'symbol';
  /** Words in upper case, symbols as they are; empty for quoted names and strings, which are never keywords. */
  readonly keyword: string;
  /** The name or text itself: unquoted, quotes undoubled. Backslash escapes stay as written. */
  readonly value: string;
  readonly start: number;
};

export type Reading = {
  readonly lexemes: readonly Lexeme[];
  /** Holds executable comments that some supported servers run and others skip. */
  readonly dependsOnServerVersion: boolean;
};

/** MariaDB: skips `/*!50700` to `/*!99999`, which are meant for MySQL; not with `M!`. */
const MYSQL_ONLY = { from: 50_700, to: 99_999 };
/** The oldest supported server runs everything up to here. */
const OLDEST_SERVER = 100_600;
/** What mariadb-dump writes to hide something from every server. */
const NEVER = 999_999;

/**
 * Reads what a server sees of a statement: no comments, executable comments opened, those for
 * other servers left out. Pure. The text must be one that `splitStatements` gave.
 */
export function readLexemes(sql: string, quoting: Quoting = {}): Reading {
  const lexemes: Lexeme[] = [];
  let dependsOnServerVersion = false;
  let code: 'none' | 'runs' | 'skipped' = 'none';
  for (let at = 0; at < sql.length; ) {
    const token = readToken(sql, at, quoting, code !== 'none');
    at = token.end;
    if (token.kind === 'code-begin') {
      const version = Number(/\d+$/.exec(sql.slice(token.start, token.end))?.[0] ?? 0);
      code = isSkipped(version, sql[token.start + 2] === 'M') ? 'skipped' : 'runs';
      if (code === 'runs' && version > OLDEST_SERVER) dependsOnServerVersion = true;
    } else if (token.kind === 'code-end') {
      code = 'none';
    } else if (code !== 'skipped') {
      const lexeme = makeLexeme(sql, token);
      if (lexeme !== null) lexemes.push(lexeme);
    }
  }
  return { lexemes, dependsOnServerVersion };
}

function isSkipped(version: number, onlyMariaDb: boolean): boolean {
  if (version >= NEVER) return true;
  return !onlyMariaDb && version >= MYSQL_ONLY.from && version <= MYSQL_ONLY.to;
}

function makeLexeme(sql: string, { kind, start, end }: Token): Lexeme | null {
  const text = sql.slice(start, end);
  if (kind === 'word') return { kind, keyword: text.toUpperCase(), value: text, start };
  if (kind === 'symbol') return { kind, keyword: text, value: text, start };
  if (kind === 'string' || kind === 'name') {
    const quote = text[0] ?? '';
    const value = text.slice(1, -1).replaceAll(quote + quote, quote);
    return { kind, keyword: '', value, start };
  }
  return null;
}
