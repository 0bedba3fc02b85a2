import { quoteNameText } from '../database/identifier.ts';
import { readToken } from '../statements/tokens.ts';

/** How a table is made: without the keys that cost least when the rows are there already. */
export type TableStatements = {
  readonly create: string;
  /** `ALTER TABLE … ADD KEY …`, or null. */
  readonly addKeys: string | null;
  /** `ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY …`, or null. */
  readonly addForeignKeys: string | null;
};

/**
 * Takes secondary keys and foreign keys out of a SHOW CREATE TABLE. Building a key from rows that
 * are there sorts once, while each row that is inserted under it reads and writes a page somewhere:
 * on a server whose pool is smaller than the data that is 6 to 8 times slower (experiments §8).
 *
 * Only of InnoDB tables: others build keys their own way. Not of system-versioned ones, which
 * refuse ALTER. A unique key may be what rows are stored by, and an AUTO_INCREMENT column needs
 * a key, so these stay where they matter. FULLTEXT, SPATIAL, VECTOR and hash keys stay. Pure.
 */
export function splitTableText(name: string, create: string): TableStatements {
  const whole = { create, addKeys: null, addForeignKeys: null };
  const { head, definitions, tail } = splitDefinitions(create);
  if (!/^\) ENGINE=InnoDB\b/.test(tail)) return whole;
  const foreignKeys = definitions.filter(isForeignKey);
  const isVersioned = / WITH SYSTEM VERSIONING\b/.test(tail) || definitions.some(isPeriod);
  const keys = isVersioned
    ? []
    : definitions.filter(isSecondaryKey).filter(makeFilter(definitions));
  const later = new Set([...foreignKeys, ...keys]);
  if (later.size === 0) return whole;
  const now = definitions.filter((definition) => !later.has(definition));
  const add = (list: readonly string[]) =>
    list.length === 0
      ? null
      : `ALTER TABLE ${quoteNameText(name)}\n  ${list.map((text) => `ADD ${text}`).join(',\n  ')}`;
  return {
    create: `${head}(\n  ${now.join(',\n  ')}\n${tail}`,
    addKeys: add(keys),
    addForeignKeys: add(foreignKeys),
  };
}

/** Columns, keys and constraints of a CREATE TABLE, and what stands before and after them. */
function splitDefinitions(create: string): {
  readonly head: string;
  readonly definitions: readonly string[];
  readonly tail: string;
} {
  const begin = create.indexOf('(\n');
  const definitions: string[] = [];
  let depth = 1;
  let start = begin + 1;
  let at = start;
  for (; at < create.length && depth > 0; ) {
    const token = readToken(create, at, {}, false);
    const text = token.kind === 'symbol' ? create[at] : '';
    if (text === '(') depth++;
    if (text === ')') depth--;
    if (depth === 0 || (depth === 1 && text === ',')) {
      definitions.push(create.slice(start, at).trim());
      start = token.end;
    }
    if (depth > 0) at = token.end;
  }
  return { head: create.slice(0, begin), definitions, tail: create.slice(at) };
}

function isForeignKey(definition: string): boolean {
  return /^CONSTRAINT `(?:[^`]|``)*` FOREIGN KEY /.test(definition);
}

function isPeriod(definition: string): boolean {
  return /^PERIOD FOR /.test(definition);
}

function isSecondaryKey(definition: string): boolean {
  return (
    /^(?:UNIQUE )?KEY `/.test(definition) && !/ USING HASH\b| WITHOUT OVERLAPS\)/.test(definition)
  );
}

/** Which of the secondary keys may come later. */
function makeFilter(definitions: readonly string[]): (key: string) => boolean {
  const hasPrimaryKey = definitions.some((text) => text.startsWith('PRIMARY KEY '));
  const counter = definitions.find((text) => /^`.* AUTO_INCREMENT\b/.test(text));
  const counterName = counter === undefined ? null : /^`(?:[^`]|``)*`/.exec(counter)?.[0];
  return (key) => {
    if (!hasPrimaryKey && key.startsWith('UNIQUE ')) return false;
    const columns = key.slice(key.indexOf('(') + 1);
    return counterName == null || !columns.startsWith(counterName);
  };
}
