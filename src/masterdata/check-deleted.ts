import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity, BoundReference } from './bind.ts';
import { addFound, MOST_SHOWN } from './check.ts';
import { type PointingColumn, readPointingColumns } from './columns.ts';
import type { Problems } from './problems.ts';
import { at, goneRows, idsOf, isAbsent } from './sql.ts';

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
    const declared = entities.flatMap((owner) =>
      owner.references
        .filter(({ parent }) => parent === entity)
        .map((reference) => ({ owner, reference, column: reference.column.name })),
    );
    for (const { owner, reference } of declared) {
      await checkKept(db, entity, owner, reference, problems);
      if (owner.entity.missing === 'delete') continue;
      // Rows of the file are written before, and then point to rows of the file.
      const notInFile = { join: joinIds(owner), where: raw('q.rn IS NULL') };
      await checkColumn(db, entity, pointingOf(owner, reference), notInFile, problems);
    }
    for (const one of keys) {
      if (one.target !== entity.table.name) continue;
      const owner = entities.find(({ table }) => table.name === one.table);
      if (declared.some((known) => known.owner === owner && known.column === one.column)) continue;
      const staying = { join: raw(''), where: owner === undefined ? raw('TRUE') : stays(owner) };
      await checkColumn(db, entity, one, staying, problems);
    }
  }
}

/** Finds rows of the file that lack the fields of a reference, and so keep one to a row that goes. */
async function checkKept(
  db: Db,
  entity: BoundEntity,
  owner: BoundEntity,
  one: BoundReference,
  problems: Problems,
): Promise<void> {
  if (one.absent === null) return;
  const names = one.pairs.map(({ own }) => own.field.name).join(', ');
  const kept = at('x', one.id);
  await addFound<{ rn: number; kept: string | number }>(
    db,
    owner,
    problems,
    {
      columns: sql`${kept} AS kept`,
      where: sql`WHERE ${isAbsent(one)} AND ${kept} IN (${goneIds(entity)})`,
    },
    (row) =>
      `${names}: missing, and what it keeps, the row of ${entity.entity.name} with ${entity.id.name} ${row.kept}, is missing, too`,
  );
}

async function checkColumn(
  db: Db,
  entity: BoundEntity,
  { table, column }: Pick<PointingColumn, 'table' | 'column'>,
  staying: { readonly join: Sql; readonly where: Sql },
  problems: Problems,
): Promise<void> {
  const rows = await db.query<{ id: string | number; n: string }>(sql`
    SELECT ${at('c', column)} AS id, COUNT(*) AS n
    FROM ${quoteName(table)} AS c ${staying.join}
    WHERE ${at('c', column)} IN (${goneIds(entity)}) AND ${staying.where}
    GROUP BY ${at('c', column)} ORDER BY id LIMIT ${MOST_SHOWN}`);
  for (const { id, n } of rows) {
    const message = `the row with ${entity.id.name} ${id} is missing, and ${n} rows of ${table} need it`;
    problems.add(entity.entity.file, null, null, message);
  }
}

/** Ids of the rows of the table that the file does not have. */
function goneIds(entity: BoundEntity): Sql {
  return sql`SELECT ${at('t', entity.id.name)} ${goneRows(entity)} WHERE m.rn IS NULL`;
}

/** Condition: the row `c` of the entity's own table is there after the sync, too. */
function stays(owner: BoundEntity): Sql {
  if (owner.entity.missing === 'keep') return raw('TRUE');
  return sql`${at('c', owner.id.name)} NOT IN (${goneIds(owner)})`;
}

/** LEFT JOIN: the staged rows that the rows `c` of the entity's table are about. */
function joinIds(owner: BoundEntity): Sql {
  return sql`LEFT JOIN ${idsOf(owner)} AS q ON q.id = ${at('c', owner.id.name)}`;
}

function pointingOf(
  { table }: BoundEntity,
  { column }: BoundReference,
): Pick<PointingColumn, 'table' | 'column'> {
  return { table: table.name, column: column.name };
}
