import sql, { join, raw, type Sql } from 'sql-template-tag';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity, BoundField } from './bind.ts';
import { at, current, tableOf } from './sql.ts';

/** The rows of a table `t` as the fields of its entity: references are those of joined tables. */
export type FieldSelect = {
  /** Of each field, in the order of the entity. */
  readonly values: readonly Sql[];
  /** LEFT JOIN of every referenced table. */
  readonly joins: Sql;
  /** Condition: a reference of the row points to a row that is not there. */
  readonly dangling: Sql;
};

/** How the rows of an entity's table are read as its fields. Pure. */
export function selectFields(entity: BoundEntity): FieldSelect {
  const alias = (field: BoundField) => {
    const index = entity.references.findIndex(({ pairs }) =>
      pairs.some(({ own }) => own === field),
    );
    return { reference: entity.references[index], table: `p${index}` };
  };
  const joins = entity.references.map(({ parent, column }, index) => {
    const id = at(`p${index}`, parent.id.name);
    return sql`LEFT JOIN ${tableOf(parent)} AS ${quoteName(`p${index}`)} ON ${id} = ${at('t', column.name)}`;
  });
  const dangling = entity.references.map(({ parent, column, reference }, index) => {
    const own = at('t', column.name);
    const isNone = reference.none === null ? raw('FALSE') : sql`${own} = ${reference.none.id}`;
    return sql`(${own} IS NOT NULL AND NOT (${isNone}) AND ${at(`p${index}`, parent.id.name)} IS NULL)`;
  });
  const values = entity.fields.map((field) => {
    const { reference, table } = alias(field);
    if (reference === undefined) return current(entity, field);
    const { other } = reference.pairs.find(({ own }) => own === field)!;
    const value = current(reference.parent, other, table);
    const { none } = reference.reference;
    if (none === null) return value;
    return sql`IF(${at('t', reference.column.name)} = ${none.id}, ${none.value}, ${value})`;
  });
  return {
    values,
    joins: joins.length === 0 ? raw('') : join(joins, ' '),
    dangling: dangling.length === 0 ? raw('FALSE') : join(dangling, ' OR '),
  };
}
