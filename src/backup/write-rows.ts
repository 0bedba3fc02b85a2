import { join } from 'node:path';
import { failPoint } from '../errors/fail-point.ts';
import type { RowPart } from './dump-plan.ts';
import { splitTables } from './dump-split.ts';
import { JSON_ROWS_SUFFIX, writeJsonRows } from './json-rows.ts';
import { allOrStop, shareOut } from './lanes.ts';
import type { ManifestFile } from './manifest.ts';
import { HISTORY_SESSION, STATEMENT_BYTES, writeOwnRows } from './own-rows.ts';
import { writePacked } from './packed-file.ts';
import type { OnProgress } from './progress.ts';
import type { RunningDump, Source } from './source.ts';
import { LOADING_SESSION } from './structure-file.ts';

export type WrittenRows = {
  /** In the order of the tables. */
  readonly files: readonly ManifestFile[];
  readonly longestStatementBytes: number;
};

export type WriteRowsOptions = {
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal | undefined;
  /** `json`: NDJSON instead of SQL; all tables must then be those of our own writer. */
  readonly format?: RowFormat | undefined;
};

export type RowFormat = 'sql' | 'json';

/**
 * Writes the rows of all tables, each table or part of one into a file of its own, all processes and
 * connections of the source at the same time. A table without rows gets no file. When one fails
 * the others are ended, and all are over when it rejects.
 */
export async function writeAllRows(
  dir: string,
  source: Source,
  options: WriteRowsOptions,
): Promise<WrittenRows> {
  const writer = makeWriter(dir, source, options);
  const own = shareOut(source.writers, source.own, (db, part) => {
    const { systemVersioned } = source.outline.list.tables.find(({ name }) => name === part.table)!;
    const columns = source.columns.get(part.table) ?? [];
    const own = { ...part, columns, systemVersioned };
    if (options.format === 'json') return writer.writeJson(part, writeJsonRows(db, own));
    return writer.write(part, writeOwnRows(db, own));
  });
  const dumped = source.dumps.map((running) => writeDump(running, writer));
  await allOrStop([own, ...dumped], source.destroy);
  await failPoint('backup.dumped');
  return writer.written();
}

async function writeDump({ dump, parts }: RunningDump, writer: Writer): Promise<void> {
  const tables = parts.map(({ table }) => table);
  let index = 0;
  for await (const { rows } of splitTables(dump.rows, tables)) {
    await writer.write(parts[index++]!, rows);
  }
}

type Writer = {
  write(part: RowPart, statements: AsyncIterable<Buffer | string>): Promise<void>;
  writeJson(part: RowPart, lines: AsyncGenerator<string>): Promise<void>;
  written(): WrittenRows;
};

function makeWriter(dir: string, source: Source, options: WriteRowsOptions): Writer {
  const { onProgress = () => {}, signal } = options;
  const order = new Map(source.outline.list.tables.map(({ name }, index) => [name, index + 1]));
  const versioned = new Set(
    source.outline.list.tables.flatMap((table) => (table.systemVersioned ? [table.name] : [])),
  );
  const estimateBytes = source.tables.reduce((sum, { dataBytes }) => sum + dataBytes, 0);
  const files: ManifestFile[] = [];
  const longest = { bytes: 0 };
  let done = 0;
  const note = (bytes: number) => {
    done += bytes;
    onProgress({ phase: 'dump', done, of: Math.max(done, estimateBytes), what: 'bytes' });
  };
  return {
    async write({ table, part }, statements) {
      const rows = measured(statements, { note, longest });
      const first = await nextWithRows(rows);
      if (first === null) return;
      const session = [...LOADING_SESSION, ...(versioned.has(table) ? [HISTORY_SESSION] : [])];
      const path = join(dir, fileName(table, order.get(table)!, part));
      async function* content(head: Buffer): AsyncGenerator<Buffer> {
        yield Buffer.concat([Buffer.from(`${session.join(';\n')};\n`), head]);
        yield* rows;
        // A stock client is given several files as one.
        yield Buffer.from('\n');
      }
      const packed = await writePacked(path, content(first), { signal });
      files.push({ ...packed, kind: 'rows', table });
    },
    async writeJson({ table, part }, lines) {
      const first = await lines.next();
      if (first.done === true) return;
      const path = join(dir, fileName(table, order.get(table)!, part, JSON_ROWS_SUFFIX));
      async function* content(): AsyncGenerator<Buffer> {
        for (let next: IteratorResult<string> = first; next.done !== true; ) {
          const chunk = Buffer.from(next.value);
          longest.bytes = Math.max(longest.bytes, longestInsert(chunk));
          note(chunk.length);
          yield chunk;
          next = await lines.next();
        }
      }
      const packed = await writePacked(path, content(), { signal });
      files.push({ ...packed, kind: 'rows', table });
    },
    written() {
      files.sort((a, b) => (a.name < b.name ? -1 : 1));
      return { files, longestStatementBytes: longest.bytes };
    },
  };
}

/** `rows-0012-users-3.sql.zst`: the number keeps the names apart, the rest is for people. Pure. */
export function fileName(
  table: string,
  order: number,
  part: number | null,
  suffix = '.sql.zst',
): string {
  const slug = table
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '-')
    .slice(0, 40);
  const name = `rows-${String(order).padStart(4, '0')}-${slug.replace(/^-|-$/g, '')}`;
  return `${name.replace(/-$/, '')}${part === null ? '' : `-${part}`}${suffix}`;
}

/** Reads on until there is a statement; null when there is none, only comments. */
async function nextWithRows(chunks: AsyncGenerator<Buffer>): Promise<Buffer | null> {
  let head: Buffer = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await chunks.next();
    if (done === true) return null;
    head = Buffer.concat([head, value]);
    if (head.includes('INSERT INTO ')) return head;
  }
}

/** Passes the chunks on; counts bytes and finds the longest statement. */
async function* measured(
  chunks: AsyncIterable<Buffer | string>,
  { note, longest }: { note(bytes: number): void; readonly longest: { bytes: number } },
): AsyncGenerator<Buffer> {
  const measure = measureStatements();
  for await (const given of chunks) {
    const chunk = typeof given === 'string' ? Buffer.from(given) : given;
    longest.bytes = Math.max(longest.bytes, measure(chunk));
    note(chunk.length);
    yield chunk;
  }
}

const STATEMENT_END = Buffer.from(';\n');

/**
 * Is given the chunks of a file one by one, and gives the bytes of the longest statement of them so
 * far. Each statement has a line end after its semicolon, and no other place has that; a chunk may
 * end anywhere. Exported for its tests.
 */
export function measureStatements(): (chunk: Buffer) => number {
  let longest = 0;
  let open = 0;
  let endsInSemicolon = false;
  return (chunk) => {
    let begin = 0;
    if (endsInSemicolon && chunk[0] === STATEMENT_END[1]) {
      open = 0;
      begin = 1;
    }
    for (let end = chunk.indexOf(STATEMENT_END, begin); end !== -1; ) {
      longest = Math.max(longest, open + end - begin);
      open = 0;
      begin = end + STATEMENT_END.length;
      end = chunk.indexOf(STATEMENT_END, begin);
    }
    open += chunk.length - begin;
    longest = Math.max(longest, open);
    if (chunk.length > 0) endsInSemicolon = chunk.at(-1) === STATEMENT_END[0];
    return longest;
  };
}

/**
 * The bytes of the longest INSERT that is made of lines. A row is as long as its line, without the
 * names but with a backslash before each quote; rows that are short share a statement. Pure.
 */
function longestInsert(lines: Buffer): number {
  let longest = 0;
  for (let begin = 0, end = lines.indexOf(10); end !== -1; end = lines.indexOf(10, begin)) {
    longest = Math.max(longest, end - begin + countQuotes(lines.subarray(begin, end)));
    begin = end + 1;
  }
  return longest + STATEMENT_BYTES;
}

function countQuotes(line: Buffer): number {
  let count = 0;
  for (let at = line.indexOf(QUOTE); at !== -1; at = line.indexOf(QUOTE, at + 1)) count++;
  return count;
}

const QUOTE = 0x27;
