/**
 * Takes the output of `mariadb-dump` apart into statements while it streams, so that they can be
 * sent over a registered connection instead of by a client program that echoes rows in its errors
 * and goes on after its parent is dead. It knows the dump's own spelling only: strings in single
 * quotes with backslash escapes (the dump runs with sql_mode ''), names in backticks, and comment
 * lines between statements. Pure.
 */
import { type OpenStatement, openStatement } from './long-values.ts';

/** A few copies of it are held. A server whose value is longer takes statements of this length. */
const PIECE_BYTES = 4 * 1024 * 1024;

const QUOTE = 0x27;
const BACKTICK = 0x60;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;
const NEWLINE = 0x0a;
const DASH = 0x2d;
const COMMA = 0x2c;
const OPEN = 0x28;
const CLOSE = 0x29;

/** Where the reader is; it survives from one chunk to the next. */
type Scan = {
  /** Next byte of the chunk to look at. */
  position: number;
  /** Where the part of the statement that lies in this chunk begins. */
  begin: number;
  /** 0, or the quote character that the position is within. */
  quote: number;
  isComment: boolean;
  /** No byte of the line was seen: rows begin with a bracket, so a dash here begins a comment. */
  isLineStart: boolean;
  /** A byte of the statement itself was seen, not only line ends and comments. */
  isInText: boolean;
  /** The statement is so long that a value in it may be: `value` is kept. */
  isLong: boolean;
  /** Where the value that is read begins; negative when in a chunk before. */
  value: number;
};

function newScan(): Scan {
  return {
    ...{ position: 0, begin: 0, quote: 0, value: 0 },
    ...{ isComment: false, isInText: false, isLineStart: true, isLong: false },
  };
}

/**
 * The statements of a dump, without their semicolons. Comment lines before a statement are left
 * out. Values longer than `pieceBytes` come in statements of their own before it (`long-values.ts`).
 *
 * @throws Error when the dump ends within a statement.
 */
export async function* splitDump(
  chunks: AsyncIterable<Buffer>,
  pieceBytes = PIECE_BYTES,
): AsyncGenerator<string> {
  const scan = newScan();
  let statement = openStatement(pieceBytes);
  for await (const chunk of chunks) {
    for (;;) {
      const end = findEnd(chunk, scan, statement);
      if (end === -1) break;
      statement.add(chunk.subarray(scan.begin, end));
      yield statement.text();
      yield* statement.free();
      statement = openStatement(pieceBytes);
      scan.begin = scan.position;
      scan.isInText = false;
      scan.isLong = false;
    }
    if (scan.isInText) {
      statement.add(chunk.subarray(scan.begin));
      if (statement.length > pieceBytes) yield* cutValue(chunk, scan, statement);
    }
    // More than 0 when a backslash was the last byte: the byte after it is skipped.
    scan.position -= chunk.length;
    scan.value -= chunk.length;
    scan.begin = 0;
  }
  if (scan.isInText) throw new Error('the dump ends within a statement');
}

/** The beginning of the value that is open at the end of the chunk, when it is long. Moves `scan` on. */
function cutValue(chunk: Buffer, scan: Scan, statement: OpenStatement): string[] {
  if (!scan.isLong) {
    scan.isLong = true;
    scan.value = chunk.length - statement.length + lastValue(statement.bytes());
  }
  const cut = statement.cut(chunk.length - scan.value, scan.quote !== 0);
  if (cut === null) return [];
  scan.value = chunk.length - cut.openBytes;
  return [cut.sql];
}

/** Where the value begins that is the last one of the bytes, the beginning of a statement. */
function lastValue(bytes: Buffer): number {
  const scan: Scan = { ...newScan(), isLong: true, isInText: true };
  findEnd(bytes, scan, openStatement(bytes.length));
  return scan.value;
}

/** Index of the semicolon that ends the statement, or -1 when the chunk has no more. Moves `scan` on. */
function findEnd(bytes: Buffer, scan: Scan, statement: OpenStatement): number {
  let { position, quote, isComment, isInText, isLineStart, begin } = scan;
  let end = -1;
  for (; position < bytes.length && end === -1; position++) {
    const byte = bytes[position];
    if (quote !== 0) {
      if (byte === BACKSLASH && quote === QUOTE) position++;
      else if (byte === quote) quote = 0;
      continue;
    }
    if (isComment) isComment = byte !== NEWLINE;
    else if (byte === DASH && isLineStart) isComment = true;
    else if (byte === SEMICOLON) end = position;
    else if (byte === QUOTE || byte === BACKTICK) quote = byte;
    else if (scan.isLong && (byte === COMMA || byte === OPEN || byte === CLOSE)) {
      if (statement.isCut) {
        statement.add(bytes.subarray(begin, position));
        statement.endValue();
        begin = position;
      }
      scan.value = position + 1;
    }
    isLineStart = byte === NEWLINE;
    if (!isInText && !isComment && end === -1 && byte !== NEWLINE) {
      isInText = true;
      begin = position;
    }
  }
  Object.assign(scan, { position, quote, isComment, isInText, isLineStart, begin });
  return end;
}
