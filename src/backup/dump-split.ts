import { quoteNameText } from '../database/identifier.ts';

/** The statements of one table in the output of `mariadb-dump`. */
export type DumpedTable = {
  readonly table: string;
  /** To be read to its end before the next table is asked for. */
  readonly rows: AsyncIterable<Buffer>;
};

/** With this the dump puts the session back that it began with; we begin with one of our own. */
const EPILOGUE = '\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n';

/**
 * Cuts the output of `mariadb-dump` into its tables, which are known by name and order, and leaves
 * out what is before and after them. The lines that it looks for are in no row: the dump escapes
 * line ends in values, and tables with line ends in names are not dumped by it.
 *
 * @throws Error when a table does not come, or the output ends within one
 */
export async function* splitTables(
  bytes: AsyncIterable<Buffer>,
  tables: readonly string[],
): AsyncGenerator<DumpedTable> {
  const cutter = makeCutter(bytes);
  const marks = [...tables.map(markOf), EPILOGUE];
  for await (const _before of cutter.upTo(marks[0]!));
  for (const [index, table] of tables.entries()) {
    yield { table, rows: cutter.upTo(marks[index + 1]!) };
  }
  await cutter.toEnd();
}

function markOf(table: string): string {
  return `\n--\n-- Dumping data for table ${quoteNameText(table)}\n--\n`;
}

type Cutter = {
  /** What comes before `mark`, which is taken out. */
  upTo(mark: string): AsyncGenerator<Buffer>;
  toEnd(): Promise<void>;
};

function makeCutter(bytes: AsyncIterable<Buffer>): Cutter {
  const chunks = bytes[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return {
    async *upTo(text) {
      const mark = Buffer.from(text);
      for (;;) {
        const at = rest.indexOf(mark);
        if (at !== -1) {
          const before = rest.subarray(0, at);
          rest = rest.subarray(at + mark.length);
          if (before.length > 0) yield before;
          return;
        }
        // The mark may lie across the border of two chunks.
        const sure = Math.max(0, rest.length - mark.length + 1);
        const before = rest.subarray(0, sure);
        const tail = rest.subarray(sure);
        if (before.length > 0) yield before;
        const { value, done } = await chunks.next();
        if (done === true) throw new Error('the dump ends before its last table does');
        rest = Buffer.concat([tail, value]);
      }
    },
    async toEnd() {
      // What checks the footer and the exit code is behind the last chunk.
      for (;;) if ((await chunks.next()).done === true) return;
    },
  };
}
