/** What cannot be written, found in the server for the whole set. Reads only. */
import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity, BoundReference } from './bind.ts';
import type { Problems } from './problems.ts';
import { refersToRow, sameAsStaged, sameAsStored, stagedRowOf } from './resolve.ts';
import { shorten } from './row.ts';
import { all, any, at, sameKey, stageOf, tableOf } from './sql.ts';

/** Rows that one query shows at most: each kind of mistake is shown, not each of thousands. */
export const MOST_SHOWN = 50;

/** Adds a problem for each staged row that a query finds. Its row has `rn`, and what `message` needs. */
export async function addFound<R extends { rn: number }>(
  db: Db,
  entity: BoundEntity,
  problems: Problems,
  rest: { readonly columns?: Sql; readonly from: Sql },
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
    sql`SELECT ${join(columns)} FROM ${stageOf(entity)} AS s ${rest.from} LIMIT ${MOST_SHOWN}`,
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
      from: sql`GROUP BY ${join(columns)} HAVING COUNT(*) > 1 ORDER BY MIN(s.rn)`,
    },
    ({ places }) => `the same key is at ${places} of the file: the database sees no difference`,
  );
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
      from: sql`JOIN ${tableOf(entity)} AS t ON ${sameKey(entity)} GROUP BY s.rn HAVING COUNT(*) > 1`,
    },
    ({ ids }) => `${entity.table.name} has this key in the rows with ${entity.id.name} ${ids}`,
  );
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
      { columns: sql`${column} AS found`, from: sql`WHERE ${column} IS NOT NULL AND ${unknown}` },
      ({ found }) => `${field.name}: ${shorten(found)} is no game system of gameSystemAliases`,
    );
  }
}

/** Finds references that mean no row, or several. */
export async function checkReferences(
  db: Db,
  entity: BoundEntity,
  problems: Problems,
): Promise<void> {
  for (const one of entity.references) {
    const { pairs, parent, row, id, absent, column, reference } = one;
    const names = pairs.map(({ own }) => own.field.name).join(', ');
    const given = sql`CONCAT_WS(', ', ${join(pairs.map(({ own }) => at('s', own.stage)))}) AS given`;
    await addFound<{ rn: number; given: string }>(
      db,
      entity,
      problems,
      {
        columns: given,
        from: sql`WHERE ${at('s', row)} IS NULL AND ${at('s', id)} IS NULL AND ${refersToRow(one)}`,
      },
      (found) => `${names}: no row of ${parent.entity.name} is ${shorten(found.given)}`,
    );
    await addFound<{ rn: number; given: string }>(
      db,
      entity,
      problems,
      { columns: given, from: ambiguous(one) },
      (found) => `${names}: several rows of ${parent.entity.name} are ${shorten(found.given)}`,
    );
    if (absent === null || column.nullable || reference.none !== null) continue;
    await addFound(
      db,
      entity,
      problems,
      { from: sql`WHERE ${at('s', absent)} AND s.match_id IS NULL` },
      () => `${names}: missing, and the row is new`,
    );
  }
}

/** Rows that the fields of a reference mean, in the file and, as far as they stay, in the table. */
function ambiguous(one: BoundReference): Sql {
  const { parent } = one;
  const staged = sql`(SELECT COUNT(*) FROM ${stageOf(parent)} AS p WHERE ${sameAsStaged(one)})`;
  const stored = sql`(SELECT COUNT(*) FROM ${tableOf(parent)} AS t ${stagedRowOf(parent)}
    WHERE q.rn IS NULL AND ${sameAsStored(one)})`;
  const fields = one.pairs.map(({ other }) => other.field.name);
  if (parent.entity.key.every((name) => fields.includes(name))) {
    // By their whole key two rows of the file cannot be meant, nor one of the file and one that stays.
    return parent.entity.missing === 'keep'
      ? sql`WHERE ${refersToRow(one)} AND ${at('s', one.row)} IS NULL AND ${stored} > 1`
      : sql`WHERE FALSE`;
  }
  const count = parent.entity.missing === 'keep' ? sql`${staged} + ${stored}` : staged;
  return sql`WHERE ${refersToRow(one)} AND ${count} > 1`;
}

/** Finds copies of referenced texts that are longer than their column. */
export async function checkCopies(db: Db, entity: BoundEntity, problems: Problems): Promise<void> {
  for (const { column, stage } of entity.references.flatMap(({ copies }) => copies)) {
    const value = at('s', stage);
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
        any([sql`${at('s', row)} IS NOT NULL`, sql`${at('s', id)} IS NOT NULL`]),
      );
    await addFound<{ rn: number; found: string | null }>(
      db,
      entity,
      problems,
      {
        columns: sql`${value} AS found`,
        from: sql`WHERE (${all(resolved)}) AND (${any(fails)})`,
      },
      ({ found }) => `${column.name}: the copy ${shorten(found)} does not fit ${column.columnType}`,
    );
  }
}
