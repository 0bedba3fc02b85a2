/**
 * Which parts of a schema a statement makes, also where there is one already, and which it drops:
 * what `IF NOT EXISTS` or `OR REPLACE` found already there belongs to somebody else, and going back
 * must not take it. Pure.
 */
import { readHeader } from './classify-definitions.ts';
import {
  find,
  hasAt,
  keywordAt,
  readName,
  readNames,
  skip,
  skipIfExists,
} from './classify-names.ts';
import type { Lexeme } from './lexemes.ts';
import { readLexemes } from './lexemes.ts';
import { splitAtCommas } from './sql-mode.ts';
import type { Statement } from './statement.ts';

export type PartKind =
  | 'table'
  | 'view'
  | 'sequence'
  | 'trigger'
  | 'procedure'
  | 'function'
  | 'event'
  | 'column'
  | 'index'
  | 'foreign key'
  | 'constraint';

/** An object of the schema, or something inside of a table (`table` not null). */
export type Part = {
  readonly kind: PartKind;
  readonly table: string | null;
  readonly name: string;
};

/** What a statement drops by name; `alone` when it does nothing else. */
export type Removal = { readonly parts: readonly Part[]; readonly alone: boolean };

type Words = readonly Lexeme[];

const OBJECTS = new Set('TABLE VIEW SEQUENCE TRIGGER PROCEDURE FUNCTION EVENT'.split(' '));
const KEYS = new Set(['UNIQUE', 'FULLTEXT', 'SPATIAL', 'VECTOR', 'INDEX', 'KEY']);

/** The part as people call it, e.g. `column customer.city`, `table city`. */
export function describePart({ kind, table, name }: Part): string {
  return table === null ? `${kind} ${name}` : `${kind} ${table}.${name}`;
}

/**
 * Whether two names mean one part. Without case: a part too many that is kept does no harm, one
 * too few is somebody's data.
 */
export function isSamePart(a: Part, b: Part): boolean {
  const isKind = a.kind === b.kind || isConstraint(a, b) || isConstraint(b, a);
  const key = ({ table, name }: Part) => JSON.stringify([table, name]).toLowerCase();
  return isKind && key(a) === key(b);
}

/** `DROP CONSTRAINT` takes a check, a foreign key or a unique key. */
function isConstraint(a: Part, b: Part): boolean {
  return a.kind === 'constraint' && (b.kind === 'foreign key' || b.kind === 'index');
}

/** The parts that a statement makes or replaces where there may be one: IF NOT EXISTS, OR REPLACE. */
export function madeIfMissing({ sql, quoting }: Pick<Statement, 'sql' | 'quoting'>): Part[] {
  if (!/\bexists\b|\breplace\b/i.test(sql)) return [];
  const words = readLexemes(sql, quoting).lexemes;
  if (keywordAt(words, 0) === 'ALTER') {
    const alter = readAlterTable(words);
    return alter === null ? [] : alter.clauses.flatMap((clause) => readAdd(clause, alter.table));
  }
  if (keywordAt(words, 0) !== 'CREATE') return [];
  const { kind, at, has } = readHeader(words);
  const isConditional = has('REPLACE') || hasAt(words, at, 'IF', 'NOT', 'EXISTS');
  return has('TEMPORARY') || !isConditional ? [] : readObject(words, kind, at);
}

/** The object that a CREATE makes, whether or not there is one already; null for all else. */
export function madeObject({ sql, quoting }: Pick<Statement, 'sql' | 'quoting'>): Part | null {
  if (!/^\W*create\b/i.test(sql)) return null;
  const words = readLexemes(sql, quoting).lexemes;
  const { kind, at, has } = readHeader(words);
  if (has('TEMPORARY') || !OBJECTS.has(kind)) return null;
  return readObject(words, kind, at)[0] ?? null;
}

/** What a statement drops, or null when it drops nothing that has a name. */
export function removedBy({ sql, quoting }: Pick<Statement, 'sql' | 'quoting'>): Removal | null {
  if (!/\bdrop\b|\breplace\b/i.test(sql)) return null;
  const words = readLexemes(sql, quoting).lexemes;
  const verb = keywordAt(words, 0);
  if (verb === 'ALTER') {
    const alter = readAlterTable(words);
    const dropped = alter?.clauses.map((clause) => readDrop(clause, alter.table)) ?? [];
    const parts = dropped.flatMap((part) => part ?? []);
    return parts.length === 0 ? null : { parts, alone: parts.length === dropped.length };
  }
  if (verb !== 'DROP' && verb !== 'CREATE') return null;
  const { kind, at, has } = readHeader(words);
  if (has('TEMPORARY') || (verb === 'CREATE' && !has('REPLACE'))) return null;
  const parts =
    kind === 'TABLE' || kind === 'TABLES' || kind === 'VIEW' || kind === 'SEQUENCE'
      ? readDropped(words, kind, at, verb)
      : readObject(words, kind, at);
  return parts.length === 0 ? null : { parts, alone: verb === 'DROP' };
}

function readDropped(words: Words, kind: string, at: number, verb: string): Part[] {
  // CREATE OR REPLACE drops the one that it makes anew.
  if (verb === 'CREATE') return readObject(words, kind, at);
  const { names } = readNames(words, skipIfExists(words, at));
  return names.map((name) => ({ kind: objectKind(kind), table: null, name }));
}

function readObject(words: Words, kind: string, at: number): Part[] {
  const name = readName(words, skipIfExists(words, at))?.name;
  if (name === undefined) return [];
  if (kind === 'INDEX') {
    const on = find(words, at, 'ON');
    const table = on === -1 ? null : readName(words, on + 1);
    return table === null ? [] : [{ kind: 'index', table: table.name, name }];
  }
  return OBJECTS.has(kind) ? [{ kind: objectKind(kind), table: null, name }] : [];
}

function objectKind(kind: string): PartKind {
  return (kind === 'TABLES' ? 'table' : kind.toLowerCase()) as PartKind;
}

function readAlterTable(words: Words): { table: string; clauses: Words[] } | null {
  const { kind, at } = readHeader(words);
  const table = kind === 'TABLE' ? readName(words, skipIfExists(words, at)) : null;
  if (table === null) return null;
  const wait = keywordAt(words, table.next);
  const next = table.next + (wait === 'NOWAIT' ? 1 : wait === 'WAIT' ? 2 : 0);
  return { table: table.name, clauses: splitAtCommas(words.slice(next)) };
}

/** `ADD … IF NOT EXISTS …`: a column, several in parentheses, an index, a key, a constraint. */
function readAdd(words: Words, table: string): Part[] {
  const condition = find(words, 0, 'IF', 'NOT', 'EXISTS');
  if (keywordAt(words, 0) !== 'ADD' || condition === -1 || condition > 5) return [];
  const [second, behind] = [keywordAt(words, 1), condition + 3];
  const named = (kind: PartKind, at: number): Part[] => {
    const name = readName(words, at)?.name;
    return name === undefined ? [] : [{ kind, table, name }];
  };
  if (KEYS.has(second)) return named('index', behind);
  if (second === 'FOREIGN') return named('foreign key', behind);
  if (second === 'CONSTRAINT') {
    // `CONSTRAINT name FOREIGN KEY IF NOT EXISTS …`, or `CONSTRAINT IF NOT EXISTS name CHECK …`
    if (condition === 2) return named('constraint', behind);
    return named(find(words, 2, 'FOREIGN', 'KEY') === -1 ? 'index' : 'foreign key', 2);
  }
  if (condition > 2) return [];
  if (keywordAt(words, behind) !== '(') return named('column', behind);
  const inside = words.slice(behind + 1, -1);
  return splitAtCommas(inside).flatMap((column): Part[] => {
    const name = readName(column, 0)?.name;
    return name === undefined ? [] : [{ kind: 'column', table, name }];
  });
}

const DROPS = new Map<string, PartKind>([
  ['INDEX', 'index'],
  ['KEY', 'index'],
  ['FOREIGN', 'foreign key'],
  ['CONSTRAINT', 'constraint'],
]);

/** `DROP … name`; null for every other clause. */
function readDrop(words: Words, table: string): Part | null {
  if (keywordAt(words, 0) !== 'DROP') return null;
  const second = keywordAt(words, 1);
  if (/^(?:PRIMARY|PARTITION|SYSTEM|PERIOD)$/.test(second)) return null;
  const at = skip(words, 1, new Set(['COLUMN', 'INDEX', 'KEY', 'FOREIGN', 'CONSTRAINT']));
  const name = readName(words, skipIfExists(words, at))?.name;
  return name === undefined ? null : { kind: DROPS.get(second) ?? 'column', table, name };
}
