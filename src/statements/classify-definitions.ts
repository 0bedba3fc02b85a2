import { classifyAlterTable } from './classify-alter-table.ts';
import {
  find,
  hasAt,
  keywordAt,
  readName,
  readNames,
  skipIfExists,
  type Words,
} from './classify-names.ts';
import { type Draft, forbid, REASONS } from './draft.ts';

const ACCOUNTS = new Set(['USER', 'ROLE']);
const SERVER_THINGS = new Set([
  'DATABASE',
  'SCHEMA',
  'SERVER',
  'TABLESPACE',
  'LOGFILE',
  'CATALOG',
  'INSTANCE',
]);
/** Code and other objects without rows. What they are called is not worth knowing: the whole schema is read. */
const CODE = new Set(['PROCEDURE', 'FUNCTION', 'EVENT', 'TRIGGER']);
const PREFIXES = new Set(
  'OR REPLACE TEMPORARY UNIQUE FULLTEXT SPATIAL VECTOR ONLINE OFFLINE IGNORE AGGREGATE'.split(' '),
);

export type Header = { readonly kind: string; readonly at: number; has(prefix: string): boolean };

/** What is created, altered or dropped: reads over the words between the verb and the kind. */
export function readHeader(words: Words): Header {
  const seen = new Set<string>();
  let at = 1;
  for (;;) {
    const keyword = keywordAt(words, at);
    if (PREFIXES.has(keyword)) {
      seen.add(keyword);
      at++;
    } else if (keyword === 'DEFINER') {
      at = skipAccount(words, at + 2);
    } else if (keyword === 'ALGORITHM') {
      at += 3;
    } else if (keyword === 'SQL' && keywordAt(words, at + 1) === 'SECURITY') {
      at += 3;
    } else {
      return { kind: keyword, at: at + 1, has: (prefix) => seen.has(prefix) };
    }
  }
}

/** `user`, `user@host`, `CURRENT_USER`, `CURRENT_USER()`. */
function skipAccount(words: Words, at: number): number {
  if (keywordAt(words, at + 1) === '@') return at + 3;
  return hasAt(words, at + 1, '(', ')') ? at + 3 : at + 1;
}

/** Classifies CREATE. Pure. */
export function classifyCreate(words: Words): Draft {
  const { kind, at, has } = readHeader(words);
  const replaces = has('REPLACE');
  const verb = ['CREATE', ...(replaces ? ['OR REPLACE'] : []), kind].join(' ');
  const refused = refuseKind(kind, verb);
  if (refused !== null) return refused;
  const nameAt = skipIfExists(words, at);
  const name = readName(words, nameAt)?.name;
  const repeatable = replaces || nameAt > at;
  if (kind === 'TABLE' || kind === 'SEQUENCE') {
    if (has('TEMPORARY'))
      return {
        class: 'session',
        verb: `CREATE TEMPORARY ${kind}`,
        sessionDependent: true,
        tables: [],
      };
    return createTable(words, verb, { name, replaces, repeatable: nameAt > at });
  }
  if (kind === 'VIEW')
    return { class: 'ddl', verb, repeatable, tables: name === undefined ? null : [name] };
  if (kind === 'INDEX') return { class: 'ddl', verb, repeatable, tables: tableBehindOn(words, at) };
  if (kind === 'FUNCTION' && find(words, at, 'SONAME') !== -1) {
    return forbid(verb, 'it loads a library into the server');
  }
  if (kind === 'TRIGGER')
    return { class: 'ddl', verb, repeatable, tables: tableBehindOn(words, at) };
  if (CODE.has(kind)) return { class: 'ddl', verb, repeatable };
  return { class: 'opaque', verb };
}

type Created = {
  readonly name: string | undefined;
  readonly replaces: boolean;
  readonly repeatable: boolean;
};

function createTable(words: Words, verb: string, { name, replaces, repeatable }: Created): Draft {
  if (find(words, 0, 'DATA', 'DIRECTORY') !== -1 || find(words, 0, 'INDEX', 'DIRECTORY') !== -1) {
    return forbid(
      verb,
      'a table with DATA DIRECTORY or INDEX DIRECTORY cannot be swapped back in by a restore',
    );
  }
  const tables = name === undefined ? null : [name];
  if (!replaces) return { class: 'ddl', verb, repeatable, tables };
  // DATA LOSS: the old table is dropped first; a crash in between leaves none (experiments §10).
  const drops = name === undefined ? [] : [{ table: name, column: null }];
  return { class: 'ddl-not-atomic', verb, destroysData: true, tables, drops };
}

function tableBehindOn(words: Words, from: number): string[] | null {
  const at = find(words, from, 'ON');
  const name = at === -1 ? null : readName(words, at + 1);
  return name === null ? null : [name.name];
}

/** Classifies ALTER. Pure. */
export function classifyAlter(words: Words): Draft {
  const { kind, at } = readHeader(words);
  const verb = `ALTER ${kind}`;
  const refused = refuseKind(kind, verb);
  if (refused !== null) return refused;
  if (kind === 'TABLE') return classifyAlterTable(words, at);
  const name = readName(words, skipIfExists(words, at))?.name;
  const repeatable = find(words, at, 'RENAME') === -1;
  if (kind === 'VIEW' || kind === 'SEQUENCE') {
    return { class: 'ddl', verb, repeatable, tables: name === undefined ? null : [name] };
  }
  return CODE.has(kind) ? { class: 'ddl', verb, repeatable } : { class: 'opaque', verb };
}

/** Classifies DROP. Pure. */
export function classifyDrop(words: Words): Draft {
  const { kind, at, has } = readHeader(words);
  const verb = `DROP ${kind}`;
  if (kind === 'PREPARE') return { class: 'session', verb, sessionDependent: true, tables: [] };
  const refused = refuseKind(kind, verb);
  if (refused !== null) return refused;
  const namesAt = skipIfExists(words, at);
  const repeatable = namesAt > at;
  if (has('TEMPORARY')) {
    return { class: 'session', verb: `DROP TEMPORARY ${kind}`, sessionDependent: true, tables: [] };
  }
  if (kind === 'INDEX') return { class: 'ddl', verb, repeatable, tables: tableBehindOn(words, at) };
  if (CODE.has(kind)) return { class: 'ddl', verb, repeatable };
  if (!/^(?:TABLE|TABLES|VIEW|SEQUENCE)$/.test(kind)) return { class: 'opaque', verb };
  const { names } = readNames(words, namesAt);
  const holdsData = kind !== 'VIEW';
  return {
    // MariaDB: each object of the list goes by itself; a crash leaves some of them (experiments §10).
    class: names.length > 1 ? 'ddl-not-atomic' : 'ddl',
    verb: kind === 'TABLES' ? 'DROP TABLE' : verb,
    repeatable,
    // DATA LOSS: the rows go with the table.
    destroysData: holdsData,
    tables: names.length === 0 ? null : names,
    drops: kind === 'VIEW' ? [] : names.map((table) => ({ table, column: null })),
  };
}

/** Classifies RENAME TABLE. Pure. */
export function classifyRename(words: Words): Draft {
  if (!/^TABLES?$/.test(keywordAt(words, 1)))
    return forbid(`RENAME ${keywordAt(words, 1)}`, REASONS.accounts);
  const now = new Map<string, string>();
  const tables = new Set<string>();
  let at = skipIfExists(words, 2);
  for (let from = readName(words, at); from !== null; from = readName(words, at)) {
    const to = readName(words, find(words, from.next, 'TO') + 1);
    if (to === null) break;
    // `now` tells under which name each table began. Without case, as with lower_case_table_names.
    const [old, name] = [from.name.toLowerCase(), to.name.toLowerCase()];
    const origin = now.get(old) ?? old;
    now.delete(old);
    now.set(name, origin);
    tables.add(from.name).add(to.name);
    if (keywordAt(words, to.next) !== ',') break;
    at = to.next + 1;
  }
  // Tables that have taken each other's names look as before if their structures are equal.
  const invisible = [...now.keys()].some((name) => isInCycle(now, name));
  return { class: 'ddl', verb: 'RENAME TABLE', invisible, tables: [...tables] };
}

function isInCycle(origins: ReadonlyMap<string, string>, name: string): boolean {
  let at = origins.get(name);
  if (at === name) return false;
  for (let steps = 0; at !== undefined && steps < origins.size; steps++) {
    if (at === name) return true;
    at = origins.get(at);
  }
  return false;
}

function refuseKind(kind: string, verb: string): Draft | null {
  if (ACCOUNTS.has(kind)) return forbid(verb, REASONS.accounts);
  if (kind === 'PACKAGE')
    return forbid(verb, 'packages need sql_mode=ORACLE, in which a file is read differently');
  return SERVER_THINGS.has(kind) ? forbid(verb, REASONS.server) : null;
}
