/** What cannot be written, found in the server for the whole set. Reads only. */
import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity, BoundReference } from './bind.ts';
import { meansKey } from './links.ts';
import type { Problems } from './problems.ts';
import { keptJoin, matchingRows, refersToRow, sameAsStaged, sameAsStored } from './resolve.ts';
import { shorten } from './row.ts';
import { all, any, at, isAbsent, joinRefs, stagedRows, stageOf, tableOf } from './sql.ts';

/** Rows that one query shows at most: each kind of mistake is shown, not each of thousands. */
export const MOST_SHOWN = 50;

/** Adds a problem for each staged row that a query finds. Its row has `rn`, and what `message` needs. */
export async function addFound<R extends { rn: number }>(
  db: Db,
  entity: BoundEntity,
  problems: Problems,
  rest: { readonly columns?: Sql; readonly from?: Sql; readonly where: Sql },
  message: (row: R & Readonly<Record<string, unknown>>) => string,
): Promise<void> {
  const key = entity.entity.key.map(
    (name) => entity.fields.find(({ field }) => field.name === name)!,
  );
  const columns = [
    sql`s.rn AS rn`,
    ...key.map(({ stage }) => at('s', stage)),
    ...(rest.columns === undefined ? [] : [rest.columns]),
  ];
  const rows = await db.query<R & Readonly<Record<string, unknown>>>(
    sql`SELECT ${join(columns)} FROM ${rest.from ?? stagedRows(entity)} ${rest.where} LIMIT ${MOST_SHOWN}`,
  );
  for (const row of rows) {
    const text = key.map(({ stage }) => shorten(row[stage])).join(', ');
    problems.add(entity.entity.file, row.rn, text, message(row));
  }
}

/** Finds rows of the file that are the same by their key, under the collation of the columns. */
export async function checkFileKeys(
  db: Db,
  entity: BoundEntity,
  problems: Problems,
): Promise<void> {
  const columns = entity.entity.key.map((name) => {
    return at('s', entity.fields.find(({ field }) => field.name === name)!.stage);
  });
  await addFound<{ rn: number; places: string }>(
    db,
    entity,
    problems,
    {
      columns: sql`MIN(s.rn) AS rn, GROUP_CONCAT(s.rn ORDER BY s.rn SEPARATOR ', ') AS places`,
      from: sql`${stageOf(entity)} AS s`,
      where: sql`GROUP BY ${join(columns)} HAVING COUNT(*) > 1 ORDER BY MIN(s.rn)`,
    },
    ({ places }) => sameKeyInFile(places),
  );
}

/**
 * False when all staged rows have different keys; true may also mean that references are unclear.
 * Much quicker than finding them: what a reference means is a number by now.
 */
export async function hasRepeatedKeys(db: Db, entity: BoundEntity): Promise<boolean> {
  const referred = entity.references.filter(({ inKey }) => inKey);
  const fields = entity.keyFields.map(({ stage }) => at('s', stage));
  const columns = [...fields, ...referred.flatMap(({ row, id }) => [at('x', row), at('x', id)])];
  const staged = sql`${stageOf(entity)} AS s`;
  const both = sql`${staged} ${joinRefs(entity)}`;
  const refs = sql`${quoteName(entity.refs)} AS x`;
  // Without the references, if they are no part of the key, an index has the rows in order.
  const from = fields.length === 0 ? refs : referred.length === 0 ? staged : both;
  const row = await db.one(
    sql`SELECT 1 FROM ${from} GROUP BY ${join(columns)} HAVING COUNT(*) > 1 LIMIT 1`,
  );
  return row !== undefined;
}

/** What is wrong with a row whose key other rows of the file have. */
export function sameKeyInFile(places: string): string {
  return `the same key is at ${places} of the file: the database sees no difference`;
}

/** Finds rows of the file whose key several rows of the table have. */
export async function checkStoredKeys(
  db: Db,
  entity: BoundEntity,
  problems: Problems,
): Promise<void> {
  const id = at('t', entity.id.name);
  await addFound<{ rn: number; ids: string }>(
    db,
    entity,
    problems,
    {
      columns: sql`GROUP_CONCAT(${id} ORDER BY ${id} SEPARATOR ', ') AS ids`,
      from: matchingRows(entity),
      where: sql`GROUP BY s.rn HAVING COUNT(*) > 1`,
    },
    ({ ids }) => repeatedKey(entity, ids),
  );
}

/** What is wrong with a row whose key several rows of the table have. */
export function repeatedKey(entity: BoundEntity, ids: string): string {
  return `${entity.table.name} has this key in the rows with ${entity.id.name} ${ids}`;
}

/** Finds names of game systems that the declaration does not know. */
export async function checkSystems(db: Db, entity: BoundEntity, problems: Problems): Promise<void> {
  const known = entity.gameSystems.map(({ name }) => name);
  for (const { field, stage } of entity.fields) {
    if (field.gameSystem === null) continue;
    const column = at('s', stage);
    const unknown = known.length === 0 ? sql`TRUE` : sql`${column} NOT IN (${join(known)})`;
    await addFound<{ rn: number; found: string }>(
      db,
      entity,
      problems,
      {
        columns: sql`${column} AS found`,
        from: sql`${stageOf(entity)} AS s`,
        where: sql`WHERE ${column} IS NOT NULL AND ${unknown}`,
      },
      ({ found }) => `${field.name}: ${shorten(found)} is no game system of gameSystemAliases`,
    );
  }
}

/**
 * Finds references that mean no row, or several. `ambiguous` says that some reference met more
 * than one row; where its fields are less than a key, it may anyway. What is linked means one row.
 */
export async function checkReferences(
  db: Db,
  entity: BoundEntity,
  { ambiguous, linked }: { readonly ambiguous: boolean; readonly linked: readonly boolean[] },
  problems: Problems,
): Promise<void> {
  for (const [index, one] of entity.references.entries()) {
    const { pairs, absent, column, reference } = one;
    if (linked[index] !== true) await checkMeant(db, entity, one, ambiguous, problems);
    if (absent === null || column.nullable || reference.none !== null) continue;
    const names = pairs.map(({ own }) => own.field.name).join(', ');
    await addFound(
      db,
      entity,
      problems,
      { where: sql`WHERE ${isAbsent(one)} AND m.rn IS NULL` },
      () => `${names}: missing, and the row is new`,
    );
  }
}

async function checkMeant(
  db: Db,
  entity: BoundEntity,
  one: BoundReference,
  ambiguous: boolean,
  problems: Problems,
): Promise<void> {
  const { pairs, parent } = one;
  const names = pairs.map(({ own }) => own.field.name).join(', ');
  const given = sql`CONCAT_WS(', ', ${join(pairs.map(({ own }) => at('s', own.stage)))}) AS given`;
  await addFound<{ rn: number; given: string }>(
    db,
    entity,
    problems,
    {
      columns: given,
      from: byReference(entity),
      where: sql`WHERE ${at('x', one.row)} IS NULL AND ${at('x', one.id)} IS NULL AND ${refersToRow(one)}`,
    },
    (found) => `${names}: no row of ${parent.entity.name} is ${shorten(found.given)}`,
  );
  // By its whole key no two rows of the file can be meant, nor one of the file and one that stays.
  if (!ambiguous && meansKey(one)) return;
  await addFound<{ rn: number; given: string }>(
    db,
    entity,
    problems,
    { columns: given, where: sql`WHERE ${refersToRow(one)} AND ${countMeant(one)} > 1` },
    (found) => `${names}: several rows of ${parent.entity.name} are ${shorten(found.given)}`,
  );
}

/** FROM: references first, so that hardly a staged row has to be looked at. */
function byReference(entity: BoundEntity): Sql {
  return sql`${quoteName(entity.refs)} AS x STRAIGHT_JOIN ${stageOf(entity)} AS s ON s.rn = x.rn`;
}

/** Rows that the fields of a reference mean: staged ones, and those of the table that stay. */
function countMeant(one: BoundReference): Sql {
  const { parent } = one;
  const kept = keptJoin(parent, at('t', parent.id.name), 'q');
  const stored = sql`(SELECT COUNT(*) FROM ${tableOf(parent)} AS t ${kept.join}
    WHERE ${kept.stays} AND ${sameAsStored(one)})`;
  // By its key a staged row is meant at most once, and then none that stays.
  if (meansKey(one)) return sql`IF(${at('x', one.row)} IS NULL, ${stored}, 0)`;
  return sql`(SELECT COUNT(*) FROM ${stageOf(parent)} AS p WHERE ${sameAsStaged(one)}) + ${stored}`;
}

/** Finds copies of referenced texts that are longer than their column. */
export async function checkCopies(db: Db, entity: BoundEntity, problems: Problems): Promise<void> {
  for (const { column, stage } of entity.references.flatMap(({ copies }) => copies)) {
    const value = at('x', stage);
    const tooLong =
      column.dataType.endsWith('char') && column.maxChars !== null
        ? [sql`CHAR_LENGTH(${value}) > ${column.maxChars}`]
        : column.maxBytes !== null
          ? [sql`LENGTH(${value}) > ${column.maxBytes}`]
          : [];
    const missing = column.nullable ? [] : [sql`${value} IS NULL`];
    const fails = [...tooLong, ...missing];
    if (fails.length === 0) continue;
    // A reference that means nothing has its own problem.
    const resolved = entity.references
      .filter(({ copies }) => copies.some((copy) => copy.stage === stage))
      .map(({ row, id }) =>
        any([sql`${at('x', row)} IS NOT NULL`, sql`${at('x', id)} IS NOT NULL`]),
      );
    await addFound<{ rn: number; found: string | null }>(
      db,
      entity,
      problems,
      {
        columns: sql`${value} AS found`,
        from: byReference(entity),
        where: sql`WHERE (${all(resolved)}) AND (${any(fails)})`,
      },
      ({ found }) => `${column.name}: the copy ${shorten(found)} does not fit ${column.columnType}`,
    );
  }
}
