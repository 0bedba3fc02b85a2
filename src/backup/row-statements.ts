/**
 * Takes the output of `mariadb-dump` apart into statements while it streams, so that they can be
 * sent over a registered connection instead of by a client program that echoes rows in its errors
 * and goes on after its parent is dead. It knows the dump's own spelling only: strings in single
 * quotes with backslash escapes (the dump runs with sql_mode ''), names in backticks, and comment
 * lines between statements. Pure.
 */
const QUOTE = 0x27;
const BACKTICK = 0x60;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;
const NEWLINE = 0x0a;
const DASH = 0x2d;

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
};

/**
 * The statements of a dump, without their semicolons. Comment lines before a statement are left out.
 *
 * @throws Error when the dump ends within a statement.
 */
export async function* splitDump(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const scan: Scan = {
    ...{ position: 0, begin: 0, quote: 0 },
    ...{ isComment: false, isInText: false, isLineStart: true },
  };
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    for (let end = findEnd(chunk, scan); end !== -1; end = findEnd(chunk, scan)) {
      parts.push(chunk.subarray(scan.begin, end));
      yield Buffer.concat(parts).toString('utf8').trim();
      parts = [];
      scan.begin = scan.position;
      scan.isInText = false;
    }
    if (scan.isInText) parts.push(chunk.subarray(scan.begin));
    // More than 0 when a backslash was the last byte: the byte after it is skipped.
    scan.position -= chunk.length;
    scan.begin = 0;
  }
  if (scan.isInText) throw new Error('the dump ends within a statement');
}

/** Index of the semicolon that ends the statement, or -1 when the chunk has no more. Moves `scan` on. */
function findEnd(bytes: Buffer, scan: Scan): number {
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
    isLineStart = byte === NEWLINE;
    if (!isInText && !isComment && end === -1 && byte !== NEWLINE) {
      isInText = true;
      begin = position;
    }
  }
  Object.assign(scan, { position, quote, isComment, isInText, isLineStart, begin });
  return end;
}
