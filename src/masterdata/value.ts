/**
 * Whether a value of a file fits a column: most of what strict mode would refuse, found before. The
 * rest (dates, sets, characters of a character set) is told by the server when rows are staged.
 */
import type { Column } from './columns.ts';

/** A value as it is sent to the server. */
export type SqlValue = string | number | bigint | boolean | null;

export type Checked = { readonly value: SqlValue } | { readonly problem: string };

const wholeRanges: Readonly<Record<string, number>> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  bigint: 64,
};

const texts = ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];
const asWritten = ['date', 'datetime', 'timestamp', 'time', 'year', 'uuid', 'inet4', 'inet6'];

/** True for a column type of whole numbers. */
export function isWholeNumber(dataType: string): boolean {
  return dataType in wholeRanges;
}

/** True for a column type that master data can hold. */
export function isSupported(dataType: string): boolean {
  return (
    dataType in wholeRanges ||
    [...texts, ...asWritten, 'float', 'double', 'decimal', 'enum', 'set'].includes(dataType)
  );
}

/** What is sent for a value of a file, or why it does not fit the column. Pure. */
export function checkValue(value: unknown, column: Column): Checked {
  if (value === null) {
    return column.nullable ? { value } : { problem: 'null, and the column must have a value' };
  }
  if (typeof value === 'object' || value === undefined) return { problem: 'not a single value' };
  const { dataType } = column;
  if (dataType in wholeRanges) return checkWhole(value as SqlValue, column);
  if (dataType === 'float' || dataType === 'double') return checkFloating(value);
  if (dataType === 'decimal') return checkDecimal(value, column);
  if (dataType === 'year') return checkYear(value);
  if (typeof value !== 'string') return { problem: `${typeof value}, and a text is needed` };
  return checkText(value, column);
}

function checkWhole(value: SqlValue, column: Column): Checked {
  // Most numbers are of this kind, and every type takes them.
  if (typeof value === 'number' && value >= 0 && value < 128 && Number.isInteger(value)) {
    return { value };
  }
  if (typeof value === 'boolean') {
    return column.dataType === 'tinyint' ? { value } : { problem: 'boolean, not a number' };
  }
  const isWhole =
    typeof value === 'number' ? Number.isSafeInteger(value) : /^-?\d{1,20}$/.test(String(value));
  if (!isWhole) return { problem: 'not a whole number' };
  const whole = BigInt(value as number | string);
  const bits = BigInt(wholeRanges[column.dataType]!);
  const low = column.unsigned ? 0n : -(1n << (bits - 1n));
  const high = column.unsigned ? (1n << bits) - 1n : (1n << (bits - 1n)) - 1n;
  return whole < low || whole > high
    ? { problem: `outside of ${low} to ${high}` }
    : { value: whole };
}

function checkFloating(value: unknown): Checked {
  return typeof value === 'number' && Number.isFinite(value)
    ? { value }
    : { problem: 'not a number' };
}

function checkDecimal(value: unknown, { precision, scale }: Column): Checked {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const parts = /^(-?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(text);
  if (parts === null || !/\d/.test(text)) return { problem: 'not a decimal number' };
  const [, , whole = '', rest = ''] = parts;
  return whole.length > precision - scale || rest.length > scale
    ? { problem: `more than the ${precision} digits, ${scale} of them decimals, of the column` }
    : { value: text };
}

/** Fewer digits would silently become another year: 1 is 2001. */
function checkYear(value: unknown): Checked {
  const year = typeof value === 'string' && /^\d{4}$/.test(value) ? Number(value) : value;
  const isYear = typeof year === 'number' && (year === 0 || (year >= 1901 && year <= 2155));
  return isYear && Number.isInteger(year)
    ? { value: year }
    : { problem: 'not a year from 1901 to 2155' };
}

function checkText(value: string, column: Column): Checked {
  if (!value.isWellFormed()) return { problem: 'half of a character' };
  const { dataType, maxChars, maxBytes } = column;
  if (dataType === 'enum') {
    const known = column.members.includes(value);
    return known ? { value } : { problem: 'not one of the values of the column' };
  }
  if (dataType === 'char' || dataType === 'varchar') {
    // No character has less than one unit: counting them takes longer.
    if (maxChars === null || value.length <= maxChars) return { value };
    const length = [...value].length;
    if (length > maxChars) return tooLong(length, maxChars, 'characters');
  } else if (texts.includes(dataType)) {
    // No unit has more than three bytes.
    if (maxBytes === null || value.length * 3 <= maxBytes) return { value };
    const length = Buffer.byteLength(value);
    if (length > maxBytes) return tooLong(length, maxBytes, 'bytes');
  }
  return { value };
}

function tooLong(length: number, most: number, unit: string): Checked {
  return { problem: `${length} ${unit}, and the column holds ${most}` };
}
