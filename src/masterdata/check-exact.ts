/** Checks of rows that are not staged, because the table has them just so. Reads only. */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity } from './bind.ts';
import { addFound, MOST_SHOWN, repeatedKey, sameKeyInFile } from './check.ts';
import { textOf } from './links.ts';
import type { Problems } from './problems.ts';
import type { EntityRows } from './read.ts';
import { matchingRows } from './resolve.ts';
import { makeRowStager, type StagedValue, shorten } from './row.ts';
import { selectFields } from './select.ts';
import { at, idsOf, keyColumns, restOf, tableOf } from './sql.ts';

type Found = Readonly<Record<string, unknown>>;

/** As `addFound`, for rows `t` that are in the file just so. */
export async function addExact<R extends object>(
  db: Db,
  entity: BoundEntity,
  source: EntityRows,
  problems: Problems,
  rest: { readonly columns: Sql; readonly where: Sql },
  message: (row: R & Found) => string,
): Promise<void> {
  const { columns, joins } = keySelect(entity);
  const id = at('t', entity.id.name);
  const rows = await db.query<R & Found>(sql`
    SELECT ${join([...columns, rest.columns])} FROM ${tableOf(entity)} AS t ${joins}
    LEFT JOIN ${restOf(entity)} AS e ON e.id = ${id}
    WHERE e.id IS NULL AND ${rest.where} LIMIT ${MOST_SHOWN}`);
  const places = await findPlaces(entity, source, rows);
  for (const [index, row] of rows.entries()) {
    const key = keyOf(entity, row).map((value) => shorten(value));
    problems.add(entity.entity.file, places[index] ?? null, key.join(', '), message(row));
  }
}

/** Finds rows that have the key of a row of the file which the table has just so; `fresh` staged rows are new. */
export async function checkExactKeys(
  db: Db,
  entity: BoundEntity,
  source: EntityRows,
  fresh: number,
  problems: Problems,
): Promise<void> {
  if (fresh > 0) await checkFresh(db, entity, source, problems);
  if (await isTold(db, entity)) return;
  const id = at('t', entity.id.name);
  const repeated = await db.query<{ id: string; ids: string }>(sql`
    SELECT MIN(IF(e.id IS NULL, ${id}, NULL)) AS id, GROUP_CONCAT(${id} ORDER BY ${id} SEPARATOR ', ') AS ids
    FROM ${tableOf(entity)} AS t LEFT JOIN ${restOf(entity)} AS e ON e.id = ${id}
    GROUP BY ${join(keyColumns(entity))} HAVING COUNT(*) > 1 AND id IS NOT NULL LIMIT ${MOST_SHOWN}`);
  if (repeated.length === 0) return;
  const ids = new Map(repeated.map((row) => [String(row.id), row.ids]));
  const where = sql`${id} IN (${join([...ids.keys()])})`;
  const columns = sql`${id} AS found`;
  await addExact<{ found: string }>(
    ...([db, entity, source, problems, { columns, where }] as const),
    ({ found }) => repeatedKey(entity, ids.get(String(found))!),
  );
}

/** Finds rows of the file that seem new, but have the key of another one which the table has just so. */
async function checkFresh(
  db: Db,
  entity: BoundEntity,
  source: EntityRows,
  problems: Problems,
): Promise<void> {
  const { columns, joins } = keySelect(entity);
  const known = await db.query<Found & { rn: number }>(sql`
    SELECT s.rn AS rn, ${join(columns)} FROM ${matchingRows(entity)} ${joins}
    LEFT JOIN ${idsOf(entity)} AS m ON m.rn = s.rn WHERE m.rn IS NULL LIMIT ${MOST_SHOWN}`);
  if (known.length === 0) return;
  const places = await findPlaces(entity, source, known);
  const others = new Map(known.map(({ rn }, index) => [rn, places[index]]));
  await addFound(
    ...([
      db,
      entity,
      problems,
      { where: sql`WHERE s.rn IN (${join([...others.keys()])})` },
    ] as const),
    ({ rn }) => sameKeyInFile([rn, others.get(rn) ?? rn].sort((a, b) => a - b).join(', ')),
  );
}

/** The key of rows `t`, as the file says it. */
function keySelect(entity: BoundEntity): { readonly columns: Sql[]; readonly joins: Sql } {
  const { values, joins } = selectFields(entity);
  const columns = keyPlaces(entity).map((place) => sql`${values[place]!} AS ${raw(`v${place}`)}`);
  return { columns, joins };
}

function keyOf(entity: BoundEntity, row: Found): StagedValue[] {
  return keyPlaces(entity).map((place) => row[`v${place}`] as StagedValue);
}

function keyPlaces({ entity, fields }: BoundEntity): number[] {
  return entity.key.map((name) => fields.findIndex(({ field }) => field.name === name));
}

/** Where in the file rows of the table are that it has just so: it is read again, because they are few. */
async function findPlaces(
  entity: BoundEntity,
  source: EntityRows,
  rows: readonly Found[],
): Promise<readonly (number | undefined)[]> {
  if (rows.length === 0) return [];
  const places = keyPlaces(entity);
  const keys = rows.map((row) => textOf(keyOf(entity, row), [...places.keys()]));
  const found = new Map<string | null, number>();
  const stageRow = makeRowStager(entity);
  for await (const some of source.rows()) {
    for (const { index, value } of some) {
      const { values, usable } = stageRow(value);
      const key = usable ? textOf(values, places) : null;
      if (keys.includes(key) && !found.has(key)) found.set(key, index);
    }
  }
  return keys.map((key) => (key === null ? undefined : found.get(key)));
}

/**
 * Says which rows of the table have the same key: once the file was found to be sound, these are
 * rows that it does not have. Those that go anyway are left out.
 */
export async function listRepeated(db: Db, entity: BoundEntity): Promise<string[]> {
  if (entity.entity.missing === 'delete' || (await isTold(db, entity))) return [];
  const id = at('t', entity.id.name);
  const rows = await db.query<{ ids: string }>(sql`
    SELECT GROUP_CONCAT(${id} ORDER BY ${id} SEPARATOR ', ') AS ids FROM ${tableOf(entity)} AS t
    GROUP BY ${join(keyColumns(entity))} HAVING COUNT(*) > 1 ORDER BY MIN(${id}) LIMIT ${MOST_SHOWN}`);
  return rows.map(
    ({ ids }) => `${entity.table.name} has the same key in the rows with ${entity.id.name} ${ids}`,
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
