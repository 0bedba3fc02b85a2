import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity } from './bind.ts';
import { addFound } from './check.ts';
import type { Problems } from './problems.ts';
import { all, at, idsOf, restOf, stagedRows, tableOf, writtenColumns } from './sql.ts';

/** Finds rows that a unique index of the table, other than one of the key, would refuse. Reads only. */
export async function checkUnique(db: Db, entity: BoundEntity, problems: Problems): Promise<void> {
  const staged = new Map(writtenColumns(entity).map((one) => [one.column, one.staged]));
  for (const columns of uniqueIndexes(entity)) {
    if (columns.some((column) => !staged.has(column))) continue;
    const names = columns.join(', ');
    await checkFile(db, entity, problems, columns, staged);
    const same = columns.map((column) => sql`${at('t', column)} = ${staged.get(column)!}`);
    const id = at('t', entity.id.name);
    await addFound<{ rn: number; id: string | number; listed: number; changes: number }>(
      db,
      entity,
      problems,
      {
        columns: sql`${id} AS id, (q.rn IS NOT NULL OR e.id IS NULL) AS listed, COALESCE(q.changed, 0) AS changes`,
        // Not only rows that stay: one that is changed or deleted still has the value at that moment.
        from: sql`${stagedRows(entity)} STRAIGHT_JOIN ${tableOf(entity)} AS t ON ${all(same)}
          LEFT JOIN ${restOf(entity)} AS e ON e.id = ${id} LEFT JOIN ${idsOf(entity)} AS q ON q.id = ${id}`,
        where: sql`WHERE NOT (${id} <=> m.id)`,
      },
      (row) => {
        const has = `${names}: must be unique, and the row with ${entity.id.name} ${row.id} has the same`;
        const until = untilWhen(entity, row);
        return until === null ? has : `${has} until this sync ${until} it: do that in one before`;
      },
    );
  }
}

/** What the sync would do to the row that has a unique value now. Values are not exchanged in one sync. */
function untilWhen(
  { entity }: BoundEntity,
  row: { readonly listed: number; readonly changes: number },
): string | null {
  if (row.listed === 1) return row.changes === 1 ? 'changes' : null;
  return entity.missing === 'delete' ? 'deletes' : null;
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
    const [row, id] = [at('x', reference.row), at('x', reference.id)];
    return sql`IF(${row} IS NULL, CONCAT('id ', ${id}), CONCAT('row ', ${row}))`;
  });
  const given = all(values.map((value) => sql`${value} IS NOT NULL`));
  await addFound<{ rn: number; places: string }>(
    db,
    entity,
    problems,
    {
      columns: sql`MIN(s.rn) AS rn, GROUP_CONCAT(s.rn ORDER BY s.rn SEPARATOR ', ') AS places`,
      where: sql`WHERE ${given} GROUP BY ${join(values)} HAVING COUNT(*) > 1`,
    },
    ({ places }) =>
      `${columns.join(', ')}: must be unique, and is the same at ${places} of the file`,
  );
}
