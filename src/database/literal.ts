/**
 * Values as SQL literals that mean the same in every sql_mode. mysql2's own formatter escapes with
 * backslashes, which are plain characters under NO_BACKSLASH_ESCAPES: a mode that a migration
 * may set on the very connection on which this program writes its journal.
 */
import type { Sql } from 'sql-template-tag';

/** The text to send for a statement. Plain text is sent as it is: a `?` in it stays a `?`. */
export function statementText(statement: string | Sql): string {
  if (typeof statement === 'string') return statement;
  let text = statement.strings[0] ?? '';
  statement.values.forEach((value, index) => {
    text += literal(value) + (statement.strings[index + 1] ?? '');
  });
  return text;
}

/** One value as SQL. Numbers must be finite; a Date is its UTC time; undefined is refused. */
export function literal(value: unknown): string {
  if (value === null) return 'NULL';
  switch (typeof value) {
    case 'string':
      return stringLiteral(value);
    case 'number':
      if (!Number.isFinite(value)) break;
      return String(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? 'TRUE' : 'FALSE';
    default:
      if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex')}'`;
      if (value instanceof Date) return `'${value.toISOString().slice(0, -1).replace('T', ' ')}'`;
  }
  throw new TypeError(`a value of type ${typeof value} cannot stand in a statement`);
}

function stringLiteral(text: string): string {
  // MariaDB: '' is NULL under EMPTY_STRING_IS_NULL.
  if (text === '') return "_utf8mb4 X''";
  if (!text.includes('\\')) return `'${text.replaceAll("'", "''")}'`;
  return `_utf8mb4 X'${Buffer.from(text, 'utf8').toString('hex')}'`;
}
