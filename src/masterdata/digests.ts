/**
 * Rows of the file that are in the table just so, byte for byte, are found by a digest of their
 * values: nothing else has to be compared of them. What is not found this way is staged and
 * compared as the columns say. So a digest may differ for equal rows (1.50 and 1.5), never the
 * other way round.
 */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity } from './bind.ts';
import { selectFields } from './select.ts';
import { all, at, current, differs, idsOf, systemId, tableOf } from './sql.ts';

// Far below the smallest max_allowed_packet in use, also in another character set.
const MAX_PLAIN_BYTES = 1_000_000;

/**
 * Fills the table of digests with the rows of the entity's table that may stay as they are: what
 * they refer to stays too, and their copies and ids of game systems are right. Gives how many.
 * Reads the table with locks; the entities that it refers to must have their ids.
 */
export async function readDigests(db: Db, entity: BoundEntity): Promise<number> {
  if (!hasDigests(entity)) return 0;
  const { values, joins, dangling } = selectFields(entity);
  const unchanged = entity.references.map(({ parent }, index) => {
    const name = `k${index}`;
    const id = at(`p${index}`, parent.id.name);
    return {
      join: sql`LEFT JOIN ${idsOf(parent)} AS ${quoteName(name)} ON ${at(name, 'id')} = ${id}`,
      stays: sql`(${id} IS NULL OR ${at(name, 'exact')})`,
    };
  });
  const { affectedRows } = await db.run(sql`
    INSERT INTO ${quoteName(entity.digests)} (digest, id)
    SELECT ${digestOf(entity, values)}, ${at('t', entity.id.name)}
    FROM ${tableOf(entity)} AS t ${joins} ${joinAll(unchanged.map((one) => one.join))}
    WHERE NOT (${dangling}) AND ${all([...unchanged.map(({ stays }) => stays), ...isRight(entity)])}
    ON DUPLICATE KEY UPDATE repeated = TRUE`);
  return affectedRows;
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
 * False where equal texts may be different values (FLOAT shows fewer digits than it has), or where
 * the fields of a reference need not mean one row: that has to be found out by looking.
 */
function hasDigests({ fields, references }: BoundEntity): boolean {
  return (
    fields.every(({ type }) => type.dataType !== 'float') &&
    references.every(({ pairs, parent }) => {
      const meant = pairs.map(({ other }) => other.field.name);
      return parent.entity.key.every((name) => meant.includes(name));
    })
  );
}

/** As `digestValues` in row.ts. A row that would be too long to be joined into one text has another one. */
function digestOf({ fields }: BoundEntity, values: readonly Sql[]): Sql {
  const parts = values.map((value, index) => {
    const text = sql`CONCAT(X'3D', CAST(CONVERT(${value} USING utf8mb4) AS BINARY), X'00')`;
    const { maxBytes } = fields[index]!.type;
    // CONCAT gives NULL beyond max_allowed_packet, and that must not look like the value NULL.
    return maxBytes === null || maxBytes < MAX_PLAIN_BYTES
      ? sql`IFNULL(${text}, X'2D00')`
      : sql`IF(${value} IS NULL, X'2D00', IFNULL(${text}, X'2B00'))`;
  });
  return sql`UNHEX(SHA1(IFNULL(CONCAT(${join(parts)}), RAND())))`;
}

/** What no field says, and is as the fields want it. */
function isRight(entity: BoundEntity): Sql[] {
  const systems = entity.fields.flatMap((one) => {
    const idColumn = one.field.gameSystem?.idColumn;
    if (idColumn == null) return [];
    const name = current(entity, one);
    return [sql`${at('t', idColumn)} <=> ${systemId(name, entity.gameSystems)}`];
  });
  const copies = entity.references.flatMap(({ parent, copies: own }, index) =>
    own.map(({ column, other }) => {
      const text = current(parent, other, `p${index}`);
      return sql`NOT ${differs(at('t', column.name), text, column)}`;
    }),
  );
  return [...systems, ...copies];
}

function joinAll(parts: readonly Sql[]): Sql {
  return parts.length === 0 ? raw('') : join([...parts], ' ');
}
