/** What a row of the file does not say, it keeps as the table has it. Writes only to staging tables. */
import sql, { join } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity } from './bind.ts';
import { at, current, idsOf, isAbsent, isChanged, joinRefs, stageOf, tableOf } from './sql.ts';

/** Fills in the references and fields that staged rows lack, after it was found whether they differ. */
export async function keepAbsent(db: Db, entity: BoundEntity): Promise<void> {
  await keepReferences(db, entity);
  await markChanged(db, entity);
  await keepFields(db, entity);
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
    await db.run(sql`UPDATE ${staged} JOIN ${idsOf(parent)} AS q ON q.id = ${at('x', id)}
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
