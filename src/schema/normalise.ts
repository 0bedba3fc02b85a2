/**
 * Takes out of the server's texts what is spelling only: the own schema's name, a value that a
 * version prints in another way. Pure.
 */
import type { ObjectKind } from './model.ts';

/**
 * The text without the qualifier `` `schema`. `` where it stands before one of the schema's own
 * tables, sequences or functions: after FROM and JOIN, inside NEXTVAL(…), LASTVAL(…) and SETVAL(…),
 * before a function call, and in names of three parts. Elsewhere `` `app`.`id` `` is a column of
 * an alias that has the schema's name. String literals are left as they are.
 */
export function withoutOwnSchema(text: string, schema: string): string {
  const own = `\`${schema.replaceAll('`', '``')}\`.`;
  if (!text.includes(own)) return text;
  let result = '';
  for (const part of text.match(PARTS) ?? []) {
    result += part.startsWith(own) && isQualifier(part, result) ? part.slice(own.length) : part;
  }
  return result;
}

// Quoted strings (both escapes), runs of names with their dots and an opening bracket, all else.
const PARTS = /'(?:[^'\\]|\\[\s\S]|'')*'|`(?:[^`]|``)*`(?:\.`(?:[^`]|``)*`)*\(?|[^'`]+|[\s\S]/g;

function isQualifier(part: string, before: string): boolean {
  const names = part.match(/`(?:[^`]|``)*`/g) ?? [];
  if (part.endsWith('(') || names.length >= 3) return true;
  return /\b(?:from|join)\s[\s(]*$|\b(?:nextval|lastval|setval|previous value for|next value for)\s*\(?\s*$/i.test(
    before,
  );
}

/** A column's type; `COMPRESSED` without the version comment around it. */
export function normaliseType(type: string): string {
  return type
    .replace(/\s*\/\*M?!\d+ (\w+)\*\//g, ' $1')
    .replace(/\bcharset utf8\b|\bcharacter set utf8\b/gi, (text) => `${text}mb3`);
}

/**
 * The type without a display width, which changes no value: `bigint(20)` is `bigint`. It stays
 * where people read meaning from it: `tinyint(1)` and ZEROFILL.
 */
export function withoutDisplayWidth(type: string): string {
  if (/zerofill/i.test(type) || /^tinyint\(1\)/i.test(type)) return type;
  return type.replace(/^((?:tiny|small|medium|big)?int|year)\(\d+\)/i, '$1');
}

/** The type without the display width that it has when none is given: `int(11)` is `int`. */
export function withoutDefaultWidth(type: string): string {
  const [, name = '', width = '', rest = ''] = /^(\w+)\((\d+)\)(.*)$/s.exec(type) ?? [];
  const widths = DEFAULT_WIDTHS[name.toLowerCase()];
  if (widths === undefined) return type;
  return Number(width) === widths[/unsigned/i.test(rest) ? 1 : 0] ? name + rest : type;
}

const DEFAULT_WIDTHS: Readonly<Record<string, readonly [signed: number, unsigned: number]>> = {
  tinyint: [4, 3],
  smallint: [6, 5],
  mediumint: [9, 8],
  int: [11, 10],
  bigint: [20, 20],
  year: [4, 4],
};

/** `utf8` and `utf8_…` by the name that every supported server has for them. */
export function normaliseCharset(name: string | null): string | null {
  return name === null ? null : name.replace(/^utf8(?=_|$)/, 'utf8mb3');
}

/** One spelling for the current time as a default. */
export function normaliseDefault(text: string | null, schema: string): string | null {
  if (text === null) return null;
  const now = /^(?:current_timestamp|now|localtime(?:stamp)?)(?:\((\d*)\))?$/i.exec(text);
  if (now !== null) return `current_timestamp(${now[1] === '0' ? '' : (now[1] ?? '')})`;
  return withoutOwnSchema(text, schema);
}

/**
 * The default of a BINARY or VARBINARY column as `x'…'`, as MariaDB 11 shows it; 10.11 shows text.
 * Unchanged when there is a `?` in it: that may stand for any byte.
 */
export function normaliseBinaryDefault(text: string): string {
  if (!/^'[^?]+'$/s.test(text)) return text;
  const plain = text.slice(1, -1).replace(/''|\\([\s\S])/g, (pair, escaped?: string) => {
    if (escaped === undefined) return pair.slice(1);
    return ESCAPES[escaped] ?? escaped;
  });
  return `x'${Buffer.from(plain, 'utf8').toString('hex')}'`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
};

/** True for a column of bytes whose default is written as `x'…'`. */
export function isBinaryType(type: string): boolean {
  return /^(?:var)?binary\b/i.test(type);
}

/** `VIRTUAL GENERATED` and what says the same elsewhere is left out, the rest sorted. */
export function normaliseExtra(text: string): string {
  if (text === '') return text;
  return text
    .replace(/\bcurrent_timestamp(?!\()/gi, 'current_timestamp()')
    .split(', ')
    .flatMap((part) => part.split(/\s+(?=INVISIBLE$)/))
    .filter((part) => part !== '' && !/^(?:virtual|stored|default)[ _]generated$/i.test(part))
    .sort()
    .join(', ');
}

/** The words of CREATE_OPTIONS, e.g. `row_format=COMPRESSED`, `page_compressed=1`, sorted. */
export function normaliseOptions(text: string): string[] {
  const words = text.match(/(?:`(?:[^`]|``)+`|[^\s=]+)(?:=(?:'(?:[^'\\]|\\.|'')*'|\S+))?/g) ?? [];
  return (
    words
      // MariaDB: SHOW CREATE writes out an Aria table's PAGE_CHECKSUM, so a copy has it as an option. It
      // changes no value.
      .filter((word) => word !== 'partitioned' && !/^page_checksum=/i.test(word))
      .map((word) => {
        const [, name = word, value] = /^(`(?:[^`]|``)+`|[^\s=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
        const plain = name.replaceAll('`', '').toLowerCase();
        return value === undefined ? plain : `${plain}=${value.replace(/^'([\s\S]*)'$/, '$1')}`;
      })
      .sort()
  );
}

/** The definition of a sequence from `CREATE SEQUENCE`, without its name. */
export function normaliseSequence(createText: string): string {
  return createText
    .replace(/^CREATE SEQUENCE `(?:[^`]|``)*`\s*/i, '')
    .replace(/^as bigint(?!\w| unsigned)\s*/i, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** `PACKAGE BODY` → `package body`. */
export function routineKind(
  type: string,
): Extract<ObjectKind, 'procedure' | 'function' | 'package' | 'package body'> {
  switch (type.toUpperCase()) {
    case 'FUNCTION':
      return 'function';
    case 'PACKAGE':
      return 'package';
    case 'PACKAGE BODY':
      return 'package body';
    default:
      return 'procedure';
  }
}
