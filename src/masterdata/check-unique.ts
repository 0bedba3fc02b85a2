import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity } from './bind.ts';
import { addFound } from './check.ts';
import type { Problems } from './problems.ts';
import { all, any, at, comparable, stageOf, tableOf, writtenColumns } from './sql.ts';

/** Finds rows that a unique index of the table, other than one of the key, would refuse. Reads only. */
export async function checkUnique(db: Db, entity: BoundEntity, problems: Problems): Promise<void> {
  const staged = new Map(writtenColumns(entity).map((one) => [one.column, one.staged]));
  for (const columns of uniqueIndexes(entity)) {
    if (columns.some((column) => !staged.has(column))) continue;
    const names = columns.join(', ');
    await checkFile(db, entity, problems, columns, staged);
    const same = columns.map((column) => sql`${at('t', column)} = ${staged.get(column)!}`);
    const id = at('t', entity.id.name);
    await addFound<{ rn: number; id: string | number }>(
      db,
      entity,
      problems,
      {
        columns: sql`${id} AS id`,
        // Not only rows that stay: one that is renamed or deleted still has the value at that moment.
        from: sql`JOIN ${tableOf(entity)} AS t ON ${all(same)} WHERE NOT (${id} <=> s.match_id)`,
      },
      (row) =>
        `${names}: must be unique, and the row with ${entity.id.name} ${row.id} has the same`,
    );
  }
}

/** Unique indexes that rows of different keys can violate. */
function uniqueIndexes(entity: BoundEntity): readonly (readonly string[])[] {
  const key = [
    ...entity.keyFields.map(({ field }) => field.column!),
    ...entity.references.filter(({ inKey }) => inKey).map(({ column }) => column.name),
  ];
  const { table, id } = entity;
  const indexes = id.autoIncrement ? table.unique : [table.primaryKey, ...table.unique];
  return indexes.filter((columns) => !key.every((column) => columns.includes(column)));
}

/** NULL is equal to nothing in a unique index; a reference to a new row is not NULL. */
async function checkFile(
  db: Db,
  entity: BoundEntity,
  problems: Problems,
  columns: readonly string[],
  staged: ReadonlyMap<string, Sql>,
): Promise<void> {
  const values = columns.map((column) => {
    const reference = entity.references.find((one) => one.column.name === column);
    if (reference === undefined) return staged.get(column)!;
    const [row, id] = [at('s', reference.row), at('s', reference.id)];
    return sql`IF(${row} IS NULL, CONCAT('id ', ${id}), CONCAT('row ', ${row}))`;
  });
  const given = all(values.map((value) => sql`${value} IS NOT NULL`));
  await addFound<{ rn: number; places: string }>(
    db,
    entity,
    problems,
    {
      columns: sql`MIN(s.rn) AS rn, GROUP_CONCAT(s.rn ORDER BY s.rn SEPARATOR ', ') AS places`,
      from: sql`WHERE ${given} GROUP BY ${join(values)} HAVING COUNT(*) > 1`,
    },
    ({ places }) =>
      `${columns.join(', ')}: must be unique, and is the same at ${places} of the file`,
  );
}

/** Finds values that must be those of some row of another entity, and are not. Reads only. */
export async function checkMatches(
  db: Db,
  entity: BoundEntity,
  entities: readonly BoundEntity[],
  problems: Problems,
): Promise<void> {
  for (const { field, stage, type } of entity.fields) {
    const { matches } = field;
    const other = entities.find((one) => one.entity.name === matches?.entity);
    const target = other?.fields.find((one) => one.field.name === matches?.field);
    if (matches === null || other === undefined || target === undefined) continue;
    const value = comparable(at('s', stage), type, target.type);
    const staged = sql`EXISTS (SELECT 1 FROM ${stageOf(other)} AS p WHERE ${at('p', target.stage)} = ${value})`;
    const stored = sql`EXISTS (SELECT 1 FROM ${tableOf(other)} AS t
      LEFT JOIN ${stageOf(other)} AS q ON q.match_id = ${at('t', other.id.name)}
      WHERE q.rn IS NULL AND ${at('t', target.field.column!)} = ${value})`;
    const known = [
      staged,
      ...(other.entity.missing === 'keep' ? [stored] : []),
      ...(matches.also.length === 0
        ? []
        : [sql`${at('s', stage)} IN (${join([...matches.also])})`]),
    ];
    await addFound<{ rn: number; found: string }>(
      db,
      entity,
      problems,
      {
        columns: sql`${at('s', stage)} AS found`,
        from: sql`WHERE ${at('s', stage)} IS NOT NULL AND NOT (${any(known)})`,
      },
      ({ found }) => `${field.name}: no row of ${matches.entity} is ${found === '' ? "''" : found}`,
    );
  }
}
