import type { Lexeme } from './lexemes.ts';

/** A statement as the grammar sees it. */
export type Words = readonly Lexeme[];

export type NameRead = {
  readonly schema: string | null;
  readonly name: string;
  /** Index behind the name. */
  readonly next: number;
};

/** The keyword at a place; empty behind the end and for quoted names and strings. */
export function keywordAt(words: Words, at: number): string {
  return words[at]?.keyword ?? '';
}

/** True when the keywords stand at a place, e.g. `IF`, `NOT`, `EXISTS`. */
export function hasAt(words: Words, at: number, ...keywords: readonly string[]): boolean {
  // A loop, because every statement of thousands of files is asked this hundreds of times.
  for (let index = 0; index < keywords.length; index++) {
    if (keywordAt(words, at + index) !== keywords[index]) return false;
  }
  return true;
}

/** Index of the first place where the keywords stand, from `from` on; -1 when nowhere. */
export function find(words: Words, from: number, ...keywords: readonly string[]): number {
  const [first] = keywords;
  for (let at = from; at < words.length; at++) {
    if (keywordAt(words, at) === first && hasAt(words, at, ...keywords)) return at;
  }
  return -1;
}

/** Index of the first keyword outside parentheses; -1 when nowhere. */
export function findOutside(words: Words, from: number, keyword: string): number {
  let depth = 0;
  for (let at = from; at < words.length; at++) {
    const here = keywordAt(words, at);
    if (here === '(') depth++;
    if (here === ')') depth--;
    if (depth === 0 && here === keyword) return at;
  }
  return -1;
}

/** Index behind as many of the keywords as stand here, in any order. */
export function skip(words: Words, at: number, keywords: ReadonlySet<string>): number {
  let next = at;
  while (keywords.has(keywordAt(words, next))) next++;
  return next;
}

/** Index behind `IF EXISTS` or `IF NOT EXISTS`, if it stands here. */
export function skipIfExists(words: Words, at: number): number {
  if (hasAt(words, at, 'IF', 'EXISTS')) return at + 2;
  return hasAt(words, at, 'IF', 'NOT', 'EXISTS') ? at + 3 : at;
}

/** The name at a place, with or without schema; null when none stands there. */
export function readName(words: Words, at: number): NameRead | null {
  const first = words[at];
  if (!isName(first)) return null;
  const second = words[at + 2];
  if (keywordAt(words, at + 1) === '.' && isName(second)) {
    return { schema: first.value, name: second.value, next: at + 3 };
  }
  return { schema: null, name: first.value, next: at + 1 };
}

/** Names separated by commas, and the index behind them. */
export function readNames(words: Words, at: number): { names: string[]; next: number } {
  const names: string[] = [];
  let next = at;
  for (let read = readName(words, next); read !== null; read = readName(words, next)) {
    names.push(read.name);
    next = read.next;
    if (keywordAt(words, next) !== ',') break;
    next++;
  }
  return { names, next };
}

/** Whether a lexeme can be a name: a word, quoted or not. */
export function isName(lexeme: Lexeme | undefined): lexeme is Lexeme {
  return lexeme !== undefined && (lexeme.kind === 'word' || lexeme.kind === 'name');
}
