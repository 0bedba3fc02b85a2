/** Sends rows to a staging table, and names the values that only the server can refuse. */
import sql, { join } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import { literal } from '../database/literal.ts';
import { isRefusedValue, refusedPlace } from '../database/server-errors.ts';
import type { BoundEntity } from './bind.ts';
import type { Link } from './links.ts';
import type { Problems } from './problems.ts';
import { type StagedRow, shorten } from './row.ts';
import { stageOf } from './sql.ts';

// Far below the smallest max_allowed_packet in use (16 MiB), also when each byte is written as hex.
const MAX_STATEMENT_CHARS = 1_000_000;
// Each costs one more statement.
const MOST_REFUSED = 200;

/** A row that is to be staged. */
export type Item = {
  readonly index: number;
  readonly row: StagedRow;
  readonly links: readonly Link[];
};

/** One statement, and the rows that are in it. */
export type Part = { readonly text: string; readonly items: readonly Item[] };

/** Makes the statements that stage rows. Pure: the server may work on others meanwhile. */
export function makeParts(entity: BoundEntity, items: readonly Item[]): Part[] {
  return [...insertTexts(entity, items)];
}

/**
 * Stages rows; gives how many. A value that its column refuses (a date that does not exist, a
 * character that its character set has not) becomes a problem with file, place and key, and is
 * staged as NULL; in a key the whole row is left out.
 *
 * @throws DeployError `MASTERDATA_INVALID` when very many are refused.
 */
export async function insertParts(
  db: Db,
  entity: BoundEntity,
  parts: readonly Part[],
  problems: Problems,
): Promise<number> {
  let staged = 0;
  for (const part of parts) {
    staged += await insertPart(db, entity, part, problems);
  }
  return staged;
}

async function insertPart(
  db: Db,
  entity: BoundEntity,
  { text, items }: Part,
  problems: Problems,
): Promise<number> {
  try {
    await db.run(text);
    return items.length;
  } catch (error) {
    if (!isRefusedValue(error)) throw error;
    const place = refusedPlace(error);
    const field = entity.fields.findIndex(({ stage }) => stage === place?.column);
    const item = items[place?.row ?? -1];
    if (item === undefined || field === -1) throw error;
    problems.add(entity.entity.file, item.index, keyOf(entity, item), refusal(entity, item, field));
    if (problems.count > MOST_REFUSED) problems.throwIfAny();
    const rest = items.flatMap((one) => (one === item ? without(entity, item, field) : [one]));
    return insertParts(db, entity, makeParts(entity, rest), problems);
  }
}

function refusal({ fields }: BoundEntity, { row }: Item, field: number): string {
  const { field: declared, type } = fields[field]!;
  const value = shorten(row.values[field]);
  return `${declared.name}: ${value} is no value of a column ${type.columnType}${type.charset === null ? '' : ` of ${type.charset}`}`;
}

function keyOf({ entity, fields }: BoundEntity, { row }: Item): string {
  const places = entity.key.map((name) => fields.findIndex(({ field }) => field.name === name));
  return places.map((place) => shorten(row.values[place])).join(', ');
}

/** The row as it can be staged; none when its key cannot be. */
function without({ entity, fields }: BoundEntity, item: Item, field: number): Item[] {
  if (entity.key.includes(fields[field]!.field.name)) return [];
  const values = item.row.values.with(field, null);
  return [{ ...item, row: { ...item.row, values } }];
}

/** Texts of INSERT statements. They are built here: an Sql of that many values is many times slower. */
function* insertTexts(entity: BoundEntity, items: readonly Item[]): Generator<Part> {
  const given = items.some(({ row }) => row.absent !== '');
  // Most links are all of one kind: NULLs take as long as values.
  const linked = entity.references.flatMap(({ row, id }, at) => [
    ...(items.some(({ links }) => typeof links[at] === 'number')
      ? [{ column: row, at, kind: 'number' }]
      : []),
    ...(items.some(({ links }) => typeof links[at] === 'string')
      ? [{ column: id, at, kind: 'string' }]
      : []),
  ]);
  const columns = [
    'rn',
    ...(given ? ['absent'] : []),
    ...entity.fields.map(({ stage }) => stage),
    ...linked.map(({ column }) => column),
  ];
  const head = sql`INSERT INTO ${stageOf(entity)} (${join(columns.map(quoteName))}) VALUES `.sql;
  let text = '';
  let first = 0;
  for (const [place, { index, row, links }] of items.entries()) {
    text += text === '' ? `${head}(` : ',(';
    text += given ? `${index},'${row.absent}'` : `${index}`;
    for (const value of row.values) {
      text += value === undefined ? ',DEFAULT' : `,${literal(value)}`;
    }
    for (const { at, kind } of linked) {
      text += `,${literal(typeof links[at] === kind ? links[at] : null)}`;
    }
    text += ')';
    if (text.length < MAX_STATEMENT_CHARS) continue;
    yield { text, items: items.slice(first, place + 1) };
    text = '';
    first = place + 1;
  }
  if (text !== '') yield { text, items: items.slice(first) };
}
