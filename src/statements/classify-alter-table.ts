import { hasAt, keywordAt, readName, skip, skipIfExists, type Words } from './classify-names.ts';
import { type Draft, forbid } from './draft.ts';
import { splitAtCommas } from './sql-mode.ts';
import type { Drop } from './statement.ts';

/** What one clause of ALTER TABLE adds to the whole. */
type Clause = {
  /** Running the statement again is the same, as far as this clause goes. */
  readonly repeatable: boolean;
  readonly destroysData?: boolean;
  readonly invisible?: boolean;
  readonly drops?: readonly { readonly column: string | null }[];
  readonly tables?: readonly string[];
  /** `ADD … IF NOT EXISTS` or `DROP … IF EXISTS`: each repeatable, but not both in one statement. */
  readonly condition?: 'add' | 'drop';
  /** Dropped and added index of one name: together they are repeatable. */
  readonly index?: { readonly action: 'add' | 'drop'; readonly name: string };
  readonly forbidden?: string;
};

const AGAIN: Clause = { repeatable: true };
const ONCE: Clause = { repeatable: false };

/** Classifies ALTER TABLE; `at` is behind the word TABLE. Pure. */
export function classifyAlterTable(words: Words, at: number): Draft {
  const table = readName(words, skipIfExists(words, at));
  const verb = 'ALTER TABLE';
  if (table === null) return { class: 'ddl', verb };
  const ignores = words.slice(0, at).some(({ keyword }) => keyword === 'IGNORE');
  const clauses = splitAtCommas(words.slice(skipWait(words, table.next))).map(readClause);
  const forbidden = clauses.find((clause) => clause.forbidden)?.forbidden;
  if (forbidden !== undefined) return forbid(verb, forbidden);
  const drops = clauses.flatMap(({ drops: dropped = [] }) =>
    dropped.map(({ column }): Drop => ({ table: table.name, column })),
  );
  return {
    class: 'ddl',
    verb,
    repeatable: isRepeatable(clauses),
    invisible: clauses.some(({ invisible }) => invisible),
    // DATA LOSS: ALTER IGNORE TABLE removes the rows that a new unique key does not allow.
    destroysData: ignores || clauses.some(({ destroysData }) => destroysData),
    tables: [table.name, ...clauses.flatMap(({ tables = [] }) => tables)],
    drops,
  };
}

function isRepeatable(clauses: readonly Clause[]): boolean {
  const indexes = clauses.flatMap(({ index }) => index ?? []);
  const names = (action: 'add' | 'drop') =>
    indexes.filter((index) => index.action === action).map(({ name }) => name.toLowerCase());
  const paired = (name: string) =>
    names('add').includes(name.toLowerCase()) && names('drop').includes(name.toLowerCase());
  const conditions = new Set(clauses.map(({ condition }) => condition));
  if (conditions.has('add') && conditions.has('drop')) return false;
  return clauses.every(
    ({ repeatable, index }) => repeatable || (index !== undefined && paired(index.name)),
  );
}

function readClause(words: Words): Clause {
  const reader = CLAUSES.get(keywordAt(words, 0));
  if (reader !== undefined) return reader(words);
  // `ROW_FORMAT = DYNAMIC`, `COMMENT = '…'`: options are set to a value, twice as well as once.
  return keywordAt(words, 1) === '=' ? readOptions(words) : ONCE;
}

const again = () => AGAIN;

const CLAUSES = new Map<string, (words: Words) => Clause>([
  ['ADD', readAdd],
  ['DROP', readDrop],
  ['MODIFY', readModify],
  ['CHANGE', readChange],
  ['RENAME', readRename],
  ['CONVERT', readConvert],
  ['EXCHANGE', readExchange],
  ['TRUNCATE', () => ({ repeatable: true, destroysData: true })],
  ['DISCARD', forbidTablespace],
  ['IMPORT', forbidTablespace],
  ['ALTER', again],
  ['FORCE', again],
  ['ENABLE', again],
  ['DISABLE', again],
  ['ORDER', again],
  ['DEFAULT', readOptions],
  ['CHARACTER', readOptions],
  ['CHARSET', readOptions],
  ['COLLATE', readOptions],
  ['COMMENT', readOptions],
  ['AUTO_INCREMENT', readOptions],
  ['ROW_FORMAT', readOptions],
  ['ALGORITHM', again],
  ['LOCK', again],
  ['REBUILD', again],
  ['OPTIMIZE', again],
  ['ANALYZE', again],
  ['CHECK', again],
  ['REPAIR', again],
  ['ENGINE', readOptions],
]);

/** Options of a table may follow one another without a comma. DATA LOSS: an engine that keeps nothing. */
function readOptions(words: Words): Clause {
  const at = words.findIndex(({ keyword }) => keyword === 'ENGINE');
  if (at === -1) return AGAIN;
  const engine = words[keywordAt(words, at + 1) === '=' ? at + 2 : at + 1]?.value ?? '';
  return { repeatable: true, destroysData: engine.toUpperCase() === 'BLACKHOLE' };
}

const INDEX_WORDS = new Set(['UNIQUE', 'FULLTEXT', 'SPATIAL', 'VECTOR', 'INDEX', 'KEY']);
const NOT_A_COLUMN =
  /^(?:INDEX|KEY|PRIMARY|FOREIGN|CONSTRAINT|CHECK|PARTITION|PERIOD|SYSTEM|UNIQUE|FULLTEXT|SPATIAL|VECTOR)$/;

function readAdd(words: Words): Clause {
  const conditional = words
    .slice(1, 6)
    .some((_, at) => hasAt(words, at + 1, 'IF', 'NOT', 'EXISTS'));
  if (conditional) return { repeatable: true, condition: 'add' };
  if (!INDEX_WORDS.has(keywordAt(words, 1))) return ONCE;
  const name = readName(words, skip(words, 1, INDEX_WORDS));
  return name === null ? ONCE : { repeatable: false, index: { action: 'add', name: name.name } };
}

function readDrop(words: Words): Clause {
  const kind = keywordAt(words, 1);
  const at = skip(words, 1, new Set(['COLUMN', 'INDEX', 'KEY', 'FOREIGN', 'CONSTRAINT']));
  const name = readName(words, skipIfExists(words, at));
  const isConditional = words
    .slice(1, 5)
    .some((_, index) => hasAt(words, index + 1, 'IF', 'EXISTS'));
  const conditional = isConditional ? { repeatable: true, condition: 'drop' as const } : ONCE;
  // DATA LOSS: partitions go with their rows, versioning with the history of every row.
  if (kind === 'PARTITION' || kind === 'SYSTEM') return { ...conditional, destroysData: true };
  if (NOT_A_COLUMN.test(kind) && kind !== 'INDEX' && kind !== 'KEY') return conditional;
  if (name === null) return ONCE;
  if (kind === 'INDEX' || kind === 'KEY') {
    return { ...conditional, index: { action: 'drop', name: name.name } };
  }
  return { ...conditional, destroysData: true, drops: [{ column: name.name }] };
}

/** DATA LOSS: whether the new type holds every value cannot be known from the text. */
function readModify(words: Words): Clause {
  const at = skip(words, 1, new Set(['COLUMN']));
  const name = readName(words, skipIfExists(words, at));
  return {
    repeatable: true,
    destroysData: true,
    drops: name === null ? [] : [{ column: name.name }],
  };
}

function readChange(words: Words): Clause {
  const at = skip(words, 1, new Set(['COLUMN']));
  const from = readName(words, skipIfExists(words, at));
  const to = from === null ? null : readName(words, from.next);
  const keepsName = from !== null && from.name.toLowerCase() === to?.name.toLowerCase();
  const drops = from === null ? [] : [{ column: from.name }];
  return { repeatable: keepsName, destroysData: true, drops };
}

function readRename(words: Words): Clause {
  if (/^(?:COLUMN|INDEX|KEY)$/.test(keywordAt(words, 1))) return ONCE;
  const name = readName(words, skip(words, 1, new Set(['TO', 'AS', '='])));
  return { repeatable: false, tables: name === null ? [] : [name.name] };
}

function readConvert(words: Words): Clause {
  // DATA LOSS: a character set that lacks a character; an error in strict mode only.
  if (keywordAt(words, 1) === 'TO') {
    return { repeatable: true, destroysData: true, drops: [{ column: null }] };
  }
  return { repeatable: false, tables: namesAfterTable(words) };
}

function readExchange(words: Words): Clause {
  return { repeatable: false, invisible: true, tables: namesAfterTable(words) };
}

function namesAfterTable(words: Words): string[] {
  const at = words.findIndex(({ keyword }) => keyword === 'TABLE');
  const name = at === -1 ? null : readName(words, at + 1);
  return name === null ? [] : [name.name];
}

function forbidTablespace(): Clause {
  return {
    repeatable: false,
    forbidden: 'it works on the server’s files, which no backup of this program holds',
  };
}

function skipWait(words: Words, at: number): number {
  if (keywordAt(words, at) === 'NOWAIT') return at + 1;
  return keywordAt(words, at) === 'WAIT' ? at + 2 : at;
}
