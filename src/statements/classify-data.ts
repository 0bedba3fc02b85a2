import {
  find,
  findOutside,
  hasAt,
  keywordAt,
  readName,
  readNames,
  skip,
  type Words,
} from './classify-names.ts';
import type { Draft } from './draft.ts';

const MODIFIERS = new Set(
  'LOW_PRIORITY HIGH_PRIORITY DELAYED QUICK IGNORE HISTORY INTO'.split(' '),
);

/** Classifies INSERT. Pure. */
export function classifyInsert(words: Words): Draft {
  // DATA LOSS: ON DUPLICATE KEY UPDATE overwrites rows that were there.
  const destroysData = find(words, 1, 'ON', 'DUPLICATE', 'KEY', 'UPDATE') !== -1;
  return { class: 'dml', verb: 'INSERT', destroysData, tables: targetOf(words, 1) };
}

/** Classifies REPLACE: it deletes rows with the same key. DATA LOSS. Pure. */
export function classifyReplace(words: Words): Draft {
  return { class: 'dml', verb: 'REPLACE', destroysData: true, tables: targetOf(words, 1) };
}

/** Classifies UPDATE: it overwrites values. DATA LOSS. Pure. */
export function classifyUpdate(words: Words): Draft {
  const set = findOutside(words, 1, 'SET');
  const sources = words.slice(1, set === -1 ? undefined : set);
  const isMulti = sources.some(({ keyword }) => /^(?:,|JOIN|STRAIGHT_JOIN|\()$/.test(keyword));
  const tables = isMulti ? null : targetOf(words, 1);
  return { class: 'dml', verb: 'UPDATE', destroysData: true, tables };
}

/** Classifies DELETE. DATA LOSS. Pure. */
export function classifyDelete(words: Words): Draft {
  const at = skip(words, 1, MODIFIERS);
  const name = keywordAt(words, at) === 'FROM' ? readName(words, at + 1) : null;
  const isMulti = name === null || /^(?:,|\.|USING)$/.test(keywordAt(words, name.next));
  return { class: 'dml', verb: 'DELETE', destroysData: true, tables: isMulti ? null : [name.name] };
}

/** Classifies TRUNCATE. DATA LOSS. Pure. */
export function classifyTruncate(words: Words): Draft {
  const name = readName(words, keywordAt(words, 1) === 'TABLE' ? 2 : 1);
  const tables = name === null ? null : [name.name];
  const drops = name === null ? [] : [{ table: name.name, column: null }];
  return {
    class: 'ddl',
    verb: 'TRUNCATE TABLE',
    repeatable: true,
    destroysData: true,
    tables,
    drops,
  };
}

/** Classifies OPTIMIZE, REPAIR, CHECK, ANALYZE TABLE: they commit, and change no value. Pure. */
export function classifyMaintenance(words: Words): Draft {
  const verb = `${keywordAt(words, 0)} TABLE`;
  const at = words.findIndex(({ keyword }) => /^(?:TABLES?|VIEW)$/.test(keyword));
  const { names } = readNames(words, at + 1);
  return { class: 'ddl', verb, repeatable: true, tables: names.length === 0 ? null : names };
}

/** Classifies what only reads. Pure. */
export function classifyRead(words: Words): Draft {
  const verb = keywordAt(words, 0) === '(' ? 'SELECT' : keywordAt(words, 0);
  return { class: 'dml', verb, repeatable: true, tables: [] };
}

/** True when a value is taken from a sequence: that is not undone with the transaction. */
export function usesSequence(words: Words): boolean {
  return (
    find(words, 0, 'NEXTVAL', '(') !== -1 ||
    find(words, 0, 'SETVAL', '(') !== -1 ||
    words.some((_, at) => hasAt(words, at, 'NEXT', 'VALUE', 'FOR'))
  );
}

function targetOf(words: Words, from: number): string[] | null {
  const name = readName(words, skip(words, from, MODIFIERS));
  return name === null ? null : [name.name];
}
