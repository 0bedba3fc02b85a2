/** Checks of rows that are not staged, because the table has them just so. Reads only. */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity } from './bind.ts';
import { addFound, MOST_SHOWN, repeatedKey, sameKeyInFile } from './check.ts';
import type { Problems } from './problems.ts';
import { shorten } from './row.ts';
import { selectFields } from './select.ts';
import { at, idsOf, keyColumns, stagedRows, tableOf } from './sql.ts';

/** As `addFound`, for rows `t` that are in the file just so. */
export async function addExact<R extends { rn: number }>(
  db: Db,
  entity: BoundEntity,
  problems: Problems,
  rest: { readonly columns: Sql; readonly where: Sql },
  message: (row: R & Readonly<Record<string, unknown>>) => string,
): Promise<void> {
  const { values, joins } = selectFields(entity);
  const key = entity.entity.key.map((name) => {
    const index = entity.fields.findIndex(({ field }) => field.name === name);
    return { name: `v${index}`, value: values[index]! };
  });
  const columns = key.map(({ name, value }) => sql`${value} AS ${raw(name)}`);
  const rows = await db.query<R & Readonly<Record<string, unknown>>>(sql`
    SELECT m.rn AS rn, ${join(columns)}, ${rest.columns}
    FROM ${idsOf(entity)} AS m STRAIGHT_JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = m.id ${joins}
    WHERE m.exact AND ${rest.where} LIMIT ${MOST_SHOWN}`);
  for (const row of rows) {
    const text = key.map(({ name }) => shorten(row[name])).join(', ');
    problems.add(entity.entity.file, row.rn, text, message(row));
  }
}

/** Finds rows that have the key of a row of the file which the table has just so. */
export async function checkExactKeys(
  db: Db,
  entity: BoundEntity,
  problems: Problems,
): Promise<void> {
  await addFound<{ rn: number; other: number }>(
    db,
    entity,
    problems,
    {
      columns: sql`k.rn AS other`,
      from: sql`${stagedRows(entity)} JOIN ${idsOf(entity)} AS k ON k.id = m.id AND k.exact`,
      where: raw(''),
    },
    ({ rn, other }) => sameKeyInFile([rn, other].sort((a, b) => a - b).join(', ')),
  );
  if (await isTold(db, entity)) return;
  const id = at('t', entity.id.name);
  const repeated = await db.query<{ rn: number; ids: string }>(sql`
    SELECT MIN(IF(m.exact, m.rn, NULL)) AS rn, GROUP_CONCAT(DISTINCT ${id} ORDER BY ${id} SEPARATOR ', ') AS ids
    FROM ${tableOf(entity)} AS t LEFT JOIN ${idsOf(entity)} AS m ON m.id = ${id}
    GROUP BY ${join(keyColumns(entity))} HAVING COUNT(DISTINCT ${id}) > 1 AND rn IS NOT NULL LIMIT ${MOST_SHOWN}`);
  if (repeated.length === 0) return;
  const ids = new Map(repeated.map((row) => [row.rn, row.ids]));
  const where = sql`m.rn IN (${join([...ids.keys()])})`;
  await addExact(db, entity, problems, { columns: raw('1'), where }, ({ rn }) =>
    repeatedKey(entity, ids.get(rn)!),
  );
}

/** True when no two rows of the table have the same key, as one look at an index can tell. */
async function isTold(db: Db, entity: BoundEntity): Promise<boolean> {
  // Without names of game systems, which have aliases: fewer columns can only show more.
  const columns = [
    ...entity.keyFields.flatMap(({ field }) =>
      field.gameSystem === null ? [at('t', field.column!)] : [],
    ),
    ...entity.references.filter(({ inKey }) => inKey).map(({ column }) => at('t', column.name)),
  ];
  if (columns.length === 0) return false;
  const row = await db.one(sql`SELECT 1 FROM ${tableOf(entity)} AS t
    GROUP BY ${join(columns)} HAVING COUNT(*) > 1 LIMIT 1`);
  return row === undefined;
}
