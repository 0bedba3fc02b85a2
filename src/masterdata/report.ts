/** What a sync does, or would do: counts for every entity, and the first rows of each kind. */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity } from './bind.ts';
import { shorten } from './row.ts';
import { selectFields } from './select.ts';
import { at, idsOf, restRows, stagedRows, tableOf, writtenColumns } from './sql.ts';
import type { Staged } from './stage.ts';

export type Change = {
  readonly kind: 'inserted' | 'updated' | 'deleted';
  /** Natural key as text. */
  readonly key: string;
  /** Primary key; null for a row that is new. */
  readonly id: string | null;
  /** Of an updated row what was and what is there, by field; long values are cut. */
  readonly fields: Readonly<Record<string, { readonly old: string; readonly new: string }>>;
};

export type EntityReport = {
  readonly entity: string;
  readonly table: string;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** The first ones of each kind. */
  readonly changes: readonly Change[];
};

/** In the order in which the entities are written. */
export type SyncReport = {
  /** Of the set that was synced; null when only its files were opened. */
  readonly digest: string | null;
  readonly entities: readonly EntityReport[];
};

// Rows of each kind that a report lists for an entity.
const MOST_CHANGES = 50;
const MOST_CHARS = 200;

/** True when some row would be inserted, updated or deleted. Pure. */
export function hasChanges({ entities }: Pick<SyncReport, 'entities'>): boolean {
  return entities.some(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
}

/** Says what is to be done with the rows of an entity. Reads only. */
export async function reportEntity(
  db: Db,
  entity: BoundEntity,
  { exact, staged }: Pick<Staged, 'exact' | 'staged'>,
): Promise<EntityReport> {
  const ids = await db.one<Record<'matched' | 'changed', string | null>>(sql`
    SELECT COUNT(*) AS matched, SUM(changed) AS changed FROM ${idsOf(entity)}`);
  const updated = Number(ids?.changed ?? 0);
  const matched = Number(ids?.matched ?? 0);
  const inserted = staged - matched;
  const deleted = entity.entity.missing === 'delete' ? await countGone(db, entity) : 0;
  const changes = [
    ...(inserted > 0 ? await listInserted(db, entity) : []),
    ...(updated > 0 ? await listUpdated(db, entity) : []),
    ...(deleted > 0 ? await listDeleted(db, entity) : []),
  ];
  return {
    ...{ entity: entity.entity.name, table: entity.table.name },
    ...{ inserted, updated, deleted, changes },
    unchanged: exact + matched - updated,
  };
}

/** FROM: rows `t` of the table that the file does not have just so; those without `m` it has not at all. */
export function goneRows(entity: BoundEntity): Sql {
  return sql`FROM ${restRows(entity)}
    LEFT JOIN ${idsOf(entity)} AS m ON m.id = ${at('t', entity.id.name)}`;
}

async function countGone(db: Db, entity: BoundEntity): Promise<number> {
  const row = await db.one<{ n: string }>(
    sql`SELECT COUNT(*) AS n ${goneRows(entity)} WHERE m.rn IS NULL`,
  );
  return Number(row?.n ?? 0);
}

async function listInserted(db: Db, entity: BoundEntity): Promise<Change[]> {
  const columns = entity.fields.map(({ stage }) => at('s', stage));
  const rows = await db.query(sql`SELECT ${join(columns)} FROM ${stagedRows(entity)}
    WHERE m.rn IS NULL ORDER BY s.rn LIMIT ${MOST_CHANGES}`);
  return rows.map((row) => {
    const key = keyOf(entity, (index) => row[entity.fields[index]!.stage]);
    return { kind: 'inserted', key, id: null, fields: {} };
  });
}

async function listDeleted(db: Db, entity: BoundEntity): Promise<Change[]> {
  const { values, joins } = selectFields(entity);
  const id = at('t', entity.id.name);
  const rows = await db.query(sql`SELECT ${id} AS id, ${join(values.map(named('old')))}
    ${goneRows(entity)} ${joins} WHERE m.rn IS NULL ORDER BY ${id} LIMIT ${MOST_CHANGES}`);
  return rows.map((row) => {
    const key = keyOf(entity, (index) => row[`old${index}`]);
    return { kind: 'deleted', key, id: String(row['id']), fields: {} };
  });
}

async function listUpdated(db: Db, entity: BoundEntity): Promise<Change[]> {
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
  const rows = await db.query(sql`SELECT m.id AS id, ${join(columns)}
    FROM ${stagedRows(entity)} JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = m.id ${joins}
    WHERE m.changed ORDER BY s.rn LIMIT ${MOST_CHANGES}`);
  return rows.map((row) => ({
    kind: 'updated',
    key: keyOf(entity, (index) => row[`new${index}`]),
    id: String(row['id']),
    fields: Object.fromEntries(
      shown.flatMap(({ name }, index) => {
        const [old, fresh] = [row[`old${index}`], row[`new${index}`]];
        if (old === fresh || (old !== null && fresh !== null && String(old) === String(fresh)))
          return [];
        return [[name, { old: shorten(old, MOST_CHARS), new: shorten(fresh, MOST_CHARS) }]];
      }),
    ),
  }));
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
