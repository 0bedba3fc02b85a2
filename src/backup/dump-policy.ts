/**
 * What becomes of each statement of somebody's dump. It is loaded into a private server first, by an
 * account that has rights on one schema only; this is the wall before that one, and it says why.
 * Pure.
 */
import { findSchema } from '../statements/classify-qualified.ts';
import { findBody } from '../statements/compound.ts';
import { type Lexeme, readLexemes } from '../statements/lexemes.ts';
import { readAssignments } from '../statements/sql-mode.ts';
import type { DumpStatement } from './dump-splitter.ts';

export type Verdict =
  | { readonly do: 'run'; readonly sql: string }
  /** Not part of the database: accounts, settings of the server. People are told. */
  | { readonly do: 'leave out'; readonly what: string }
  /** Locks, and the database's name, which is given by the configuration. */
  | { readonly do: 'nothing' }
  | { readonly do: 'name'; readonly database: string }
  | { readonly do: 'refuse'; readonly why: string };

const NOTHING: Verdict = { do: 'nothing' };
const KINDS = new Set(
  'TABLE VIEW TRIGGER PROCEDURE FUNCTION EVENT SEQUENCE PACKAGE INDEX'.split(' '),
);
const DATABASE = new Set(['DATABASE', 'SCHEMA']);
const ACCOUNTS = new Set('USER ROLE SERVER'.split(' '));
const PLAIN = new Set('COMMIT START BEGIN ROLLBACK'.split(' '));
const LEFT_OUT = new Set('GRANT REVOKE FLUSH RESET CHANGE PURGE'.split(' '));
const INSERT = /^(?:INSERT|REPLACE)\b/i;
const NAME = '(?:`(?:[^`]|``)+`|[\\w$\\x80-\\xff]+)';
/** The beginning of an INSERT names the table and its columns; the rest are rows. */
const INSERT_VALUES = new RegExp(
  `^(?:INSERT|REPLACE)(?:\\s+(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE))*(?:\\s+INTO)?\\s+${NAME}` +
    `(?:\\s*\\.\\s*${NAME})?\\s*(?:\\((?:\\s*${NAME}\\s*,?)*\\)\\s*)?VALUES?\\b`,
  'i',
);
/** 1,000 columns with names of 64 characters of 3 bytes. */
const HEAD_LENGTH = 200_000;

/** Decides about one statement. `schema` is the schema in which the dump is loaded. */
export function judge({ sql, quoting }: DumpStatement, schema: string): Verdict {
  const head = INSERT.test(sql) ? headOfInsert(sql) : sql;
  if (head === null) return refuse('an INSERT that is none of a dump');
  const { lexemes } = readLexemes(head, quoting);
  const verb = lexemes[0]?.keyword;
  if (verb === undefined) return NOTHING;
  if (verb === 'USE' || isDatabase(lexemes)) return judgeDatabase(lexemes, sql);
  if (verb === 'LOCK' || verb === 'UNLOCK') return NOTHING;
  if (LEFT_OUT.has(verb)) return { do: 'leave out', what: verb };
  if (PLAIN.has(verb) && lexemes.length <= 3) return { do: 'run', sql };
  if (verb === 'SET') return judgeSet(lexemes, sql);
  if (verb === 'SELECT' || verb === 'DO') return judgeSequence(lexemes, sql);
  if (verb === 'CREATE' || verb === 'DROP' || verb === 'ALTER') {
    const kind = kindOf(lexemes);
    if (ACCOUNTS.has(kind)) return { do: 'leave out', what: `${verb} ${kind}` };
    if (!KINDS.has(kind)) return refuse(`${verb} ${kind} is no part of a dump`);
  } else if (verb !== 'INSERT' && verb !== 'REPLACE') {
    return refuse(`${verb} is no part of a dump`);
  }
  // What a stored program does is looked at when it is called, which nothing here does.
  const body = findBody(lexemes);
  const other = findSchema(body > 0 ? lexemes.slice(0, body) : lexemes);
  if (other !== null && other !== schema) {
    return refuse(`it names an object of another database, ${other}, than ${schema}`);
  }
  return { do: 'run', sql };
}

/** `INSERT INTO t (…) VALUES`, without the rows; null for INSERT … SELECT and the like. */
function headOfInsert(sql: string): string | null {
  return INSERT_VALUES.exec(sql.slice(0, HEAD_LENGTH))?.[0] ?? null;
}

function isDatabase(lexemes: readonly Lexeme[]): boolean {
  return /^(?:CREATE|DROP|ALTER)$/.test(lexemes[0]!.keyword) && DATABASE.has(kindOf(lexemes));
}

/** The dump's own name does not count; its character set does. */
function judgeDatabase(lexemes: readonly Lexeme[], sql: string): Verdict {
  const at = lexemes.findIndex(({ kind, keyword }, index) => {
    return (
      index > 0 &&
      (kind === 'name' ||
        (kind === 'word' && !/^(?:DATABASE|SCHEMA|IF|NOT|EXISTS|OR|REPLACE)$/.test(keyword)))
    );
  });
  const name = lexemes[at];
  const verb = lexemes[0]!.keyword;
  if (name === undefined)
    return verb === 'ALTER' ? { do: 'run', sql } : refuse(`${verb} without a name`);
  const after = lexemes[at + 1];
  const isNamed = verb !== 'ALTER' || name.kind === 'name';
  if (verb === 'ALTER' && after !== undefined) {
    const attributes = sql.slice(isNamed ? after.start : name.start).replace(/\*\/\s*$/, '');
    return { do: 'run', sql: `ALTER DATABASE ${attributes}` };
  }
  return verb === 'ALTER' ? NOTHING : { do: 'name', database: name.value };
}

function judgeSet(lexemes: readonly Lexeme[], sql: string): Verdict {
  const assignments = readAssignments(lexemes);
  const isGlobal = lexemes.some(({ keyword }) => /^(?:GLOBAL|PERSIST|PERSIST_ONLY)$/.test(keyword));
  const first = lexemes[1]?.keyword ?? '';
  if (isGlobal || /^(?:PASSWORD|ROLE|DEFAULT)$/.test(first)) {
    return { do: 'leave out', what: isGlobal ? 'SET GLOBAL' : `SET ${first}` };
  }
  if (assignments.some(({ name }) => name === 'sql_log_bin')) return NOTHING;
  if (first === 'STATEMENT') return refuse('SET STATEMENT is no part of a dump');
  return { do: 'run', sql };
}

/** `SELECT SETVAL(s, 5, 0)` and `DO SETVAL(…)`: the state of a sequence. */
function judgeSequence(lexemes: readonly Lexeme[], sql: string): Verdict {
  const isSetval = lexemes[1]?.keyword === 'SETVAL' && lexemes.at(-1)?.keyword === ')';
  const isOne = lexemes.filter(({ keyword }) => keyword === '(').length === 1;
  if (isSetval && isOne) return { do: 'run', sql };
  return refuse(`${lexemes[0]!.keyword} is no part of a dump`);
}

/** The kind of object that CREATE, DROP or ALTER is about; quoted names are no keywords. */
function kindOf(lexemes: readonly Lexeme[]): string {
  const isKind = (word: string) => KINDS.has(word) || ACCOUNTS.has(word) || DATABASE.has(word);
  const words = lexemes.slice(1, 40).map(({ keyword }) => keyword);
  return words.find(isKind) ?? words[0] ?? '';
}

function refuse(why: string): Verdict {
  return { do: 'refuse', why };
}
