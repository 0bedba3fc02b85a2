/**
 * Rows as NDJSON: one object a line, the columns by name. For reading, comparing and moving data;
 * every value comes back exactly. NULL is null, '' is "" and the text NULL is "NULL". Integers that a
 * JSON reader would round, decimals, dates and times are strings; bytes, and text in character sets
 * that do not go through UTF-8 and back, are {"hex": "00ff"}; ENUM, SET and BIT are their numbers.
 */
import type { Db } from '../database/connect.ts';
import {
  asLiteral,
  insertHead,
  type OwnPart,
  readOwnValues,
  STATEMENT_BYTES,
  writtenColumns,
} from './own-rows.ts';

/** How the name of such a file ends. */
export const JSON_ROWS_SUFFIX = '.ndjson.zst';

/** Lines are handed on together: one by one they would cost more than their compression. */
const CHUNK_LENGTH = 64 * 1024;

/** The rows of a table as lines; streams. `db` as for `writeOwnRows`. */
export async function* writeJsonRows(db: Db, part: OwnPart): AsyncGenerator<string> {
  const names = writtenColumns(part).map(({ name }) => JSON.stringify(name));
  let chunk = '';
  for await (const values of readOwnValues(db, part)) {
    // As text, not as an object: that would sort names that look like numbers before others.
    const fields = names.map((name, index) => `${name}:${JSON.stringify(toJson(values[index]))}`);
    chunk += `{${fields.join(',')}}\n`;
    if (chunk.length < CHUNK_LENGTH) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

/**
 * The INSERT statements of such lines, for a table of the same columns. Pure.
 *
 * @throws Error when the text ends within a line, or a line lacks a column or is no object.
 */
export async function* readJsonStatements(
  chunks: AsyncIterable<Buffer>,
  part: Pick<OwnPart, 'table' | 'columns' | 'systemVersioned'>,
): AsyncGenerator<string> {
  const columns = writtenColumns(part);
  const head = insertHead(part.table, columns);
  let rows: string[] = [];
  let length = 0;
  for await (const line of linesOf(chunks)) {
    const row = JSON.parse(line) as Record<string, unknown>;
    const values = columns.map((column) => {
      if (!Object.hasOwn(row, column.name)) throw new Error('a line lacks a column');
      return asLiteral(column, fromJson(row[column.name], column.dataType));
    });
    const text = `(${values.join(',')})`;
    rows.push(text);
    length += text.length;
    if (length < STATEMENT_BYTES) continue;
    yield head + rows.join(',');
    rows = [];
    length = 0;
  }
  if (rows.length > 0) yield head + rows.join(',');
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, begin)) {
      yield Buffer.concat([...rest, chunk.subarray(begin, end)]).toString('utf8');
      rest = [];
      begin = end + 1;
    }
    if (begin < chunk.length) rest.push(chunk.subarray(begin));
  }
  if (rest.length > 0) throw new Error('the rows end within a line');
}

/** A value that the connection gave, as JSON keeps it. Exported for its tests. Pure. */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  // JSON has no -0: a number that is read as one.
  return Object.is(value, -0) ? '-0' : value;
}

function fromJson(value: unknown, dataType: string): unknown {
  const hex = (value as { hex?: unknown } | null)?.hex;
  if (typeof hex === 'string') return Buffer.from(hex, 'hex');
  return value === '-0' && /^(?:float|double)$/.test(dataType) ? -0 : value;
}
