import { find, isName, keywordAt, type Words } from './classify-names.ts';

/** Schemas that belong to the server itself and may be read. */
const READABLE = new Set(['information_schema', 'performance_schema', 'sys']);
/** Behind these comes the name of an object that is read or changed. */
const BEFORE_NAME = new Set(
  `JOIN STRAIGHT_JOIN INTO TABLE TABLES REFERENCES VIEW SEQUENCE PROCEDURE FUNCTION EVENT TRIGGER
   TRUNCATE CALL RENAME`.split(/\s+/),
);
/** Behind these come several, separated by commas. */
const BEFORE_LIST = new Set('FROM JOIN STRAIGHT_JOIN TABLE TABLES VIEW SEQUENCE RENAME'.split(' '));
/** Lists of tables, separated by commas, end here. */
const END_OF_LIST = new Set(
  'WHERE GROUP HAVING ORDER LIMIT SET VALUES VALUE SELECT UNION WINDOW'.split(' '),
);
const BETWEEN = new Set(
  'IF NOT EXISTS LOW_PRIORITY HIGH_PRIORITY DELAYED QUICK IGNORE INTO FROM TO AS LATERAL'.split(
    ' ',
  ),
);
const UPDATE_IS_NO_VERB = new Set(['KEY', 'FOR', 'ON', 'BEFORE', 'AFTER', 'OR']);

type Group = {
  /** FROM stands for a list of tables here; not in `EXTRACT(YEAR FROM t.day)`. */
  readonly isQuery: boolean;
  inList: boolean;
  expectsName: boolean;
};

/**
 * The schema that a statement names before a table or other object, or null. `a.b` in an
 * expression is a table and its column, so only places where an object must stand count,
 * and names of three parts. Pure.
 */
export function findSchema(words: Words): string | null {
  const groups: Group[] = [{ isQuery: true, inList: false, expectsName: false }];
  for (let at = 0; at < words.length; at++) {
    const group = groups.at(-1)!;
    const keyword = keywordAt(words, at);
    if (keyword === '(') {
      const next = keywordAt(words, at + 1);
      const isQuery = group.expectsName || /^(?:SELECT|WITH|\()$/.test(next);
      groups.push({ isQuery, inList: group.expectsName, expectsName: group.expectsName });
      group.expectsName = false;
    } else if (keyword === ')') {
      if (groups.length > 1) groups.pop();
    } else if (group.expectsName && BETWEEN.has(keyword)) {
      // The name comes later.
    } else {
      const schema = schemaAt(words, at, group.expectsName);
      if (schema !== null) return schema;
      follow(group, words, at);
    }
  }
  return null;
}

function schemaAt(words: Words, at: number, expectsName: boolean): string | null {
  const [first, second, third] = [words[at], words[at + 2], words[at + 4]];
  if (keywordAt(words, at - 1) === '@' || keywordAt(words, at - 1) === '.') return null;
  if (!isName(first) || keywordAt(words, at + 1) !== '.' || !isName(second)) return null;
  const isThreeParts = keywordAt(words, at + 3) === '.' && isName(third);
  if (!expectsName && !isThreeParts) return null;
  // A number such as 1.5 looks like two names.
  if (/^\d+$/.test(first.value) || READABLE.has(first.value.toLowerCase())) return null;
  return first.value;
}

function follow(group: Group, words: Words, at: number): void {
  const keyword = keywordAt(words, at);
  const before = keywordAt(words, at - 1);
  const verb = keywordAt(words, 0);
  group.expectsName = false;
  if (keyword === ',') {
    group.expectsName = group.inList;
  } else if (END_OF_LIST.has(keyword)) {
    group.inList = false;
  } else if (BEFORE_NAME.has(keyword) || (keyword === 'FROM' && group.isQuery)) {
    group.expectsName = true;
    group.inList = BEFORE_LIST.has(keyword);
  } else if (keyword === 'UPDATE' && !UPDATE_IS_NO_VERB.has(before)) {
    group.expectsName = true;
    group.inList = true;
  } else if (at === 0 && (verb === 'INSERT' || verb === 'REPLACE')) {
    group.expectsName = true;
  } else if (keyword === 'ON' && (verb === 'CREATE' || verb === 'DROP')) {
    group.expectsName = !group.inList;
  } else if (
    (keyword === 'TO' && verb === 'RENAME') ||
    (keyword === '=' && before === 'RENAME' && verb === 'ALTER')
  ) {
    group.expectsName = true;
  } else if (keyword === 'LIKE' && verb === 'CREATE') {
    // `CREATE TABLE t LIKE u` and `CREATE TABLE t (LIKE u)`, not a comparison in a query.
    group.expectsName = before === '(' || find(words.slice(0, at), 0, 'SELECT') === -1;
  }
}
