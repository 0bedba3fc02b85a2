/**
 * Staging tables: temporary tables of the connection, with the columns' own types and collations.
 * Creating, filling and dropping them neither commits nor touches a row of the database.
 */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity, BoundField, BoundReference } from './bind.ts';
import type { Column } from './columns.ts';
import { copiesKey } from './links.ts';
import { idsOf, isNone, restOf, stageOf } from './sql.ts';

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
    ...entity.references.flatMap((one) => [...idColumns(one), ...copyColumns(one)]),
    ...[entity.keyFields, ...lookups].flatMap(indexOf),
    ...idIndex(entity),
  ];
  await dropStages(db, [entity]);
  await db.run(sql`CREATE TEMPORARY TABLE ${stageOf(entity)} (${join(columns)}) ENGINE=InnoDB`);
  await db.run(sql`CREATE TEMPORARY TABLE ${idsOf(entity)} (rn INT UNSIGNED NOT NULL PRIMARY KEY,
    id ${typeOf(entity.id)} NOT NULL, changed BOOLEAN NOT NULL DEFAULT FALSE, KEY (id)) ENGINE=InnoDB`);
  await db.run(sql`CREATE TEMPORARY TABLE ${restOf(entity)}
    (id ${typeOf(entity.id)} NOT NULL PRIMARY KEY) ENGINE=InnoDB`);
}

/** Makes the empty table of an entity's references, where the staging table cannot say them all. */
export async function createRefs(db: Db, entity: BoundEntity): Promise<void> {
  const columns = entity.references.flatMap((one) => [
    ...idColumns(one),
    ...one.copies.map(({ stage, other }) => sql`${quoteName(stage)} ${typeOf(other.type)} NULL`),
  ]);
  await db.run(sql`CREATE TEMPORARY TABLE ${quoteName(entity.ownRefs)}
    (${join([sql`rn INT UNSIGNED NOT NULL PRIMARY KEY`, ...columns, ...idIndex(entity)])}) ENGINE=InnoDB`);
  entity.refs = entity.ownRefs;
}

function idColumns({ row, id, column }: BoundReference): Sql[] {
  return [sql`${quoteName(row)} INT UNSIGNED NULL`, sql`${quoteName(id)} ${typeOf(column)} NULL`];
}

/** Copies of a row that is meant by its key, byte by byte: they are what the fields of the reference say. */
function copyColumns(one: BoundReference): Sql[] {
  if (!copiesKey(one)) return [];
  const [row, id] = [quoteName(one.row), quoteName(one.id)];
  return one.copies.map(({ stage, other }) => {
    const own = one.pairs.find((pair) => pair.other === other)!.own;
    const nothing = sql`${isNone(one)} OR (${row} IS NULL AND ${id} IS NULL)`;
    return sql`${quoteName(stage)} ${copyTypeOf(other.type)} AS (IF(${nothing}, NULL, ${quoteName(own.stage)})) VIRTUAL`;
  });
}

/** Only where nothing else tells rows apart: the index of the fields is better. */
function idIndex({ keyFields, references }: BoundEntity): Sql[] {
  const ids = keyFields.length > 0 ? [] : references.filter(({ inKey }) => inKey);
  return ids.length === 0 ? [] : [sql`KEY (${join(ids.map(({ id }) => quoteName(id)))})`];
}

/** Drops the staging tables of entities, as far as they are there. */
export async function dropStages(db: Db, entities: readonly BoundEntity[]): Promise<void> {
  const names = entities.flatMap((one) => [one.stage, one.ids, one.ownRefs, one.rest]);
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

/** A text counts among the 64 KiB of a row by the most that it could have, unless it is a long one. */
function copyTypeOf(type: Column): Sql {
  return typeOf(type.charset === null ? type : { ...type, columnType: 'longtext' });
}

function bytesOf({ charset, maxChars }: Column): number {
  return charset === null ? 16 : 4 * (maxChars ?? 0);
}

function typeOf({ columnType, charset, collation }: Column): Sql {
  const text =
    charset === null ? columnType : `${columnType} CHARACTER SET ${charset} COLLATE ${collation}`;
  return raw(text);
}
