/** The rows that a sync changes, each with what the database had: in a report, and in full for whoever keeps it. */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity } from './bind.ts';
import { shorten } from './row.ts';
import { selectFields } from './select.ts';
import { at, goneRows, stagedRows, tableOf, writtenColumns } from './sql.ts';

/** What was and what is there; null is NULL. Of a row that goes nothing is there. */
export type FieldChange = { readonly old: string | null; readonly new: string | null };

export type Change = {
  readonly kind: 'inserted' | 'updated' | 'deleted';
  /** Natural key as text. */
  readonly key: string;
  /** Primary key; null for a row that is new. */
  readonly id: string | null;
  /** Of an updated row the fields that differ, of a deleted one all columns; none of a new one. */
  readonly fields: Readonly<Record<string, FieldChange>>;
};

/** Takes every updated and deleted row in full, before it is written. */
export type ChangeSink = (entity: string, change: Change) => Promise<void>;

/** How much of the changes of one sync goes into its report. */
export type Listing = {
  /** Characters of values that are still listed in full. */
  left: number;
  readonly sink: ChangeSink | null;
};

// The report is held in memory and stored in one row of the database.
const MOST_LISTED_CHARS = 1 << 18;
// Of each kind these are listed anyway, then with values that are cut.
const MOST_CUT = 50;
const MOST_CUT_CHARS = 200;

/** Makes the listing of one sync; `sink` is null where nobody keeps the rest. */
export function makeListing(sink: ChangeSink | null): Listing {
  return { left: MOST_LISTED_CHARS, sink };
}

/** Keys of the first new rows: production had nothing of them. */
export async function listInserted(db: Db, entity: BoundEntity): Promise<Change[]> {
  const columns = entity.fields.map(({ stage }) => at('s', stage));
  const rows = await db.query(sql`SELECT ${join(columns)} FROM ${stagedRows(entity)}
    WHERE m.rn IS NULL ORDER BY s.rn LIMIT ${MOST_CUT}`);
  return rows.map((row) => {
    const key = keyOf(entity, (index) => row[entity.fields[index]!.stage]);
    return { kind: 'inserted', key, id: null, fields: {} };
  });
}

/** Rows that go, with all that they have: also columns that no field has. */
export async function listDeleted(
  db: Db,
  entity: BoundEntity,
  listing: Listing,
): Promise<Change[]> {
  const { values, joins } = selectFields(entity);
  const known = new Set([
    entity.id.name,
    ...entity.fields.map(({ field }) => field.column),
    ...entity.references.map(({ column }) => column.name),
  ]);
  const others = [...entity.table.columns.keys()].filter((name) => !known.has(name));
  const shown = [
    ...entity.fields.map(({ field }, index) => ({ name: field.name, value: values[index]! })),
    ...others.map((name) => ({ name, value: at('t', name) })),
  ];
  const id = at('t', entity.id.name);
  const columns = shown.map(({ value }, index) => named('old')(value, index));
  const rows = db.stream<Row>(sql`SELECT ${id} AS id, ${join(columns)}
    ${goneRows(entity)} ${joins} WHERE m.rn IS NULL ORDER BY ${id}`);
  return list(entity, rows, listing, (row) => ({
    ...{ kind: 'deleted', id: String(row['id']) },
    key: keyOf(entity, (index) => row[`old${index}`]),
    fields: Object.fromEntries(
      shown.map(({ name }, index) => [name, { old: textOf(row[`old${index}`]), new: null }]),
    ),
  }));
}

/** Rows that differ, with the fields that do. */
export async function listUpdated(
  db: Db,
  entity: BoundEntity,
  listing: Listing,
): Promise<Change[]> {
  const { values, joins } = selectFields(entity);
  const fields = entity.fields.map(({ field, stage }, index) => ({
    ...{ name: field.name, old: values[index]!, new: at('s', stage) },
  }));
  // Columns that no field has: ids of game systems, and copies.
  const hidden = writtenColumns(entity)
    .filter(({ column }) => !entity.fields.some(({ field }) => field.column === column))
    .filter(({ column }) => !entity.references.some((one) => one.column.name === column))
    .map(({ column, staged }) => ({ name: column, old: at('t', column), new: staged }));
  const shown = [...fields, ...hidden];
  const columns = shown.flatMap((one, index) => [
    named('old')(one.old, index),
    named('new')(one.new, index),
  ]);
  const rows = db.stream<Row>(sql`SELECT m.id AS id, ${join(columns)}
    FROM ${stagedRows(entity)} JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = m.id ${joins}
    WHERE m.changed ORDER BY s.rn`);
  return list(entity, rows, listing, (row) => ({
    ...{ kind: 'updated', id: String(row['id']) },
    key: keyOf(entity, (index) => row[`new${index}`]),
    fields: Object.fromEntries(
      shown.flatMap(({ name }, index) => {
        const [old, fresh] = [textOf(row[`old${index}`]), textOf(row[`new${index}`])];
        return old === fresh ? [] : [[name, { old, new: fresh }]];
      }),
    ),
  }));
}

type Row = Readonly<Record<string, unknown>>;

/** Gives every row to the sink, and lists what a report can take. */
async function list(
  { entity }: BoundEntity,
  rows: AsyncIterable<Row>,
  listing: Listing,
  changeOf: (row: Row) => Change,
): Promise<Change[]> {
  const listed: Change[] = [];
  for await (const row of rows) {
    const change = changeOf(row);
    await listing.sink?.(entity.name, change);
    const size = sizeOf(change);
    if (size <= listing.left) {
      listing.left -= size;
      listed.push(change);
    } else if (listed.length < MOST_CUT) listed.push(cut(change));
  }
  return listed;
}

function sizeOf({ key, fields }: Change): number {
  return Object.entries(fields).reduce(
    (sum, [name, one]) => sum + name.length + (one.old?.length ?? 0) + (one.new?.length ?? 0),
    key.length,
  );
}

function cut(change: Change): Change {
  const fields = Object.entries(change.fields).map(([name, one]) => [
    name,
    cutFieldChange(one, MOST_CUT_CHARS),
  ]);
  return { ...change, fields: Object.fromEntries(fields) };
}

/** Cuts both values to what is around their first difference. Pure. */
export function cutFieldChange(one: FieldChange, most: number): FieldChange {
  const [old, fresh] = [[...(one.old ?? '')], [...(one.new ?? '')]];
  const differs = old.findIndex((char, at) => char !== fresh[at]);
  const first = one.new === null ? 0 : differs === -1 ? old.length : differs;
  // Some of what is before it, so that the place can be recognised.
  const from = Math.max(0, first - Math.floor(most / 4));
  const part = (chars: readonly string[], value: string | null) => {
    if (value === null || chars.length <= most) return value;
    const begin = Math.min(from, chars.length - most);
    const end = begin + most;
    const text = chars.slice(begin, end).join('');
    return `${begin > 0 ? '…' : ''}${text}${end < chars.length ? '…' : ''}`;
  };
  return { old: part(old, one.old), new: part(fresh, one.new) };
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return Buffer.isBuffer(value) ? `0x${value.toString('hex')}` : String(value);
}

function named(prefix: string): (value: Sql, index: number) => Sql {
  return (value, index) => sql`${value} AS ${raw(`${prefix}${index}`)}`;
}

function keyOf(entity: BoundEntity, value: (index: number) => unknown): string {
  const indexes = entity.entity.key.map((name) =>
    entity.fields.findIndex(({ field }) => field.name === name),
  );
  return indexes.map((index) => shorten(value(index))).join(', ');
}
