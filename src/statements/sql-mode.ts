import { type Lexeme, readLexemes } from './lexemes.ts';
import type { Quoting } from './tokens.ts';

/** Every mode of MariaDB: with another one the SET fails, and nothing changes. */
const MODES = new Set(
  `ALLOW_INVALID_DATES ANSI ANSI_QUOTES DB2 EMPTY_STRING_IS_NULL ERROR_FOR_DIVISION_BY_ZERO
   HIGH_NOT_PRECEDENCE IGNORE_BAD_TABLE_OPTIONS IGNORE_SPACE MAXDB MSSQL MYSQL323 MYSQL40
   NO_AUTO_CREATE_USER NO_AUTO_VALUE_ON_ZERO NO_BACKSLASH_ESCAPES NO_DIR_IN_CREATE
   NO_ENGINE_SUBSTITUTION NO_FIELD_OPTIONS NO_KEY_OPTIONS NO_TABLE_OPTIONS NO_UNSIGNED_SUBTRACTION
   NO_ZERO_DATE NO_ZERO_IN_DATE ONLY_FULL_GROUP_BY ORACLE PAD_CHAR_TO_FULL_LENGTH PIPES_AS_CONCAT
   POSTGRESQL REAL_AS_FLOAT SIMULTANEOUS_ASSIGNMENT STRICT_ALL_TABLES STRICT_TRANS_TABLES
   TIME_ROUND_FRACTIONAL TRADITIONAL`.split(/\s+/),
);
/** Modes that contain ANSI_QUOTES. */
const ANSI = new Set(['ANSI', 'ANSI_QUOTES', 'DB2', 'MAXDB', 'MSSQL', 'ORACLE', 'POSTGRESQL']);

/** What may stand before the name of a variable. */
const SCOPES = new Set(['@', '.', 'SESSION', 'LOCAL', 'GLOBAL', 'PERSIST', 'PERSIST_ONLY']);

/** One `name = value` of a SET statement. */
export type Assignment = {
  /** `user` for `@x`, else the scope of a system variable; `session` when none is written. */
  readonly scope: 'user' | 'session' | 'global';
  /** Lower case for system variables. */
  readonly name: string;
  readonly value: readonly Lexeme[];
};

/**
 * The assignments of `SET a = 1, @b := 2, GLOBAL c = 3`; empty for other statements and for forms
 * without `=` (SET NAMES, SET ROLE). Pure.
 */
export function readAssignments(lexemes: readonly Lexeme[]): Assignment[] {
  if (lexemes[0]?.keyword !== 'SET') return [];
  return splitAtCommas(lexemes.slice(1)).flatMap((part) => readAssignment(part) ?? []);
}

function readAssignment(part: readonly Lexeme[]): Assignment | null {
  const equals = part.findIndex(({ keyword }) => keyword === '=');
  const before = part.slice(0, Math.max(equals, 0)).filter(({ keyword }) => keyword !== ':');
  const target = before.pop();
  if (target === undefined) return null;
  const value = part.slice(equals + 1);
  const words = before.map(({ keyword }) => keyword);
  if (!words.every((word) => SCOPES.has(word))) return null;
  if (words.filter((word) => word === '@').length === 1) {
    return { scope: 'user', name: target.value, value };
  }
  const isGlobal = words.some((word) => /^(?:GLOBAL|PERSIST|PERSIST_ONLY)$/.test(word));
  return { scope: isGlobal ? 'global' : 'session', name: target.value.toLowerCase(), value };
}

/** Splits at commas outside parentheses. Pure. */
export function splitAtCommas(lexemes: readonly Lexeme[]): Lexeme[][] {
  const parts: Lexeme[][] = [[]];
  let depth = 0;
  for (const lexeme of lexemes) {
    if (lexeme.keyword === '(') depth++;
    if (lexeme.keyword === ')') depth--;
    if (depth === 0 && lexeme.keyword === ',') parts.push([]);
    else parts.at(-1)?.push(lexeme);
  }
  return parts;
}

/**
 * How the text after a statement is to be read: `SET sql_mode` changes it for the rest of the
 * script. `null` when that depends on a value which only the server knows, or that it does not know. Pure.
 */
export function quotingAfter(sql: string, now: Quoting, initial: Quoting): Quoting | null {
  if (!/sql_mode/i.test(sql)) return now;
  const { lexemes } = readLexemes(sql, now);
  let quoting: Quoting | null = now;
  for (const { scope, name, value } of readAssignments(lexemes)) {
    if (scope === 'session' && name === 'sql_mode') quoting = quotingOf(value, initial);
  }
  return quoting;
}

function quotingOf(value: readonly Lexeme[], initial: Quoting): Quoting | null {
  const [first, ...rest] = value;
  if (first?.kind === 'string' && rest.length === 0) {
    const modes = first.value.toUpperCase().split(',').filter(Boolean);
    if (!modes.every((mode) => MODES.has(mode))) return null;
    return {
      ansiQuotes: modes.some((mode) => ANSI.has(mode)),
      noBackslashEscapes: modes.includes('NO_BACKSLASH_ESCAPES'),
    };
  }
  // A saved value is put back, as dumps do: it is taken for the one that the script began with.
  const isRestore = first?.keyword === '@' || first?.keyword === 'DEFAULT';
  const isSimple = !rest.some(({ keyword }) => keyword === '(' || keyword === '|');
  return isRestore && isSimple ? initial : null;
}
