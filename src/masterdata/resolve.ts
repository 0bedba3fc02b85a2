/** Which rows of the database staged rows are about, and which they refer to. Writes only to staging tables. */
import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName, quoteNameText } from '../database/identifier.ts';
import type { BoundEntity, BoundReference } from './bind.ts';
import {
  all,
  any,
  at,
  current,
  equal,
  idsOf,
  isAbsent,
  joinRefs,
  sameKey,
  stageOf,
  tableOf,
  writtenColumns,
} from './sql.ts';

/** What was met on the way, and has to be looked at. */
export type Resolved = {
  /** Some reference may mean several rows. */
  readonly ambiguous: boolean;
  /** Some key is that of several rows of the table. */
  readonly repeated: boolean;
};

/**
 * Finds the id of every staged row that is in the table already, whether it differs from it, and
 * the ids of the rows that it refers to. The entities that it refers to must be resolved before.
 */
export async function resolveStage(
  db: Db,
  entity: BoundEntity,
  { staged, hasAbsent }: { readonly staged: number; readonly hasAbsent: boolean },
): Promise<Resolved> {
  if (staged === 0) return { ambiguous: false, repeated: false };
  const referred = await resolveReferences(db, entity);
  const matched = await matchRows(db, entity);
  if (hasAbsent) {
    await keepReferences(db, entity);
    await markChanged(db, entity);
    await keepFields(db, entity);
  }
  const row = await db.one<{ n: string }>(
    sql`SELECT COUNT(*) AS n FROM ${idsOf(entity)} WHERE NOT exact`,
  );
  return { ambiguous: referred > staged, repeated: matched > Number(row?.n ?? 0) };
}

/** Sets the ids of rows that the table has by now; gives how many rows of it they are about. */
export async function matchRows(db: Db, entity: BoundEntity): Promise<number> {
  const { affectedRows } = await db.run(sql`
    INSERT INTO ${idsOf(entity)} (rn, id, changed)
    SELECT s.rn, ${at('t', entity.id.name)}, ${isChanged(entity)} FROM ${matchingRows(entity)}
    WHERE TRUE ON DUPLICATE KEY UPDATE rn = VALUES(rn)`);
  return affectedRows;
}

/** FROM: rows `t` of the table with the staged rows `s` that are about them. The table is read once. */
export function matchingRows(entity: BoundEntity): Sql {
  const on = sameKey(entity);
  const stage = stageOf(entity);
  if (entity.references.length === 0) {
    return sql`${tableOf(entity)} AS t STRAIGHT_JOIN ${stage} AS s ON ${on}`;
  }
  return entity.keyFields.length > 0
    ? sql`${tableOf(entity)} AS t STRAIGHT_JOIN (${stage} AS s ${joinRefs(entity)}) ON ${on}`
    : sql`${tableOf(entity)} AS t STRAIGHT_JOIN ${quoteName(entity.refs)} AS x
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

/** Condition: the row of the table that `ids` is joined to stays as it is, in the file or without it. */
export function stays({ entity }: BoundEntity, ids: string): Sql {
  const kept = entity.missing === 'keep' ? sql`${at(ids, 'rn')} IS NULL OR ` : empty;
  return sql`(${kept}${at(ids, 'exact')} <=> TRUE)`;
}

/** Finds what each staged row refers to: a staged row, or one of the table that stays as it is. */
async function resolveReferences(db: Db, entity: BoundEntity): Promise<number> {
  if (entity.references.length === 0) return 0;
  const parts = entity.references.map((one, index) => partsOf(one, index));
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

function partsOf(one: BoundReference, index: number) {
  const { parent, row, id, pairs, copies, reference } = one;
  const [p, m, t, q] = [`p${index}`, `m${index}`, `t${index}`, `q${index}`];
  const meant = refersToRow(one);
  const joins = sql`
    LEFT JOIN (${stageOf(parent)} AS ${raw(p)} LEFT JOIN ${idsOf(parent)} AS ${raw(m)} ON ${at(m, 'rn')} = ${at(p, 'rn')})
      ON ${sameAsStaged(one, p)} AND ${meant}
    LEFT JOIN (${tableOf(parent)} AS ${raw(t)}
        LEFT JOIN ${idsOf(parent)} AS ${raw(q)} ON ${at(q, 'id')} = ${at(t, parent.id.name)})
      ON ${sameAsStored(one, t)} AND ${meant} AND ${at(p, 'rn')} IS NULL AND ${stays(parent, q)}`;
  const found = sql`IF(${at(p, 'rn')} IS NULL, ${at(t, parent.id.name)}, ${at(m, 'id')})`;
  const { none } = reference;
  const isNone =
    none === null ? raw('FALSE') : sql`${at('s', pairs[0]!.own.stage)} <=> ${none.value}`;
  const columns = [
    { name: row, value: at(p, 'rn') },
    { name: id, value: none === null ? found : sql`IF(${isNone}, ${none.id}, ${found})` },
    ...copies.map(({ stage, other }) => ({
      name: stage,
      value: sql`IF(${at(p, 'rn')} IS NULL, ${current(parent, other, t)}, ${at(p, other.stage)})`,
    })),
  ];
  return { joins, columns };
}

function isChanged(entity: BoundEntity): Sql {
  return any(writtenColumns(entity).map(({ changed }) => changed));
}

async function markChanged(db: Db, entity: BoundEntity): Promise<void> {
  await db.run(sql`UPDATE ${idsOf(entity)} AS m
    STRAIGHT_JOIN ${stageOf(entity)} AS s ON s.rn = m.rn ${joinRefs(entity)}
    STRAIGHT_JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = m.id
    SET m.changed = ${isChanged(entity)}`);
}

/** A row of the file that lacks the fields of a reference keeps the one of the table. */
async function keepReferences(db: Db, entity: BoundEntity): Promise<void> {
  const refs = quoteName(entity.refs);
  for (const one of entity.references) {
    if (one.absent === null) continue;
    const { id, row, parent, reference, column, copies } = one;
    const staged = sql`${refs} AS x JOIN ${stageOf(entity)} AS s ON s.rn = x.rn AND ${isAbsent(one)}`;
    await db.run(sql`UPDATE ${staged} JOIN ${idsOf(entity)} AS m ON m.rn = s.rn
      JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = m.id
      SET ${at('x', id)} = ${at('t', column.name)}`);
    if (reference.none !== null) {
      await db.run(sql`UPDATE ${staged} LEFT JOIN ${idsOf(entity)} AS m ON m.rn = s.rn
        SET ${at('x', id)} = ${reference.none.id} WHERE m.rn IS NULL`);
    }
    const copied = copies.map(
      ({ stage, other }) => sql`${at('x', stage)} = ${current(parent, other, 'p')}`,
    );
    if (copied.length > 0) {
      await db.run(sql`UPDATE ${staged}
        JOIN ${tableOf(parent)} AS p ON ${at('p', parent.id.name)} = ${at('x', id)} SET ${join(copied)}`);
    }
    const fresh = copies.map(
      ({ stage, other }) => sql`${at('x', stage)} = ${at('p', other.stage)}`,
    );
    await db.run(sql`UPDATE ${staged} JOIN ${idsOf(parent)} AS q ON q.id = ${at('x', id)} AND NOT q.exact
      JOIN ${stageOf(parent)} AS p ON p.rn = q.rn SET ${join([sql`${at('x', row)} = q.rn`, ...fresh])}`);
  }
}

/** So that the checks see what a row will have, not only what its file says. */
async function keepFields(db: Db, entity: BoundEntity): Promise<void> {
  const changes = entity.fields.flatMap((one) => {
    if (one.absent === null) return [];
    const staged = at('s', one.stage);
    return [sql`${staged} = IF(${isAbsent(one)}, ${current(entity, one)}, ${staged})`];
  });
  if (changes.length === 0) return;
  await db.run(sql`UPDATE ${stageOf(entity)} AS s JOIN ${idsOf(entity)} AS m ON m.rn = s.rn
    JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = m.id
    SET ${join(changes)} WHERE s.absent <> ''`);
}

/** Sets the ids of rows that were new, where they are part of a key. */
export async function refreshReferences(db: Db, entity: BoundEntity): Promise<void> {
  for (const { parent, row, id, inKey } of entity.references) {
    if (!inKey) continue;
    await db.run(sql`UPDATE ${quoteName(entity.refs)} AS x
      STRAIGHT_JOIN ${idsOf(parent)} AS n ON n.rn = ${at('x', row)}
      SET ${at('x', id)} = n.id WHERE ${at('x', id)} IS NULL`);
  }
}

/** LEFT JOIN: the ids of referenced rows that were new when the reference was resolved. */
export function joinNewIds(entity: BoundEntity): Sql {
  if (entity.references.length === 0) return empty;
  const joins = entity.references.map(({ parent, row }, index) => {
    const name = newIds(index);
    return sql`LEFT JOIN ${idsOf(parent)} AS ${raw(quoteNameText(name))} ON ${at(name, 'rn')} = ${at('x', row)}`;
  });
  return join(joins, ' ');
}

/** Alias of the ids that `joinNewIds` joins for the reference at a place. */
export function newIds(index: number): string {
  return `n${index}`;
}
