/**
 * The lexical rules of MariaDB's SQL, in one place: the splitter and the classifier both read a
 * text through `readToken`. It knows no grammar.
 */

/** Which of the two sql_mode flags that change the lexical rules are on. */
export type Quoting = {
  /** `"x"` is a name, not a string. */
  readonly ansiQuotes?: boolean;
  /** A backslash in a string is a character like any other. */
  readonly noBackslashEscapes?: boolean;
};

export type TokenKind =
  /** Letters, digits, `_`, `$` and everything outside ASCII: keywords, bare names, numbers. */
  | 'word'
  | 'string'
  /** A name in backticks, or in double quotes under ANSI_QUOTES. */
  | 'name'
  | 'symbol'
  | 'space'
  | 'comment'
  /** The beginning of an executable comment, e.g. `/*!50003` or `/*M!100100`. */
  | 'code-begin'
  /** The end of an executable comment. */
  | 'code-end'
  /** A string, quoted name or comment that does not end before the text does. */
  | 'unterminated';

export type Token = {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
};

const BACKSLASH = 0x5c;
const SPACE = /[ \t\n\v\f\r]+/y;
const WORD = /[\w$\u0080-\uffff]+/y;
const LINE_COMMENT = /(?:#|--(?=[ \t\n\v\f\r]|$))[^\n]*/y;
const CODE_BEGIN = /\/\*M?!(?:\d{5,6})?/y;

/**
 * The token that begins at `start`. `inCode` says that the place lies inside an executable comment,
 * which the next `*` + `/` ends. Pure; linear in the length of the token.
 */
export function readToken(text: string, start: number, quoting: Quoting, inCode: boolean): Token {
  const character = text[start];
  const next = text[start + 1];
  if (character === '`') return asQuoted(text, start, 'name', false);
  if (character === "'") return asQuoted(text, start, 'string', !quoting.noBackslashEscapes);
  if (character === '"') {
    return quoting.ansiQuotes
      ? asQuoted(text, start, 'name', false)
      : asQuoted(text, start, 'string', !quoting.noBackslashEscapes);
  }
  if (character === '/' && next === '*') {
    return asMatch(text, start, CODE_BEGIN, 'code-begin') ?? asComment(text, start);
  }
  if (inCode && character === '*' && next === '/') {
    return { kind: 'code-end', start, end: start + 2 };
  }
  return (
    asMatch(text, start, SPACE, 'space') ??
    asMatch(text, start, WORD, 'word') ??
    asMatch(text, start, LINE_COMMENT, 'comment') ?? { kind: 'symbol', start, end: start + 1 }
  );
}

function asMatch(text: string, start: number, pattern: RegExp, kind: TokenKind): Token | null {
  pattern.lastIndex = start;
  return pattern.test(text) ? { kind, start, end: pattern.lastIndex } : null;
}

function asComment(text: string, start: number): Token {
  const close = text.indexOf('*/', start + 2);
  if (close === -1) return { kind: 'unterminated', start, end: text.length };
  return { kind: 'comment', start, end: close + 2 };
}

/** A loop, not a pattern: patterns with alternatives overflow the stack on a string of some megabytes. */
function asQuoted(text: string, start: number, kind: TokenKind, escapes: boolean): Token {
  const quote = text.charCodeAt(start);
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (escapes && code === BACKSLASH) {
      at++;
    } else if (code === quote) {
      if (text.charCodeAt(at + 1) !== quote) return { kind, start, end: at + 1 };
      at++;
    }
  }
  return { kind: 'unterminated', start, end: text.length };
}
