/**
 * Pieces of statements that stage, compare and write rows of an entity. Aliases: `t` is the table,
 * `s` the staging table, `x` the references of its rows, `m` the ids that they have.
 */
import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import { quoteName, quoteNameText } from '../database/identifier.ts';
import type { BoundEntity, BoundField, BoundReference } from './bind.ts';
import type { Column } from './columns.ts';
import type { GameSystem } from './entity.ts';

/** `t.column`, quoted. */
export function at(table: string, column: string): Sql {
  return raw(`${table}.${quoteNameText(column)}`);
}

/** Pieces with AND between them; true when there are none. */
export function all(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? raw('TRUE') : join([...conditions], ' AND ');
}

/** Pieces with OR between them; false when there are none. */
export function any(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? raw('FALSE') : join([...conditions], ' OR ');
}

/** Name of the staging table. */
export function stageOf(entity: BoundEntity): Sql {
  return quoteName(entity.stage);
}

/** Name of the staging table that says which row of the table a staged row is about. */
export function idsOf(entity: BoundEntity): Sql {
  return quoteName(entity.ids);
}

/** Name of the staging table of the ids that the file does not have just so. */
export function restOf(entity: BoundEntity): Sql {
  return quoteName(entity.rest);
}

/** FROM: the rows `t` of the table that the file does not have just so. */
export function restRows(entity: BoundEntity): Sql {
  return sql`${restOf(entity)} AS e STRAIGHT_JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = e.id`;
}

/** FROM: rows `t` of the table that the file does not have just so; those without `m` it has not at all. */
export function goneRows(entity: BoundEntity): Sql {
  return sql`FROM ${restRows(entity)}
    LEFT JOIN ${idsOf(entity)} AS m ON m.id = ${at('t', entity.id.name)}`;
}

/** FROM: the staged rows `s` with their references `x` and, as far as they have any, their ids `m`. */
export function stagedRows(entity: BoundEntity): Sql {
  return sql`${stageOf(entity)} AS s ${joinRefs(entity)} LEFT JOIN ${idsOf(entity)} AS m ON m.rn = s.rn`;
}

/** JOIN: the references `x` of the staged rows `s`; nothing for an entity without references. */
export function joinRefs(entity: BoundEntity): Sql {
  if (entity.references.length === 0) return empty;
  return sql`STRAIGHT_JOIN ${quoteName(entity.refs)} AS x ON x.rn = s.rn`;
}

/**
 * FROM: the staged rows `s` with their references by the alias `refs`: that of the rows themselves
 * where the staging table has them.
 */
export function rowsWithRefs(entity: BoundEntity): { readonly from: Sql; readonly refs: string } {
  const refs = entity.refs === entity.stage ? 's' : 'x';
  const joined = refs === 's' ? empty : joinRefs(entity);
  return { from: sql`${stageOf(entity)} AS s ${joined}`, refs };
}

/** True for a staged row that lacks a field, or the fields of a reference; false where none can. */
export function isAbsent({ absent }: { readonly absent: number | null }): Sql {
  return absent === null ? raw('FALSE') : sql`(SUBSTR(s.absent, ${absent + 1}, 1) = '1')`;
}

/** Name of the table. */
export function tableOf(entity: BoundEntity): Sql {
  return quoteName(entity.table.name);
}

/** The name of a game system that is written, for any of its names; other texts stay. */
export function systemName(text: Sql, systems: readonly GameSystem[], id?: Sql): Sql {
  if (systems.length === 0) return text;
  const cases = systems.map(({ name, aliases, id: own }) => {
    const byId = id === undefined ? empty : sql` OR (${text} IS NULL AND ${id} = ${own})`;
    return sql`WHEN ${text} IN (${join([name, ...aliases])})${byId} THEN ${name}`;
  });
  return sql`CASE ${join(cases, ' ')} ELSE ${text} END`;
}

/** The id of a game system whose written name is given; NULL for another text. */
export function systemId(text: Sql, systems: readonly GameSystem[]): Sql {
  if (systems.length === 0) return raw('NULL');
  return sql`CASE ${join(
    systems.map(({ name, id }) => sql`WHEN ${text} = ${name} THEN ${id}`),
    ' ',
  )} END`;
}

/** What the table has for a field with an own column, as the file would say it. */
export function current(entity: BoundEntity, { field }: BoundField, table = 't'): Sql {
  const column = at(table, field.column!);
  if (field.gameSystem === null) return column;
  const { idColumn } = field.gameSystem;
  const id = idColumn === null ? undefined : at(table, idColumn);
  return systemName(column, entity.gameSystems, id);
}

/** True when the two are equal by the column's collation; NULL equals NULL. */
export function equal(left: Sql, right: Sql, column: Column): Sql {
  // MariaDB: an index is used for both, but `=` also where the optimizer may turn the join around.
  return column.nullable ? sql`${left} <=> ${right}` : sql`${left} = ${right}`;
}

/** True when two values differ in any way: texts are compared byte by byte. */
export function differs(left: Sql, right: Sql, column: Column): Sql {
  return column.charset === null
    ? sql`NOT (${left} <=> ${right})`
    : sql`NOT (BINARY ${left} <=> BINARY ${right})`;
}

/** A text of one column, as it can be compared with another column of whatever collation. */
export function comparable(value: Sql, own: Column, other: Column): Sql {
  if (other.collation === null || own.collation === other.collation) return value;
  return sql`CONVERT(${value} USING ${raw(other.charset!)}) COLLATE ${raw(other.collation)}`;
}

/** True where the fields of a reference say that nothing is meant. `table` is the alias of the staging table. */
export function isNone({ pairs, reference: { none } }: BoundReference, table?: string): Sql {
  const [{ own }] = pairs as [BoundReference['pairs'][number]];
  const value = table === undefined ? quoteName(own.stage) : at(table, own.stage);
  return none === null ? raw('FALSE') : sql`(${value} <=> ${none.value})`;
}

/** A reference of a staged row to a row that has no id yet. */
export function isNewReference({ row, id }: BoundReference): Sql {
  return sql`(${at('x', row)} IS NOT NULL AND ${at('x', id)} IS NULL)`;
}

/** What tells rows `t` of the table apart. */
export function keyColumns(entity: BoundEntity): Sql[] {
  return [
    ...entity.keyFields.map((one) => current(entity, one)),
    ...entity.references.filter(({ inKey }) => inKey).map(({ column }) => at('t', column.name)),
  ];
}

/** ON: the row of the table that a staged row is about. */
export function sameKey(entity: BoundEntity): Sql {
  const fields = entity.keyFields.map((one) =>
    equal(current(entity, one), at('s', one.stage), one.type),
  );
  const references = entity.references
    .filter(({ inKey }) => inKey)
    .map((one) => {
      const same = equal(at('t', one.column.name), at('x', one.id), one.column);
      return sql`${same} AND NOT ${isNewReference(one)}`;
    });
  return all([...fields, ...references]);
}

/** A column that a sync writes. */
export type Written = {
  readonly column: string;
  /** What the staging table has for it. */
  readonly staged: Sql;
  /** What an UPDATE sets; may be what the row `t` has. */
  readonly value: Sql;
  /** Condition: the row `t` has something else. */
  readonly changed: Sql;
  /** Place of the reference whose id it is, else null. */
  readonly reference: number | null;
};

/** All columns that a sync writes to a row of the table. `refs` is the alias of the references. */
export function writtenColumns(entity: BoundEntity, refs = 'x'): Written[] {
  return [
    ...entity.fields.flatMap((one) =>
      one.field.column === null ? [] : writtenOfField(entity, one),
    ),
    ...entity.references.flatMap((one, index) => writtenOfReference(one, index, refs)),
  ];
}

function writtenOfField(entity: BoundEntity, one: BoundField): Written[] {
  const { column, gameSystem } = one.field;
  const staged = at('s', one.stage);
  const own = at('t', column!);
  // What a row of the file does not say stays as the table has it.
  const given = sql`NOT ${isAbsent(one)}`;
  if (gameSystem === null) {
    const value = one.absent === null ? staged : sql`IF(${isAbsent(one)}, ${own}, ${staged})`;
    const changed = sql`(${given} AND ${differs(own, staged, one.type)})`;
    return [{ column: column!, staged, value, changed, reference: null }];
  }
  // Any name of the same system is right: the application itself may write another one.
  const changed = sql`(${given} AND ${differs(current(entity, one), staged, one.type)})`;
  const value = sql`IF(${changed}, ${staged}, ${own})`;
  const text = { column: column!, staged, value, changed, reference: null };
  if (gameSystem.idColumn === null) return [text];
  const id = systemId(staged, entity.gameSystems);
  const kept = at('t', gameSystem.idColumn);
  return [
    text,
    {
      column: gameSystem.idColumn,
      staged: id,
      value: sql`IF(${isAbsent(one)}, ${kept}, ${id})`,
      changed: sql`(${given} AND NOT (${kept} <=> ${id}))`,
      reference: null,
    },
  ];
}

function writtenOfReference(one: BoundReference, index: number, refs: string): Written[] {
  const id = at(refs, one.id);
  return [
    {
      column: one.column.name,
      staged: id,
      value: id,
      changed: sql`(${isNewReference(one)} OR ${differs(at('t', one.column.name), id, one.column)})`,
      reference: index,
    },
    ...one.copies.map(({ stage, column }) => ({
      column: column.name,
      staged: at(refs, stage),
      value: at(refs, stage),
      changed: differs(at('t', column.name), at(refs, stage), column),
      reference: null,
    })),
  ];
}

/** True when the row `t` has something else than what is staged. */
export function isChanged(entity: BoundEntity): Sql {
  return any(writtenColumns(entity).map(({ changed }) => changed));
}
