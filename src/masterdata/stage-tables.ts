/**
 * Staging tables: temporary tables of the connection, with the columns' own types and collations.
 * Creating, filling and dropping them neither commits nor touches a row of the database.
 */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity, BoundField } from './bind.ts';
import type { Column } from './columns.ts';
import { idsOf, restOf, stageOf } from './sql.ts';

// Of InnoDB, whatever the character set; some are kept for what goes with the columns.
const MAX_INDEX_BYTES = 3_000;

/** Makes the empty staging tables of an entity. `lookups` are fields by which rows are looked for. */
export async function createStage(
  db: Db,
  entity: BoundEntity,
  lookups: readonly (readonly BoundField[])[],
): Promise<void> {
  const columns = [
    sql`rn INT UNSIGNED NOT NULL PRIMARY KEY`,
    sql`absent VARCHAR(10000) CHARACTER SET latin1 NOT NULL DEFAULT ''`,
    ...entity.fields.map(({ stage, type, absent }) => {
      const value = absent === null || type.default === null ? 'NULL' : type.default;
      return sql`${quoteName(stage)} ${typeOf(type)} NULL DEFAULT ${raw(value)}`;
    }),
    ...entity.references.map(
      ({ linkedRow, linkedId, column }) =>
        sql`${quoteName(linkedRow)} INT UNSIGNED NULL, ${quoteName(linkedId)} ${typeOf(column)} NULL`,
    ),
    ...[entity.keyFields, ...lookups].flatMap(indexOf),
  ];
  await dropStages(db, [entity]);
  await db.run(sql`CREATE TEMPORARY TABLE ${stageOf(entity)} (${join(columns)}) ENGINE=InnoDB`);
  await db.run(sql`CREATE TEMPORARY TABLE ${idsOf(entity)} (rn INT UNSIGNED NOT NULL PRIMARY KEY,
    id ${typeOf(entity.id)} NOT NULL, changed BOOLEAN NOT NULL DEFAULT FALSE, KEY (id)) ENGINE=InnoDB`);
  await db.run(sql`CREATE TEMPORARY TABLE ${restOf(entity)}
    (id ${typeOf(entity.id)} NOT NULL PRIMARY KEY) ENGINE=InnoDB`);
  if (entity.references.length > 0) await createRefs(db, entity);
}

async function createRefs(db: Db, entity: BoundEntity): Promise<void> {
  const columns = entity.references.flatMap(({ row, id, column, copies }) => [
    sql`${quoteName(row)} INT UNSIGNED NULL, ${quoteName(id)} ${typeOf(column)} NULL`,
    ...copies.map(({ stage, other }) => sql`${quoteName(stage)} ${typeOf(other.type)} NULL`),
  ]);
  // Only where nothing else tells rows apart: the index of the fields is better.
  const ids = entity.keyFields.length > 0 ? [] : entity.references.filter(({ inKey }) => inKey);
  const key = ids.length === 0 ? [] : [sql`KEY (${join(ids.map(({ id }) => quoteName(id)))})`];
  await db.run(sql`CREATE TEMPORARY TABLE ${quoteName(entity.refs)}
    (${join([sql`rn INT UNSIGNED NOT NULL PRIMARY KEY`, ...columns, ...key])}) ENGINE=InnoDB`);
}

/** Drops the staging tables of entities, as far as they are there. */
export async function dropStages(db: Db, entities: readonly BoundEntity[]): Promise<void> {
  const names = entities.flatMap((one) => [one.stage, one.ids, one.refs, one.rest]);
  await db.run(sql`DROP TEMPORARY TABLE IF EXISTS ${join(names.map(quoteName))}`);
}

/**
 * An index that a join by these fields can use, whatever indexes the table has. Over the whole of
 * them, where that is possible, it also groups them.
 */
function indexOf(fields: readonly BoundField[]): Sql[] {
  if (fields.length === 0) return [];
  const some = fields.slice(0, 8);
  const isShort =
    some.every(
      ({ type }) =>
        type.charset === null || (type.maxChars !== null && !type.dataType.endsWith('text')),
    ) && some.reduce((sum, { type }) => sum + bytesOf(type), 0) <= MAX_INDEX_BYTES;
  const parts = some.map(({ stage, type }) => {
    const isText = type.charset !== null && !isShort;
    const isLong = isText && (type.maxChars === null || type.maxChars > 100);
    const length =
      isLong || (isText && type.dataType.endsWith('text'))
        ? `(${Math.min(type.maxChars ?? 100, 100)})`
        : '';
    return sql`${quoteName(stage)}${raw(length)}`;
  });
  return [sql`KEY (${join(parts)})`];
}

function bytesOf({ charset, maxChars }: Column): number {
  return charset === null ? 16 : 4 * (maxChars ?? 0);
}

function typeOf({ columnType, charset, collation }: Column): Sql {
  const text =
    charset === null ? columnType : `${columnType} CHARACTER SET ${charset} COLLATE ${collation}`;
  return raw(text);
}
