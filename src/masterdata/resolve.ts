/** Which rows of the database staged rows are about, and which they refer to. Writes only to staging tables. */
import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName, quoteNameText } from '../database/identifier.ts';
import type { BoundEntity, BoundReference } from './bind.ts';
import { keepAbsent } from './keep.ts';
import { copiesKey } from './links.ts';
import {
  all,
  any,
  at,
  current,
  equal,
  idsOf,
  isAbsent,
  isChanged,
  isNone,
  joinRefs,
  restOf,
  restRows,
  sameKey,
  stageOf,
  tableOf,
} from './sql.ts';
import type { Staged } from './stage.ts';
import { createRefs } from './stage-tables.ts';

/** What was met on the way, and has to be looked at. */
export type Resolved = {
  /** Some reference may mean several rows. */
  readonly ambiguous: boolean;
  /** Some key is that of several rows of the table. */
  readonly repeated: boolean;
  /** Staged rows that the table does not have. */
  readonly fresh: number;
};

/**
 * Finds the id of every staged row that is in the table already, whether it differs from it, and
 * the ids of the rows that it refers to. The entities that it refers to must be resolved before.
 */
export async function resolveStage(
  db: Db,
  entity: BoundEntity,
  { staged, hasAbsent, linked }: Pick<Staged, 'staged' | 'hasAbsent' | 'linked'>,
): Promise<Resolved> {
  if (staged === 0) return { ambiguous: false, repeated: false, fresh: 0 };
  const referred = await resolveReferences(db, entity, staged, linked, hasAbsent);
  const matched = await matchRows(db, entity);
  if (hasAbsent) {
    await keepAbsent(db, entity);
  }
  const row = await db.one<{ n: string }>(sql`SELECT COUNT(*) AS n FROM ${idsOf(entity)}`);
  const met = Number(row?.n ?? 0);
  return { ambiguous: referred > staged, repeated: matched > met, fresh: staged - met };
}

/**
 * Sets the ids of staged rows that the table has; gives how many rows of it they are about. Rows
 * that the file has just so are not looked at: check-exact.ts finds those with the same key.
 */
async function matchRows(db: Db, entity: BoundEntity): Promise<number> {
  const { affectedRows } = await db.run(sql`
    INSERT INTO ${idsOf(entity)} (rn, id, changed)
    SELECT s.rn, ${at('t', entity.id.name)}, ${isChanged(entity)}
    FROM ${matchingRows(entity, restRows(entity))}
    WHERE TRUE ON DUPLICATE KEY UPDATE rn = VALUES(rn)`);
  return affectedRows;
}

/**
 * Sets the ids of the staged rows that were inserted. By the natural key: which ids the server
 * gave to which row of one statement is not promised.
 */
export async function matchInserted(db: Db, entity: BoundEntity): Promise<void> {
  await db.run(sql`INSERT INTO ${idsOf(entity)} (rn, id)
    SELECT s.rn, ${at('t', entity.id.name)} FROM ${sameRows(entity)}
    LEFT JOIN ${idsOf(entity)} AS m ON m.rn = s.rn WHERE m.rn IS NULL`);
}

/** FROM: rows `t` of the table with the staged rows `s` that have their key. */
function sameRows(entity: BoundEntity): Sql {
  // Without a reference in the key nobody has to look at those of each row.
  return entity.references.some(({ inKey }) => inKey)
    ? matchingRows(entity)
    : sql`${tableOf(entity)} AS t STRAIGHT_JOIN ${stageOf(entity)} AS s ON ${sameKey(entity)}`;
}

/** FROM: rows `t` of the table with the staged rows `s` that are about them. The table is read once. */
export function matchingRows(entity: BoundEntity, rows?: Sql): Sql {
  const on = sameKey(entity);
  const stage = stageOf(entity);
  const from = rows ?? sql`${tableOf(entity)} AS t`;
  if (entity.references.length === 0) return sql`${from} STRAIGHT_JOIN ${stage} AS s ON ${on}`;
  return entity.keyFields.length > 0
    ? sql`${from} STRAIGHT_JOIN (${stage} AS s ${joinRefs(entity)}) ON ${on}`
    : sql`${from} STRAIGHT_JOIN ${quoteName(entity.refs)} AS x
        STRAIGHT_JOIN ${stage} AS s ON s.rn = x.rn AND ${on}`;
}

/** True for a staged row that refers to a row by its fields: not to nothing, and not absent. */
export function refersToRow(one: BoundReference): Sql {
  const { pairs, reference } = one;
  const given = any(pairs.map(({ own }) => sql`${at('s', own.stage)} IS NOT NULL`));
  return all([
    sql`(${given})`,
    ...(one.absent === null ? [] : [sql`NOT ${isAbsent(one)}`]),
    ...(reference.none === null
      ? []
      : [sql`NOT (${at('s', pairs[0]!.own.stage)} <=> ${reference.none.value})`]),
  ]);
}

/** ON: the staged row of the parent that the fields of a reference mean. */
export function sameAsStaged({ pairs }: BoundReference, alias = 'p'): Sql {
  return all(
    pairs.map(({ own, other }) => equal(at(alias, other.stage), at('s', own.stage), other.type)),
  );
}

/** ON: the row of the parent's table that the fields of a reference mean. */
export function sameAsStored({ pairs, parent }: BoundReference, alias = 't'): Sql {
  return all(
    pairs.map(({ own, other }) =>
      equal(current(parent, other, alias), at('s', own.stage), other.type),
    ),
  );
}

/** LEFT JOIN and condition: the row of the table with an id stays as it is, in the file or without it. */
export function keptJoin(entity: BoundEntity, id: Sql, alias: string): { join: Sql; stays: Sql } {
  const others = entity.entity.missing === 'keep' ? idsOf(entity) : restOf(entity);
  return {
    join: sql`LEFT JOIN ${others} AS ${raw(alias)} ON ${at(alias, 'id')} = ${id}`,
    stays: sql`${at(alias, 'id')} IS NULL`,
  };
}

/** Finds what each staged row refers to: a staged row, or one of the table that stays as it is. */
async function resolveReferences(
  db: Db,
  entity: BoundEntity,
  staged: number,
  linked: readonly boolean[],
  hasAbsent: boolean,
): Promise<number> {
  if (entity.references.length === 0) return 0;
  const isLinked = entity.references.map((one, index) => linked[index]! && copiesKey(one));
  // What a row does not say is filled in later: the staging table keeps what the file says.
  if (isLinked.every(Boolean) && !hasAbsent) {
    for (const one of entity.references) await setIds(db, entity, one);
    return staged;
  }
  await createRefs(db, entity);
  const parts = entity.references.map((one, index) =>
    isLinked[index]! ? linkedParts(one, index) : searchedParts(one, index),
  );
  const columns = parts.flatMap((part) => part.columns);
  const { affectedRows } = await db.run(sql`
    INSERT INTO ${quoteName(entity.refs)} (rn, ${join(columns.map(({ name }) => quoteName(name)))})
    SELECT s.rn, ${join(columns.map(({ value }) => value))}
    FROM ${stageOf(entity)} AS s ${join(
      parts.map((part) => part.joins),
      ' ',
    )}
    ON DUPLICATE KEY UPDATE rn = VALUES(rn)`);
  return affectedRows;
}

/** What a reference means, found by its fields under the collation of those of the parent. */
function searchedParts(one: BoundReference, index: number) {
  const { parent, row, id, copies, reference } = one;
  const [p, m, t] = [`p${index}`, `m${index}`, `t${index}`];
  const meant = refersToRow(one);
  const kept = keptJoin(parent, at(t, parent.id.name), `q${index}`);
  const joins = sql`
    LEFT JOIN (${stageOf(parent)} AS ${raw(p)} LEFT JOIN ${idsOf(parent)} AS ${raw(m)} ON ${at(m, 'rn')} = ${at(p, 'rn')})
      ON ${sameAsStaged(one, p)} AND ${meant}
    LEFT JOIN (${tableOf(parent)} AS ${raw(t)} ${kept.join})
      ON ${sameAsStored(one, t)} AND ${meant} AND ${at(p, 'rn')} IS NULL AND ${kept.stays}`;
  const found = sql`IF(${at(p, 'rn')} IS NULL, ${at(t, parent.id.name)}, ${at(m, 'id')})`;
  const { none } = reference;
  const columns = [
    { name: row, value: at(p, 'rn') },
    { name: id, value: none === null ? found : sql`IF(${isNone(one, 's')}, ${none.id}, ${found})` },
    ...copies.map(({ stage, other }) => ({
      name: stage,
      value: sql`IF(${at(p, 'rn')} IS NULL, ${current(parent, other, t)}, ${at(p, other.stage)})`,
    })),
  ];
  return { joins, columns };
}

/** What a reference means by its link: only the id of a staged row is left to be found. */
function linkedParts(one: BoundReference, index: number) {
  const { parent, row, id, pairs, copies } = one;
  const [linkedRow, linkedId] = [at('s', row), at('s', id)];
  const m = `m${index}`;
  const isNothing = sql`(${isNone(one, 's')} OR (${linkedRow} IS NULL AND ${linkedId} IS NULL))`;
  const columns = [
    { name: row, value: linkedRow },
    { name: id, value: sql`IF(${linkedRow} IS NULL, ${linkedId}, ${at(m, 'id')})` },
    ...copies.map(({ stage, other }) => {
      // The row has the parent's key byte by byte.
      const own = pairs.find((pair) => pair.other === other)!.own;
      return { name: stage, value: sql`IF(${isNothing}, NULL, ${at('s', own.stage)})` };
    }),
  ];
  return {
    joins: sql`LEFT JOIN ${idsOf(parent)} AS ${raw(m)} ON ${at(m, 'rn')} = ${linkedRow}`,
    columns,
  };
}

/** Sets the ids of rows that were new, where they are part of a key. */
export async function refreshReferences(db: Db, entity: BoundEntity): Promise<void> {
  for (const one of entity.references) if (one.inKey) await setIds(db, entity, one);
}

/** True when the table has some of the staged rows. */
export async function hasIds(db: Db, entity: BoundEntity): Promise<boolean> {
  return (await db.one(sql`SELECT 1 FROM ${idsOf(entity)} LIMIT 1`)) !== undefined;
}

/** Sets the ids of the staged rows that are referred to, as far as they have one. */
async function setIds(db: Db, entity: BoundEntity, one: BoundReference): Promise<void> {
  const { parent, row, id } = one;
  // A look at each row of the file would find none.
  if (!(await hasIds(db, parent))) return;
  await db.run(sql`UPDATE ${quoteName(entity.refs)} AS x
    STRAIGHT_JOIN ${idsOf(parent)} AS n ON n.rn = ${at('x', row)}
    SET ${at('x', id)} = n.id WHERE ${at('x', id)} IS NULL`);
}

/** LEFT JOIN: the ids of referenced rows that were new when the reference was resolved. */
export function joinNewIds(entity: BoundEntity, refs = 'x'): Sql {
  if (entity.references.length === 0) return empty;
  const joins = entity.references.map(({ parent, row }, index) => {
    const name = newIds(index);
    return sql`LEFT JOIN ${idsOf(parent)} AS ${raw(quoteNameText(name))} ON ${at(name, 'rn')} = ${at(refs, row)}`;
  });
  return join(joins, ' ');
}

/** Alias of the ids that `joinNewIds` joins for the reference at a place. */
export function newIds(index: number): string {
  return `n${index}`;
}
