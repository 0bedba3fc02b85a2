/**
 * Rows of the file that are in the table just so, byte for byte, are found by a digest of their
 * values: nothing else has to be compared of them. What is not found this way is staged and
 * compared as the columns say. So a digest may differ for equal rows (1.50 and 1.5), never the
 * other way round.
 */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity, BoundField, BoundReference } from './bind.ts';
import type { Column } from './columns.ts';
import type { Scalar } from './entity.ts';
import { digestText } from './row.ts';
import { all, at, current, idsOf, systemId, tableOf } from './sql.ts';

// Far below the smallest max_allowed_packet in use, also in another character set.
const MAX_PLAIN_BYTES = 1_000_000;

/**
 * Fills the table of digests with the rows of the entity's table that may stay as they are: what
 * they refer to stays too, and their ids of game systems are right. Gives how many. Reads the
 * table with locks; the keys of the entities that it refers to must have been noted.
 */
export async function readDigests(db: Db, entity: BoundEntity): Promise<number> {
  if (!hasDigests(entity)) return 0;
  const parents = entity.references.map((one, index) => parentOf(one, `k${index}`));
  const own = entity.fields.filter(({ field }) => field.reference === null);
  const parts = [...own.map((one) => ownText(entity, one)), ...parents.map(({ text }) => text)];
  const systems = own.flatMap((one) => {
    const idColumn = one.field.gameSystem?.idColumn;
    if (idColumn == null) return [];
    return [sql`${at('t', idColumn)} <=> ${systemId(current(entity, one), entity.gameSystems)}`];
  });
  const { affectedRows } = await db.run(sql`
    INSERT INTO ${quoteName(entity.digests)} (digest, id)
    SELECT UNHEX(SHA1(IFNULL(CONCAT(${join(parts)}), RAND()))), ${at('t', entity.id.name)}
    FROM ${tableOf(entity)} AS t ${joinAll(parents.map((one) => one.join))}
    WHERE ${all([...parents.map(({ stays }) => stays), ...systems])}
    ON DUPLICATE KEY UPDATE repeated = TRUE`);
  return affectedRows;
}

/** Notes the keys of rows that the file has just so: the rows of others that refer to them may stay. */
export async function noteKeys(db: Db, entity: BoundEntity): Promise<void> {
  // A key with a reference in it is not one that others can be compared by.
  if (entity.keyFields.length < entity.entity.key.length) return;
  const text = sql`CONCAT(${join(entity.keyFields.map((one) => ownText(entity, one)))})`;
  await db.run(sql`INSERT INTO ${quoteName(entity.keys)} (id, text)
    SELECT m.id, ${text} FROM ${idsOf(entity)} AS m
    STRAIGHT_JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = m.id
    WHERE m.exact AND ${text} IS NOT NULL`);
}

/** The key of the row that a reference means, as text, and the copies that go with it. */
function parentOf(one: BoundReference, alias: string) {
  const { parent, column, reference, copies } = one;
  const own = at('t', column.name);
  const none = keyTextOf(one, reference.none?.value ?? null);
  const isNone = reference.none === null ? raw('FALSE') : sql`${own} = ${reference.none.id}`;
  const nothing = keyTextOf(one, null);
  return {
    join: sql`LEFT JOIN ${quoteName(parent.keys)} AS ${raw(alias)} ON ${at(alias, 'id')} = ${own}`,
    stays: sql`(${own} IS NULL OR ${isNone} OR ${at(alias, 'id')} IS NOT NULL)`,
    text: join([
      sql`CASE WHEN ${own} IS NULL THEN ${hex(nothing)} WHEN ${isNone} THEN ${hex(none)} ELSE ${at(alias, 'text')} END`,
      ...copies.map((copy) => valueText(at('t', copy.column.name), copy.column)),
    ]),
  };
}

function keyTextOf({ pairs }: BoundReference, first: Scalar): string {
  return pairs.map((_, index) => digestText(index === 0 ? first : null)).join('');
}

function hex(text: string): Sql {
  return raw(`X'${Buffer.from(text).toString('hex')}'`);
}

function ownText(entity: BoundEntity, one: BoundField): Sql {
  return valueText(current(entity, one), one.type);
}

/** As `digestText` in row.ts. A row that would be too long to be joined into one text has another one. */
function valueText(value: Sql, { maxBytes }: Column): Sql {
  const text = sql`CONCAT(X'3D', CAST(CONVERT(${value} USING utf8mb4) AS BINARY), X'00')`;
  // CONCAT gives NULL beyond max_allowed_packet, and that must not look like the value NULL.
  return maxBytes === null || maxBytes < MAX_PLAIN_BYTES
    ? sql`IFNULL(${text}, X'2D00')`
    : sql`IF(${value} IS NULL, X'2D00', IFNULL(${text}, X'2B00'))`;
}

/** Of the rows of a file, by their digests: notes those that are in the table just so, and gives how many. */
export async function noteExact(
  db: Db,
  entity: BoundEntity,
  rows: readonly { readonly index: number; readonly digest: string }[],
): Promise<number> {
  // MariaDB: VALUES as a table; MySQL would want ROW(…). Digests are hexadecimal.
  const values = rows.map(({ index, digest }) => `(${index},X'${digest}')`).join(',');
  // The second of two equal rows of the file stays out, and is met as a row with the same key.
  const { affectedRows } = await db.run(sql`
    INSERT INTO ${idsOf(entity)} (rn, id, exact)
    WITH v (rn, digest) AS (VALUES ${raw(values)})
    SELECT v.rn, d.id, TRUE FROM v STRAIGHT_JOIN ${quoteName(entity.digests)} AS d ON d.digest = v.digest
    WHERE NOT d.repeated AND NOT EXISTS (SELECT 1 FROM ${idsOf(entity)} AS k WHERE k.id = d.id)`);
  return affectedRows;
}

/** Which of the rows from `first` to `last` were noted. */
export async function readExact(
  db: Db,
  entity: BoundEntity,
  first: number,
  last: number,
): Promise<ReadonlySet<number>> {
  const rows = await db.query<{ rn: number }>(
    sql`SELECT rn FROM ${idsOf(entity)} WHERE exact AND rn BETWEEN ${first} AND ${last}`,
  );
  return new Set(rows.map(({ rn }) => rn));
}

/**
 * False where equal texts may be different values (FLOAT shows fewer digits than it has), where
 * the fields of a reference need not mean one row, and where a copy is of none of them: that has
 * to be found out by looking.
 */
export function hasDigests({ fields, references }: BoundEntity): boolean {
  return (
    fields.every(({ type }) => type.dataType !== 'float') &&
    references.every(({ pairs, parent, copies }) => {
      const meant = pairs.map(({ other }) => other);
      return (
        meant.length === parent.keyFields.length &&
        parent.keyFields.length === parent.entity.key.length &&
        parent.keyFields.every((field) => meant.includes(field)) &&
        copies.every(({ other }) => meant.includes(other))
      );
    })
  );
}

function joinAll(parts: readonly Sql[]): Sql {
  return parts.length === 0 ? raw('') : join([...parts], ' ');
}
