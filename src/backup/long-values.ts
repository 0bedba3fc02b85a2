/**
 * Values of megabytes, taken out of a statement while it is read: they are sent to the server in
 * pieces, into a variable, and the statement names that. So none is in memory as a whole, let alone
 * the several times that a statement of it would be. Pure.
 */

/** The statement that is being read, so far. */
export type OpenStatement = {
  /** The bytes that are held. */
  readonly length: number;
  /** The value that is open has pieces in a variable. */
  readonly isCut: boolean;
  add(bytes: Buffer): void;
  bytes(): Buffer;
  /**
   * Takes the beginning of the value that is open, the last `valueBytes` of what is held: a statement
   * that puts it into a variable, and how much of the value is still held. Null when it is short.
   * `isQuoted`: it is within quotes still.
   */
  cut(
    valueBytes: number,
    isQuoted: boolean,
  ): { readonly sql: string; readonly openBytes: number } | null;
  /** The value that was cut is held to its end. */
  endValue(): void;
  text(): string;
  /** Statements that free the variables. */
  free(): string[];
};

/** `pieceBytes`: a value longer than this goes in pieces of about this length. */
export function openStatement(pieceBytes: number): OpenStatement {
  let parts: Buffer[] = [];
  let length = 0;
  let variables = 0;
  let isCut = false;
  const add = (bytes: Buffer) => {
    parts.push(bytes);
    length += bytes.length;
  };
  const bytes = () => {
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    parts = [all];
    return all;
  };
  const nameOf = (nth: number) => `@deploy_long_${nth}`;
  return {
    get length() {
      return length;
    },
    get isCut() {
      return isCut;
    },
    ...{ add, bytes },
    cut(valueBytes, isQuoted) {
      if (valueBytes < pieceBytes) return null;
      const all = bytes();
      const begin = all.length - valueBytes;
      const piece = readPiece(all.subarray(begin), isQuoted);
      if (piece === null) return null;
      if (!isCut) variables++;
      const name = nameOf(variables);
      const { literal, open, rest } = piece;
      const sql = `SET ${name}=${isCut ? `CONCAT(${name},${literal})` : literal}`;
      const call = Buffer.from(isCut ? '' : `CONCAT(${name},`);
      parts = [];
      length = 0;
      // Copied: the rest must not keep the piece in memory.
      add(Buffer.concat([all.subarray(0, begin), call, open, rest]));
      isCut = true;
      return { sql, openBytes: open.length + rest.length };
    },
    endValue() {
      add(Buffer.from(')'));
      isCut = false;
    },
    text: () => Buffer.concat(parts).toString('utf8').trim(),
    free: () => Array.from({ length: variables }, (_, index) => `SET ${nameOf(index + 1)}=NULL`),
  };
}

type Piece = {
  /** The beginning of the value, as SQL of its own. */
  readonly literal: string;
  /** How the value opens: `0x`, `x'` or `'`. */
  readonly open: Buffer;
  /** What is left of it, behind `open`. */
  readonly rest: Buffer;
};

/** Null for what is no string: such a value is never long. */
function readPiece(value: Buffer, isQuoted: boolean): Piece | null {
  const begin = value.toString('latin1', 0, 2);
  const length = begin.startsWith("'") ? 1 : 2;
  const open = value.subarray(0, length);
  if (!isQuoted && begin !== '0x') return null;
  if (isQuoted && begin !== "x'" && length === 2) return null;
  const end = length === 1 ? wholeCharacters(value) : wholeBytes(value);
  const quoted = value.toString('utf8', length, end);
  return { literal: `${length === 1 ? '' : 'x'}'${quoted}'`, open, rest: value.subarray(end) };
}

/** Two digits are a byte, and some must be left: `0x` alone is no value. */
function wholeBytes(value: Buffer): number {
  return value.length - 2 - (value.length % 2);
}

/** Neither a character of several bytes nor an escape is cut in two. */
function wholeCharacters(value: Buffer): number {
  let end = value.length - 4;
  while ((value[end]! & 0xc0) === 0x80) end--;
  let backslashes = 0;
  while (value[end - 1 - backslashes] === 0x5c) backslashes++;
  return backslashes % 2 === 0 ? end : end - 1;
}
