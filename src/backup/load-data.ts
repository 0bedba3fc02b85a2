/**
 * The rows that `mariadb-dump` wrote, as LOAD DATA reads them: a row on a line of its own is the
 * same text in both, and the server has less to do than with INSERT. Pure, but for what is read.
 *
 * LOCAL turns every error into a warning and leaves the row out, so whoever uses this must look at
 * the number of warnings and of rows, and have another way.
 */
import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { LOADING_SESSION } from './structure-file.ts';

/** A column as far as it decides how a table can be loaded. */
export type LoadedColumn = {
  readonly name: string;
  /** DATA_TYPE, e.g. `varchar`. */
  readonly dataType: string;
  readonly charset: string | null;
  /** The server makes its value, or numbers its rows. */
  readonly makes: 'nothing' | 'value' | 'number';
};

/** The columns of all tables of the connection's schema, by table. */
export async function readLoadedColumns(db: Db): Promise<Map<string, LoadedColumn[]>> {
  const rows = await db.query<{ tableName: string; generated: string; extra: string } & Named>(`
    SELECT table_name AS tableName, column_name AS name, LOWER(data_type) AS dataType,
      character_set_name AS charset, is_generated AS generated, LOWER(extra) AS extra
    FROM information_schema.columns WHERE table_schema = DATABASE()
    ORDER BY table_name, ordinal_position`);
  const columns = rows.map(({ tableName, generated, extra, ...rest }) => {
    const counts = extra.includes('auto_increment') ? 'number' : 'nothing';
    const makes: LoadedColumn['makes'] = generated === 'ALWAYS' ? 'value' : counts;
    return { tableName, ...rest, makes };
  });
  return Map.groupBy(columns, ({ tableName }) => tableName);
}

type Named = Pick<LoadedColumn, 'name' | 'dataType' | 'charset'>;

/**
 * Types whose values LOAD DATA takes as the dump writes them: each was tried with its extremes (a
 * test does so). Others are not loaded in this way: `b` as digits is not the bits of a BIT, and the
 * dump writes no FLOAT.
 */
const PLAIN = new Set(
  [
    'tinyint smallint mediumint int bigint decimal double year date time datetime timestamp',
    'char varchar tinytext text mediumtext longtext enum set uuid inet4 inet6',
  ]
    .join(' ')
    .split(' '),
);

/** Written as 0x… without quotes, or as '' when there is no byte. */
const HEX = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob']);

/** Exported for the test that tries them all. */
export const LOADED_TYPES: ReadonlySet<string> = PLAIN.union(HEX);

/** Of these the text of the dump, utf8mb4, has the very bytes that are stored. */
const AS_STORED = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii']);

/** Bytes without a character set would be their stored form, not their text. */
const READ_AS_TEXT = new Set(['uuid', 'inet4', 'inet6']);

/** The LOAD DATA statement for rows of a table, or null when INSERT is the way for it. */
export function loadStatement(table: string, columns: readonly LoadedColumn[]): string | null {
  const isLoadable = ({ dataType, makes }: LoadedColumn) =>
    makes !== 'value' && LOADED_TYPES.has(dataType);
  if (columns.length === 0 || !columns.every(isLoadable)) return null;
  // It spares the server to look for the end of each character.
  const isAsStored = ({ charset, dataType }: LoadedColumn) =>
    charset === null ? !READ_AS_TEXT.has(dataType) : AS_STORED.has(charset);
  const charset = columns.every(isAsStored) ? 'binary' : 'utf8mb4';
  const hasHex = columns.some(({ dataType }) => HEX.has(dataType));
  const sets: string[] = [];
  const fields = columns.map(({ name, dataType, makes }, index) => {
    const column = quoteNameText(name);
    const value = `@deploy_${index}`;
    if (HEX.has(dataType)) sets.push(`${column}=UNHEX(SUBSTR(${value},3))`);
    // MariaDB: with a SET list the server numbers a row whose 0 is not in that list.
    else if (hasHex && makes === 'number') sets.push(`${column}=${value}`);
    else return column;
    return value;
  });
  const set = sets.length === 0 ? '' : ` SET ${sets.join(',')}`;
  return `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${quoteNameText(table)} CHARACTER SET ${charset}
 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\\'' ESCAPED BY '\\\\'
 LINES STARTING BY '(' TERMINATED BY '),\\n' (${fields.join(',')})${set}`;
}

/** The text of a file is another one than this program has its tables dumped in. */
export class UnexpectedText extends Error {}

/** Between the rows of two statements. */
export const NEXT_STATEMENT = Symbol('next statement');

/** The dump escapes line ends in values, so this is in no row. */
const STATEMENT_END = Buffer.from(';\n');
const [SEMICOLON, NEWLINE] = STATEMENT_END as unknown as readonly [number, number];
const COMMA = 0x2c;
const COMMENT = Buffer.from('--');

/**
 * The rows of a file of one table, each as `(…),` and a line end, whatever statements they are in:
 * only what is between two statements is looked at. Changes the chunks.
 *
 * @throws UnexpectedText when there is something else in it
 */
export async function* readRowTexts(
  chunks: AsyncIterable<Buffer>,
  table: string,
): AsyncGenerator<Buffer | typeof NEXT_STATEMENT> {
  const known = {
    head: Buffer.from(`INSERT INTO ${quoteNameText(table)} VALUES\n`),
    session: LOADING_SESSION.map((statement) => Buffer.from(`${statement};\n`)),
  };
  let rest: Buffer = Buffer.alloc(0);
  let isInRows = false;
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (!isInRows) {
        const { at, isHead } = afterPrologue(rest, known);
        rest = rest.subarray(at);
        if (!isHead) break;
        isInRows = true;
      }
      const end = rest.indexOf(STATEMENT_END);
      if (end === -1) {
        const sure = rest.at(-1) === SEMICOLON ? rest.length - 1 : rest.length;
        if (sure > 0) yield rest.subarray(0, sure);
        rest = rest.subarray(sure);
        break;
      }
      // The last row of a statement now ends as the others do.
      rest[end] = COMMA;
      yield rest.subarray(0, end + STATEMENT_END.length);
      yield NEXT_STATEMENT;
      rest = rest.subarray(end + STATEMENT_END.length);
      isInRows = false;
    }
  }
  if (isInRows || rest.length > 0) throw new UnexpectedText('the file ends within a statement');
}

/** Where the head of the next statement ends, or the text that is not whole yet begins. Pure. */
function afterPrologue(
  text: Buffer,
  { head, session }: { readonly head: Buffer; readonly session: readonly Buffer[] },
): { readonly at: number; readonly isHead: boolean } {
  const begins = (at: number, what: Buffer) =>
    text.subarray(at, at + what.length).equals(what.subarray(0, text.length - at));
  for (let at = 0; at < text.length; ) {
    const known = [head, ...session].find((each) => begins(at, each));
    const isComment = begins(at, COMMENT);
    if (text[at] === NEWLINE) at++;
    else if (isComment) {
      const end = text.indexOf(NEWLINE, at);
      if (end === -1) return { at, isHead: false };
      at = end + 1;
    } else if (known === undefined) throw new UnexpectedText('something else than rows');
    else if (at + known.length > text.length) return { at, isHead: false };
    else if (known === head) return { at: at + head.length, isHead: true };
    else at += known.length;
  }
  return { at: text.length, isHead: false };
}
