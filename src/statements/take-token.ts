import { fail, type Scan } from './scan.ts';
import type { Token } from './tokens.ts';

/**
 * Gives the end of a token: a word may be cut by the delimiter. Notes where executable comments begin and end.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID` for what the client would take for a command or cut.
 */
export function takeToken(scan: Scan, token: Token): number {
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
    case 'word':
      return endOfWord(scan, token);
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

function nameOf(text: string, at: number): string {
  if (text[at] === '`') return 'a name in backticks';
  return text[at] === '/' ? 'a comment' : 'a quoted text';
}
