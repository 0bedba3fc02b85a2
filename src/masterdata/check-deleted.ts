import sql, { raw } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity } from './bind.ts';
import { MOST_SHOWN } from './check.ts';
import { type PointingColumn, readPointingColumns } from './columns.ts';
import type { Problems } from './problems.ts';
import { at, idsOf, restRows } from './sql.ts';

/**
 * Finds rows that are to be deleted although rows that stay point to them: a foreign key would
 * delete those as well, and a reference without a key would point to nothing. Reads only.
 */
export async function checkDeleted(
  db: Db,
  entities: readonly BoundEntity[],
  problems: Problems,
): Promise<void> {
  const deleting = entities.filter(({ entity }) => entity.missing === 'delete');
  if (deleting.length === 0) return;
  const keys = await readPointingColumns(
    db,
    deleting.map(({ table }) => table.name),
  );
  for (const entity of deleting) {
    const declared = entities.flatMap((one) =>
      one.references
        .filter(({ parent }) => parent === entity)
        .map(({ column }) => ({
          table: one.table.name,
          column: column.name,
          target: entity.table.name,
        })),
    );
    const pointing = [...keys.filter(({ target }) => target === entity.table.name), ...declared];
    const distinct = new Map(pointing.map((one) => [`${one.table}.${one.column}`, one]));
    for (const one of distinct.values()) await checkColumn(db, entity, one, entities, problems);
  }
}

async function checkColumn(
  db: Db,
  entity: BoundEntity,
  { table, column }: PointingColumn,
  entities: readonly BoundEntity[],
  problems: Problems,
): Promise<void> {
  const owner = entities.find((one) => one.table.name === table);
  // Rows of the file are written before, and then point to rows of the file. Rows that are not in it go or stay.
  if (owner?.entity.missing === 'delete') return;
  const staged =
    owner === undefined
      ? { join: raw(''), stays: raw('TRUE') }
      : {
          join: sql`LEFT JOIN ${idsOf(owner)} AS q ON q.id = ${at('c', owner.id.name)}`,
          stays: raw('q.rn IS NULL'),
        };
  const rows = await db.query<{ id: string | number; n: string }>(sql`
    SELECT ${at('t', entity.id.name)} AS id, COUNT(*) AS n
    FROM ${quoteName(table)} AS c
    JOIN (${restRows(entity)}) ON ${at('t', entity.id.name)} = ${at('c', column)}
    LEFT JOIN ${idsOf(entity)} AS m ON m.id = ${at('t', entity.id.name)} ${staged.join}
    WHERE m.rn IS NULL AND ${staged.stays}
    GROUP BY ${at('t', entity.id.name)} LIMIT ${MOST_SHOWN}`);
  for (const { id, n } of rows) {
    const message = `the row with ${entity.id.name} ${id} is missing, and ${n} rows of ${table} need it`;
    problems.add(entity.entity.file, null, null, message);
  }
}
