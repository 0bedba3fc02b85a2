import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import type { StoredColumn } from './writer.ts';

/** What our own writer writes in one go: a table, or the rows of it that `where` selects. */
export type OwnPart = {
  readonly table: string;
  readonly columns: readonly StoredColumn[];
  readonly systemVersioned: boolean;
  readonly where: string | null;
};

/** Larger statements load no faster, and a loader holds each in memory a few times. */
export const STATEMENT_BYTES = 512 * 1024;

/**
 * Writes the rows of a table as INSERT statements that give back every value exactly, each with
 * a line end after its semicolon. Streams: no more than one statement is in memory.
 *
 * `db` has the schema as default database and is in the snapshot. Generated columns are left out.
 */
export async function* writeOwnRows(db: Db, part: OwnPart): AsyncGenerator<string> {
  const columns = writtenColumns(part);
  const head = insertHead(part.table, columns);
  let rows: string[] = [];
  let length = 0;
  for await (const row of readOwnValues(db, part)) {
    if (row.some(isLong)) {
      if (rows.length > 0) yield `${head}${rows.join(',\n')};\n`;
      rows = [];
      length = 0;
      yield* longRow(head, columns, row);
      continue;
    }
    const values = columns.map((column, index) => asLiteral(column, row[index]));
    const text = `(${values.join(',')})`;
    rows.push(text);
    length += text.length;
    if (length >= STATEMENT_BYTES) {
      yield `${head}${rows.join(',\n')};\n`;
      rows = [];
      length = 0;
    }
  }
  if (rows.length > 0) yield `${head}${rows.join(',\n')};\n`;
}

/** A value that is not copied as a whole: what is made of it is twice as long. */
const LONG_VALUE = 128 * 1024;

function isLong(value: unknown): value is string | Uint8Array {
  return (typeof value === 'string' || value instanceof Uint8Array) && value.length > LONG_VALUE;
}

/** The statement of one row, in pieces. */
function* longRow(
  head: string,
  columns: readonly StoredColumn[],
  row: readonly unknown[],
): Generator<string> {
  yield `${head}(`;
  for (const [index, column] of columns.entries()) {
    const value = row[index];
    if (index > 0) yield ',';
    if (isLong(value)) yield* longLiteral(value);
    else yield asLiteral(column, value);
  }
  yield ');\n';
}

function* longLiteral(value: string | Uint8Array): Generator<string> {
  yield typeof value === 'string' ? "'" : "x'";
  for (let begin = 0; begin < value.length; ) {
    let end = begin + LONG_VALUE;
    if (typeof value === 'string') {
      // Not between the halves of a character.
      if (/[\ud800-\udbff]/.test(value[end - 1] ?? '')) end++;
      yield escaped(value.slice(begin, end));
    } else yield Buffer.from(value.subarray(begin, end)).toString('hex');
    begin = end;
  }
  yield "'";
}

/** The values of each row that `writtenColumns` names, in their order, as exact as they are stored. */
export async function* readOwnValues(db: Db, part: OwnPart): AsyncGenerator<readonly unknown[]> {
  // The aliases keep the order of the columns, whatever their names are.
  const rows = db.stream(selectText(part, writtenColumns(part)));
  for await (const row of rows) yield Object.values(row);
}

/** Statements that the rows of a system-versioned table need before them, for a stock client too. */
export const HISTORY_SESSION = 'SET SESSION system_versioning_insert_history=1';

/** The columns whose values are written: not those that the server makes. Pure. */
export function writtenColumns({
  columns,
  systemVersioned,
}: Pick<OwnPart, 'columns' | 'systemVersioned'>): StoredColumn[] {
  const written = columns.filter(({ role }) => role !== 'generated');
  if (!systemVersioned || written.some(({ role }) => role === 'row end')) return written;
  // Without columns of its own for them, the times have names that information_schema does not show.
  const time = { dataType: 'timestamp', charset: null, type: 'timestamp(6)' };
  return [
    ...written,
    { name: 'row_start', ...time, role: 'row start' },
    { name: 'row_end', ...time, role: 'row end' },
  ];
}

/** `INSERT INTO t (…) VALUES`. Pure. */
export function insertHead(table: string, columns: readonly StoredColumn[]): string {
  const names = columns.map(({ name }) => quoteNameText(name)).join(',');
  return `INSERT INTO ${quoteNameText(table)} (${names}) VALUES\n`;
}

function selectText(part: OwnPart, columns: readonly StoredColumn[]): string {
  const list = columns.map((column, index) => `${selected(column)} AS c${index}`);
  const versions = part.systemVersioned ? ' FOR SYSTEM_TIME ALL' : '';
  const where = part.where === null ? '' : ` WHERE ${part.where}`;
  // A table of generated columns only has nothing to write but that a row is there.
  const values = list.length === 0 ? '1' : list.join(', ');
  return `SELECT ${values} FROM ${quoteNameText(part.table)}${versions}${where}`;
}

function selected(column: StoredColumn): string {
  const name = quoteNameText(column.name);
  switch (column.dataType) {
    case 'float':
      // As DOUBLE it is shown with all its digits.
      return `CAST(${name} AS DOUBLE)`;
    case 'enum':
    case 'set':
    case 'bit':
      // The number of a label says what its text may not: '' as a member, or no member at all.
      return `CAST(${name} AS UNSIGNED)`;
    default:
      if (column.role === 'row end') {
        // What is current has no end. Its time is another one in MariaDB 11.5 and later.
        return `IF(${name} > '2038-01-19 03:14:07.9', NULL, ${name})`;
      }
      return isWrittenAsBytes(column) ? `CAST(${name} AS BINARY)` : name;
  }
}

function isWrittenAsBytes({ charset, dataType }: StoredColumn): boolean {
  if (charset === null) return /geometry|point|linestring|polygon/.test(dataType);
  return !/^(?:utf8(?:mb[34])?|ascii)$/.test(charset);
}

/** A value that the connection gave, as SQL. Exported for its tests. Pure. */
export function asLiteral(
  { role, dataType }: Pick<StoredColumn, 'role' | 'dataType'>,
  value: unknown,
): string {
  if (value === null) return role === 'row end' ? 'DEFAULT' : 'NULL';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0e0' : String(value);
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  // In quotes it would be a label, or the bits of its digits.
  if (/^(?:bit|enum|set)$/.test(dataType)) return String(value);
  return `'${escaped(String(value))}'`;
}

/** As the server's own programs escape: no line end is left in a statement but those between rows. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to escape.
  return text.replace(/[\0\n\r\x1a'\\]/g, (character) => ESCAPES[character]!);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\x1a': '\\Z',
  "'": "\\'",
  '\\': '\\\\',
};
