/** What each column adds to the text of a row whose SHA-1 is summed up (`value-hash.ts`). Pure. */
import { quoteNameText } from './identifier.ts';

/** A column as `information_schema.columns` describes it. */
export type HashColumn = {
  readonly name: string;
  /** DATA_TYPE, e.g. `varchar`; `row end` for the end of a version of a row. */
  readonly dataType: string;
  readonly nullable: boolean;
  /** CHARACTER_OCTET_LENGTH of a string or binary column, else null. */
  readonly maxBytes: number | null;
};

/** The texts of a row's columns, in their order. */
export function columnTexts(columns: readonly HashColumn[]): string[] {
  const digestLong = inlineBytes(columns) > MAX_INLINE_ROW;
  return columns.map((column) => columnText(column, digestLong));
}

/** A row whose strings together can be longer than this has those that can be long hashed one by one. */
const MAX_INLINE_ROW = 512 * 1024;
const MAX_INLINE_COLUMN = 65_535;
const ALWAYS_INLINE = 255;

function inlineBytes(columns: readonly HashColumn[]): number {
  return columns
    .map(({ maxBytes }) => maxBytes ?? 0)
    .filter((bytes) => bytes <= MAX_INLINE_COLUMN)
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** What a column adds to the text of its row. 'N' stands for NULL: no other value gives it. */
function columnText(column: HashColumn, digestLong: boolean): string {
  const text = valueText(column, digestLong);
  return column.nullable ? `IFNULL(${text},'N')` : text;
}

function valueText({ name, dataType, maxBytes }: HashColumn, digestLong: boolean): string {
  const column = quoteNameText(name);
  const kind = KINDS[dataType] ?? 'digest';
  switch (kind) {
    case 'plain':
      return column;
    case 'float':
      // A FLOAT as text loses digits; CAST shows all of them. -0 = 0 is true.
      return `IF(${column}=0,0,CAST(${column} AS DOUBLE))`;
    case 'bits':
      return `CAST(${column} AS UNSIGNED)`;
    case 'number of label':
      // `+ 0` would be a DOUBLE, which has not the 64 bits of a SET.
      return `CAST(${column} AS UNSIGNED)`;
    case 'row end':
      // The end of what is still current is another time in MariaDB 11.5 and later.
      return `IF(${column}>'2038-01-19 03:14:07.9','now',${column})`;
    case 'digest':
      return `MD5(${column})`;
    case 'text':
    case 'bytes': {
      const limit = digestLong ? ALWAYS_INLINE : MAX_INLINE_COLUMN;
      if ((maxBytes ?? 0) > limit) return `MD5(${column})`;
      const bytes = kind === 'text' ? `CAST(${column} AS BINARY)` : column;
      // The length first: ('ab','c') and ('a','bc') must not give one text.
      return `CONCAT(OCTET_LENGTH(${column}),':',${bytes})`;
    }
  }
}

type Kind =
  | 'plain'
  | 'row end'
  | 'float'
  | 'bits'
  | 'number of label'
  | 'text'
  | 'bytes'
  | 'digest';

/** By DATA_TYPE. Anything else (geometry, types of later servers) is digested. */
const KINDS: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    [
      'tinyint smallint mediumint int bigint decimal year',
      'date time datetime timestamp inet4 inet6 uuid',
    ]
      .join(' ')
      .split(' ')
      .map((type) => [type, 'plain' as const]),
  ),
  'row end': 'row end',
  float: 'float',
  double: 'float',
  bit: 'bits',
  enum: 'number of label',
  set: 'number of label',
  char: 'text',
  varchar: 'text',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  binary: 'bytes',
  varbinary: 'bytes',
  tinyblob: 'bytes',
  blob: 'bytes',
  mediumblob: 'bytes',
  longblob: 'bytes',
};
