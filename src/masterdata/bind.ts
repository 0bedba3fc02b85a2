/**
 * Entities with the columns that the database has for them, and the names that they have in their
 * staging tables: what all statements of a sync are made of.
 */
import { type Column, isMissing, type TableFacts } from './columns.ts';
import { ENTITIES_FILE } from './entities.ts';
import type { Entity, EntitySet, Field, GameSystem, Reference } from './entity.ts';
import type { Problems } from './problems.ts';
import { isSupported } from './value.ts';

/** A field: its staging column, and the column that says what values it takes. */
export type BoundField = {
  readonly field: Field;
  readonly stage: string;
  /** The own column, or for a field of a reference that of the referenced table. */
  readonly type: Column;
  /** Place in the text that says which fields a row lacks, so that it keeps what it has; null: it cannot. */
  readonly absent: number | null;
  /** The field has names of game systems. */
  readonly isSystem: boolean;
};

/** A reference: the id column, and where it is prepared in the staging table. */
export type BoundReference = {
  readonly reference: Reference;
  readonly column: Column;
  readonly parent: BoundEntity;
  /** Own fields with the parent's fields that they are compared with. */
  readonly pairs: readonly { readonly own: BoundField; readonly other: BoundField }[];
  /** Column of `refs`: row of the parent's staging table. In the staging table: as far as equal bytes tell. */
  readonly row: string;
  /** Column of `refs`: id in the parent's table; null while that row is new. In the staging table as `row`. */
  readonly id: string;
  readonly absent: number | null;
  readonly copies: readonly {
    /** Column of `refs`. */
    readonly stage: string;
    readonly column: Column;
    readonly other: BoundField;
  }[];
  readonly inKey: boolean;
};

export type BoundEntity = {
  readonly entity: Entity;
  readonly table: TableFacts;
  /** Staging table: the rows of the file that differ from all rows of the table, as far as that is known. */
  readonly stage: string;
  /** Staging table: ids of the rows of the table that the file does not have just so. */
  readonly rest: string;
  /** Staging table: which row of the table a staged row is about. */
  readonly ids: string;
  /**
   * Where it stands which rows the staged ones refer to: the staging table itself as long as equal
   * bytes tell it of all of them, then `ownRefs`.
   */
  refs: string;
  /** Staging table: which rows the staged ones refer to, where that had to be searched for. */
  readonly ownRefs: string;
  /** The column of the primary key. */
  readonly id: Column;
  readonly fields: readonly BoundField[];
  readonly references: readonly BoundReference[];
  /** Fields of the key that are not part of a reference. */
  readonly keyFields: readonly BoundField[];
  readonly gameSystems: readonly GameSystem[];
};

/**
 * Joins declaration and database; in the order of the set. What does not fit together becomes a
 * problem, and the entity is left out. Pure.
 */
export function bindEntities(
  set: EntitySet,
  tables: ReadonlyMap<string, TableFacts>,
  problems: Problems,
): BoundEntity[] {
  const bound = new Map<string, BoundEntity>();
  for (const entity of set.entities) {
    const complaints: string[] = [];
    const one = bindEntity(entity, set, tables.get(entity.table), bound, complaints);
    for (const message of complaints) {
      problems.add(ENTITIES_FILE, null, null, `entity ${entity.name}: ${message}`);
    }
    if (one !== null && complaints.length === 0) bound.set(entity.name, one);
  }
  return [...bound.values()];
}

function bindEntity(
  entity: Entity,
  set: EntitySet,
  table: TableFacts | undefined,
  bound: ReadonlyMap<string, BoundEntity>,
  complaints: string[],
): BoundEntity | null {
  if (table === undefined) {
    complaints.push(`the database has no table ${entity.table}`);
    return null;
  }
  const id = table.columns.get(table.primaryKey.length === 1 ? table.primaryKey[0]! : '');
  if (id === undefined) {
    complaints.push(`table ${entity.table} has no primary key of one column`);
    return null;
  }
  complaints.push(...columnComplaints(entity, table));
  const parents = entity.references.map((reference) => bound.get(reference.entity));
  // The parent's own complaint is enough.
  if (complaints.length > 0 || parents.some((parent) => parent === undefined)) return null;
  const fields = entity.fields.map((field, at) => bindField(entity, field, at, table, bound));
  const references = entity.references.map((reference, at) =>
    bindReference(reference, at, table, fields, parents[at]!, entity),
  );
  return {
    ...{ entity, table, id, fields, references, gameSystems: set.gameSystems },
    // No name of an entity begins with a digit.
    stage: `deploy_md_${entity.name}`,
    ids: `deploy_md_0i_${entity.name}`,
    refs: `deploy_md_${entity.name}`,
    ownRefs: `deploy_md_0r_${entity.name}`,
    rest: `deploy_md_0t_${entity.name}`,
    keyFields: fields.filter(
      ({ field }) => entity.key.includes(field.name) && field.reference === null,
    ),
  };
}

function columnComplaints(entity: Entity, table: TableFacts): string[] {
  const named = [
    ...entity.fields.flatMap(({ column, gameSystem }) => [column, gameSystem?.idColumn ?? null]),
    ...entity.references.flatMap(({ column, copies }) => [column, ...copies.keys()]),
  ].filter((name) => name !== null);
  const missing = named.filter((name) => isMissing(table.columns.get(name)));
  const needed = [...table.columns.values()].filter(
    ({ name, nullable, default: value, autoIncrement, generated }) =>
      !nullable && value === null && !autoIncrement && !generated && !named.includes(name),
  );
  const odd = named
    .map((name) => table.columns.get(name))
    .filter((column) => column !== undefined && !isSupported(column.dataType));
  return [
    ...missing.map((name) => `table ${entity.table} has no column ${name} that can be written`),
    ...needed.map(({ name }) => `column ${name} must have a value, and no field gives it one`),
    ...odd.map((column) => `column ${column!.name} has a type that JSON cannot hold`),
  ];
}

function bindField(
  entity: Entity,
  field: Field,
  at: number,
  table: TableFacts,
  bound: ReadonlyMap<string, BoundEntity>,
): BoundField {
  const reference = entity.references.find(({ column }) => column === field.reference?.column);
  const parent = reference === undefined ? undefined : bound.get(reference.entity)!;
  const other = parent?.fields.find((one) => one.field.name === field.reference!.field);
  // A row without the field keeps what the table has: not where that decides which row it is.
  const keeps = field.default === undefined && !field.required && !entity.key.includes(field.name);
  return {
    field,
    stage: `f${at}`,
    type: other?.type ?? table.columns.get(field.column!)!,
    absent: keeps && reference === undefined ? at : null,
    isSystem: field.gameSystem !== null || other?.field.gameSystem != null,
  };
}

function bindReference(
  reference: Reference,
  at: number,
  table: TableFacts,
  fields: readonly BoundField[],
  parent: BoundEntity,
  entity: Entity,
): BoundReference {
  const own = fields.filter(({ field }) => field.reference?.column === reference.column);
  const otherOf = (name: string) => parent.fields.find(({ field }) => field.name === name)!;
  return {
    ...{ reference, parent, row: `r${at}`, id: `i${at}` },
    column: table.columns.get(reference.column)!,
    pairs: own.map((one) => ({ own: one, other: otherOf(one.field.reference!.field) })),
    absent: reference.optional ? entity.fields.length + at : null,
    copies: [...reference.copies].map(([column, field], number) => ({
      stage: `c${at}_${number}`,
      column: table.columns.get(column)!,
      other: otherOf(field),
    })),
    inKey: own.some(({ field }) => entity.key.includes(field.name)),
  };
}
