/** Which rows of the database staged rows are about, and which they refer to. Writes only to staging tables. */
import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity, BoundReference } from './bind.ts';
import { all, any, at, current, equal, sameKey, stageOf, tableOf } from './sql.ts';

/**
 * Finds the id of every staged row that is in the table already, and of every row that it refers
 * to. The entities that it refers to must be resolved before.
 */
export async function resolveStage(db: Db, entity: BoundEntity): Promise<void> {
  for (const reference of entity.references) await resolveReference(db, entity, reference);
  await matchRows(db, entity);
  await keepAbsent(db, entity);
  for (const reference of entity.references) await copyTexts(db, entity, reference);
}

/** Sets the ids of rows that the table has by now. */
export async function matchRows(db: Db, entity: BoundEntity): Promise<void> {
  await db.run(sql`UPDATE ${stageOf(entity)} AS s JOIN ${tableOf(entity)} AS t ON ${sameKey(entity)}
    SET s.match_id = ${at('t', entity.id.name)} WHERE s.match_id IS NULL`);
}

/** Sets the ids of referenced rows that were new, and that their table has by now. */
export async function refreshReferences(db: Db, entity: BoundEntity): Promise<void> {
  for (const { parent, row, id } of entity.references) {
    await db.run(sql`UPDATE ${stageOf(entity)} AS s JOIN ${stageOf(parent)} AS p ON p.rn = ${at('s', row)}
      SET ${at('s', id)} = p.match_id WHERE ${at('s', id)} IS NULL`);
  }
}

/** True for a staged row that refers to a row by its fields: not to nothing, and not absent. */
export function refersToRow({ pairs, reference, absent }: BoundReference): Sql {
  const given = any(pairs.map(({ own }) => sql`${at('s', own.stage)} IS NOT NULL`));
  return all([
    sql`(${given})`,
    ...(absent === null ? [] : [sql`NOT ${at('s', absent)}`]),
    ...(reference.none === null
      ? []
      : [sql`NOT (${at('s', pairs[0]!.own.stage)} <=> ${reference.none.value})`]),
  ]);
}

/** ON: the staged row `p` of the parent that the fields of a reference mean. */
export function sameAsStaged({ pairs }: BoundReference): Sql {
  return all(
    pairs.map(({ own, other }) => equal(at('p', other.stage), at('s', own.stage), other.type)),
  );
}

/** ON: the row `t` of the parent's table that the fields of a reference mean. */
export function sameAsStored({ pairs, parent }: BoundReference): Sql {
  return all(
    pairs.map(({ own, other }) => equal(current(parent, other), at('s', own.stage), other.type)),
  );
}

/** LEFT JOIN: the staged row `q` of a row `t`; where there is none, the file does not have the row. */
export function stagedRowOf(entity: BoundEntity): Sql {
  return sql`LEFT JOIN ${stageOf(entity)} AS q ON q.match_id = ${at('t', entity.id.name)}`;
}

async function resolveReference(
  db: Db,
  entity: BoundEntity,
  reference: BoundReference,
): Promise<void> {
  const { parent, row, id, pairs } = reference;
  const { none } = reference.reference;
  await db.run(sql`UPDATE ${stageOf(entity)} AS s JOIN ${stageOf(parent)} AS p ON ${sameAsStaged(reference)}
    SET ${at('s', row)} = p.rn, ${at('s', id)} = p.match_id WHERE ${refersToRow(reference)}`);
  if (parent.entity.missing === 'keep') {
    await db.run(sql`UPDATE ${stageOf(entity)} AS s
      JOIN ${tableOf(parent)} AS t ON ${sameAsStored(reference)} ${stagedRowOf(parent)}
      SET ${at('s', id)} = ${at('t', parent.id.name)}
      WHERE ${at('s', row)} IS NULL AND q.rn IS NULL AND ${refersToRow(reference)}`);
  }
  if (none !== null) {
    await db.run(sql`UPDATE ${stageOf(entity)} AS s SET ${at('s', id)} = ${none.id}
      WHERE ${at('s', pairs[0]!.own.stage)} <=> ${none.value}`);
  }
}

/** What a row of the file does not say stays as the table has it. */
async function keepAbsent(db: Db, entity: BoundEntity): Promise<void> {
  const changes = entity.fields.flatMap((one) => {
    if (one.absent === null) return [];
    const staged = at('s', one.stage);
    return [sql`${staged} = IF(${at('s', one.absent)}, ${current(entity, one)}, ${staged})`];
  });
  const flags = [...entity.fields, ...entity.references].flatMap(({ absent }) =>
    absent === null ? [] : [at('s', absent)],
  );
  const ids = entity.references.flatMap(({ absent, id, column }) => {
    if (absent === null) return [];
    return [sql`${at('s', id)} = IF(${at('s', absent)}, ${at('t', column.name)}, ${at('s', id)})`];
  });
  if (flags.length === 0) return;
  await db.run(sql`UPDATE ${stageOf(entity)} AS s
    JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = s.match_id
    SET ${join([...changes, ...ids])} WHERE ${any(flags)}`);
  for (const { absent, id, row, parent, reference } of entity.references) {
    if (absent === null) continue;
    await db.run(sql`UPDATE ${stageOf(entity)} AS s JOIN ${stageOf(parent)} AS q ON q.match_id = ${at('s', id)}
      SET ${at('s', row)} = q.rn WHERE ${at('s', absent)}`);
    if (reference.none === null) continue;
    await db.run(sql`UPDATE ${stageOf(entity)} AS s SET ${at('s', id)} = ${reference.none.id}
      WHERE ${at('s', absent)} AND s.match_id IS NULL`);
  }
}

/** Fills the copies that a row keeps of texts of a row that it refers to. */
async function copyTexts(db: Db, entity: BoundEntity, reference: BoundReference): Promise<void> {
  const { copies, parent, row, id } = reference;
  if (copies.length === 0) return;
  const staged = copies.map(({ stage, other }) => sql`${at('s', stage)} = ${at('p', other.stage)}`);
  await db.run(sql`UPDATE ${stageOf(entity)} AS s JOIN ${stageOf(parent)} AS p ON p.rn = ${at('s', row)}
    SET ${join(staged)}`);
  const stored = copies.map(
    ({ stage, other }) => sql`${at('s', stage)} = ${current(parent, other)}`,
  );
  await db.run(sql`UPDATE ${stageOf(entity)} AS s
    JOIN ${tableOf(parent)} AS t ON ${at('t', parent.id.name)} = ${at('s', id)}
    SET ${join(stored)} WHERE ${at('s', row)} IS NULL`);
}
