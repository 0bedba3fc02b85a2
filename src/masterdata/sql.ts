/** Pieces of statements that stage, compare and write rows of an entity. `t` is the table, `s` the staging table. */
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

/** A reference of a staged row to a row that has no id yet. */
export function isNewReference({ row, id }: BoundReference): Sql {
  return sql`(${at('s', row)} IS NOT NULL AND ${at('s', id)} IS NULL)`;
}

/** ON: the row of the table that a staged row is about. */
export function sameKey(entity: BoundEntity): Sql {
  const fields = entity.keyFields.map((one) =>
    equal(current(entity, one), at('s', one.stage), one.type),
  );
  const references = entity.references
    .filter(({ inKey }) => inKey)
    .map((one) => {
      const same = equal(at('t', one.column.name), at('s', one.id), one.column);
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
};

/** All columns that a sync writes to a row of the table. */
export function writtenColumns(entity: BoundEntity): Written[] {
  return [
    ...entity.fields.flatMap((one) =>
      one.field.column === null ? [] : writtenOfField(entity, one),
    ),
    ...entity.references.flatMap(writtenOfReference),
  ];
}

function writtenOfField(entity: BoundEntity, one: BoundField): Written[] {
  const { column, gameSystem } = one.field;
  const staged = at('s', one.stage);
  const own = at('t', column!);
  if (gameSystem === null) {
    return [{ column: column!, staged, value: staged, changed: differs(own, staged, one.type) }];
  }
  // Any name of the same system is right: the application itself may write another one.
  const changed = differs(current(entity, one), staged, one.type);
  const text = { column: column!, staged, value: sql`IF(${changed}, ${staged}, ${own})`, changed };
  if (gameSystem.idColumn === null) return [text];
  const id = systemId(staged, entity.gameSystems);
  const idChanged = sql`NOT (${at('t', gameSystem.idColumn)} <=> ${id})`;
  return [text, { column: gameSystem.idColumn, staged: id, value: id, changed: idChanged }];
}

function writtenOfReference(one: BoundReference): Written[] {
  const id = at('s', one.id);
  return [
    {
      column: one.column.name,
      staged: id,
      value: id,
      changed: sql`(${isNewReference(one)} OR ${differs(at('t', one.column.name), id, one.column)})`,
    },
    ...one.copies.map(({ stage, column }) => ({
      column: column.name,
      staged: at('s', stage),
      value: at('s', stage),
      changed: differs(at('t', column.name), at('s', stage), column),
    })),
  ];
}
