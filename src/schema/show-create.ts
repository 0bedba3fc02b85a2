/**
 * Reads from the text of SHOW CREATE what information_schema does not have. Pure. Lines can be
 * trusted: the server escapes line ends inside comments and defaults.
 */
import { createHash } from 'node:crypto';
import { withoutOwnSchema } from './normalise.ts';

/** What only SHOW CREATE TABLE has. */
export type ShownTable = {
  readonly partitioning: string | null;
  /** Periods, keys and expressions that information_schema misses or shows with loss. */
  readonly options: readonly string[];
};

/**
 * The partitioning and the hidden parts of a table.
 * `engine` decides whether the table's own options (UNION, CONNECTION …) count: they may hold a
 * password, so only their hash is kept.
 */
export function readShownTable(text: string, schema: string, engine: string): ShownTable {
  const lines = text.split('\n');
  const end = lines.findIndex((line, index) => index > 0 && line.startsWith(')'));
  const head = end < 0 ? lines : lines.slice(1, end);
  const tail = end < 0 ? [] : lines.slice(end);
  const cut = tail.findIndex((line) => /^\s*(?:\/\*!\d+\s*)?PARTITION BY /.test(line));
  const options = head
    .map((line) => line.trim().replace(/,$/, ''))
    .filter((line) => HIDDEN.some((pattern) => pattern.test(line)))
    .map((line) => withoutOwnSchema(line, schema));
  if (!isCommonEngine(engine)) {
    const own = tail.slice(0, cut < 0 ? undefined : cut).join(' ');
    options.push(`engine attributes ${shortHash(own.replace(/ AUTO_INCREMENT=\d+/, ''))}`);
  }
  return {
    partitioning: cut < 0 ? null : normalisePartitioning(tail.slice(cut).join(' ')),
    options: options.sort(),
  };
}

const HIDDEN = [
  /^PERIOD FOR /,
  / WITHOUT OVERLAPS\)/,
  /^VECTOR KEY /,
  // information_schema is utf8mb3: there every character beyond it is a question mark.
  /[\u{10000}-\u{10ffff}]/u,
];

/** True for an engine whose tables information_schema describes in full. */
export function isCommonEngine(engine: string): boolean {
  return ['innodb', 'myisam', 'aria', 'memory', 'archive', 'csv', 'sequence'].includes(
    engine.toLowerCase(),
  );
}

function normalisePartitioning(text: string): string {
  return withoutDirectories(text)
    .replace(/\/\*!\d+\s*|\*\//g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The text without DATA DIRECTORY and INDEX DIRECTORY: where files lie changes nothing. */
export function withoutDirectories(text: string): string {
  return text.replace(/ (?:DATA|INDEX) DIRECTORY ?= ?'(?:[^'\\]|\\.|'')*'/g, '');
}

/**
 * The true body of a routine, trigger or event: `shown` is its CREATE statement, `lossy` the body
 * from information_schema, where a character beyond utf8mb3 is `?`. Gives `lossy` when the two
 * do not fit.
 */
export function trueBody(shown: string, lossy: string): string {
  const characters = [...shown];
  const body = characters.slice(-[...lossy].length);
  const folded = body.map((char) => (char.length > 1 ? '?' : char)).join('');
  return folded === lossy ? body.join('') : lossy;
}

/** The list of parameters of a routine from its CREATE statement, as it was written; '' for none. */
export function shownParameters(shown: string): string {
  const head = /^CREATE [\s\S]*?(?:PROCEDURE|FUNCTION) (?:`(?:[^`]|``)*`|"(?:[^"]|"")*")\(/.exec(
    shown,
  );
  if (head === null) return '';
  let depth = 1;
  let list = '';
  for (const part of shown.slice(head[0].length).match(/'(?:[^'\\]|\\[\s\S]|'')*'|[\s\S]/g) ?? []) {
    if (part === '(') depth++;
    if (part === ')') depth--;
    if (depth === 0) break;
    list += part;
  }
  return list.trim();
}

/** The select of a view from its CREATE statement. */
export function shownSelect(shown: string): string | null {
  const match =
    /^CREATE .*? VIEW (?:`(?:[^`]|``)*`\.)?`(?:[^`]|``)*` (?:\([^)]*\) )?AS ([\s\S]*)$/.exec(shown);
  return match?.[1]?.replace(/ WITH (?:CASCADED|LOCAL) CHECK OPTION$/, '') ?? null;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
