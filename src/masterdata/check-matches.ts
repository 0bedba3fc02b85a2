import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity, BoundField } from './bind.ts';
import { addFound } from './check.ts';
import { addExact } from './check-exact.ts';
import type { Matches } from './entity.ts';
import { keptJoin } from './resolve.ts';
import { any, at, comparable, stageOf, tableOf } from './sql.ts';
import type { Staged, Staging } from './stage.ts';

/** Finds values that must be those of some row of another entity, and are not. Reads only. */
export async function checkMatches(
  db: Db,
  entity: BoundEntity,
  { source }: Staged,
  entities: readonly BoundEntity[],
  { problems, seen }: Staging,
): Promise<void> {
  for (const one of entity.fields) {
    const { field, stage } = one;
    const { matches } = field;
    const other = entities.find(({ entity: { name } }) => name === matches?.entity);
    const target = other?.fields.find(({ field: { name } }) => name === matches?.field);
    if (matches === null || other === undefined || target === undefined) continue;
    if (seen.allKnown(one, target, matches.also)) continue;
    const message = ({ found }: { found: string }) =>
      `${field.name}: no row of ${matches.entity} is ${found === '' ? "''" : found}`;
    const staged = at('s', stage);
    await addFound<{ rn: number; found: string }>(
      db,
      entity,
      problems,
      {
        columns: sql`${staged} AS found`,
        from: sql`${stageOf(entity)} AS s`,
        where: sql`WHERE ${staged} IS NOT NULL AND NOT (${isKnown(staged, one, matches, other, target)})`,
      },
      message,
    );
    const stored = at('t', field.column!);
    const unknown = sql`${stored} IS NOT NULL AND NOT (${isKnown(stored, one, matches, other, target)})`;
    const columns = sql`${stored} AS found`;
    await addExact<{ rn: number; found: string }>(
      db,
      entity,
      source,
      problems,
      { columns, where: unknown },
      message,
    );
  }
}

function isKnown(
  own: Sql,
  { type }: BoundField,
  { also }: Matches,
  other: BoundEntity,
  target: BoundField,
): Sql {
  const value = comparable(own, type, target.type);
  const staged = sql`EXISTS (SELECT 1 FROM ${stageOf(other)} AS p WHERE ${at('p', target.stage)} = ${value})`;
  const kept = keptJoin(other, at('o', other.id.name), 'q');
  const stored = sql`EXISTS (SELECT 1 FROM ${tableOf(other)} AS o ${kept.join}
    WHERE ${kept.stays} AND ${at('o', target.field.column!)} = ${value})`;
  const listed = also.length === 0 ? [] : [sql`${own} IN (${join([...also])})`];
  return any([...listed, staged, stored]);
}
