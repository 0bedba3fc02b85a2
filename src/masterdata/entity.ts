/**
 * What an application says about its master data, in `entities.json`: which table an entity lives
 * in, by what its rows are told apart without ids, and how they point to one another.
 */
import * as z from 'zod';

const name = z.string().min(1).max(64);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const field = z
  .strictObject({
    column: name.optional().describe('Column of the table; the name of the field without it.'),
    required: z.boolean().optional().describe('A row without the field is an error.'),
    default: scalar.optional().describe('Value of a row that does not have the field.'),
    gameSystem: z
      .strictObject({ idColumn: name.optional() })
      .optional()
      .describe('The field names a game system: its aliases are equal, its id goes to idColumn.'),
    reference: name
      .optional()
      .describe('Column of the reference that this field is a part of (see references).'),
    field: name
      .optional()
      .describe('Field of the referenced entity that this one is compared with.'),
    matches: z
      .strictObject({
        entity: name,
        field: name,
        also: z.array(z.string()).default([]),
      })
      .optional()
      .describe('The value must be that of some row of another entity, null, or one of `also`.'),
  })
  .describe(
    'Without `required` and `default`, a row that lacks the field keeps what the table has.',
  );

const reference = z.strictObject({
  entity: name.describe('The entity that the column points to.'),
  none: z
    .strictObject({ value: scalar, id: z.number().int() })
    .optional()
    .describe('A value that means "none", and the id that is stored for it.'),
  optional: z
    .boolean()
    .optional()
    .describe('A row may lack the fields of the reference: then it keeps what the table has.'),
  copies: z
    .record(name, name)
    .optional()
    .describe('Columns that hold a copy of a field of the referenced row: column to field.'),
});

const entity = z.strictObject({
  table: name,
  file: z.string().regex(/^[a-z0-9][a-z0-9_-]*\.json$/),
  key: z.array(name).min(1).describe('Fields that tell rows apart: the natural key.'),
  missing: z
    .enum(['keep', 'delete'])
    .default('keep')
    .describe('What happens to rows of the table that the file does not have.'),
  fields: z.record(name, field).describe('Every field, in the order of the export.'),
  references: z.record(name, reference).default({}).describe('By column.'),
});

/** The shape of `entities.json`. `entities.schema.json` is made from it. */
export const entitiesFile = z.strictObject({
  $schema: z.string().optional(),
  gameSystemAliases: z
    .record(name, z.strictObject({ id: z.number().int(), aliases: z.array(name) }))
    .default({})
    .describe('Names of each game system: the one that is written, its id and its other names.'),
  protected: z
    .array(z.string().regex(/^[^*]+\*?$/))
    .default([])
    .describe('Tables that must not lose a row by a sync. A * at the end stands for any rest.'),
  entities: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,49}$/), entity),
});

type EntitiesFile = z.infer<typeof entitiesFile>;

export type Scalar = z.infer<typeof scalar>;

export type Field = {
  readonly name: string;
  /** Own column; null for a field of a reference. */
  readonly column: string | null;
  readonly required: boolean;
  /** Undefined: none. */
  readonly default: Scalar | undefined;
  readonly gameSystem: { readonly idColumn: string | null } | null;
  readonly reference: { readonly column: string; readonly field: string } | null;
  readonly matches: Matches | null;
};

export type Matches = {
  readonly entity: string;
  readonly field: string;
  readonly also: readonly string[];
};

export type Reference = {
  readonly column: string;
  readonly entity: string;
  readonly none: { readonly value: Scalar; readonly id: number } | null;
  readonly optional: boolean;
  readonly copies: ReadonlyMap<string, string>;
};

export type Entity = {
  readonly name: string;
  readonly table: string;
  readonly file: string;
  readonly key: readonly string[];
  readonly missing: 'keep' | 'delete';
  readonly fields: readonly Field[];
  readonly references: readonly Reference[];
};

export type GameSystem = {
  /** What is written. */
  readonly name: string;
  readonly id: number;
  readonly aliases: readonly string[];
};

/** The checked declaration; its entities are in an order in which each comes after those it refers to. */
export type EntitySet = {
  readonly dir: string;
  readonly entities: readonly Entity[];
  readonly gameSystems: readonly GameSystem[];
  readonly protected: readonly string[];
  /** SHA-256 of what it says: a changed declaration is a reason to sync again. */
  readonly digest: string;
};

/** The entities of a parsed file, in its order. Pure. */
export function entitiesOf(file: EntitiesFile): Entity[] {
  return Object.entries(file.entities).map(([entityName, one]) => ({
    name: entityName,
    table: one.table,
    file: one.file,
    key: one.key,
    missing: one.missing,
    fields: Object.entries(one.fields).map(([fieldName, part]) => fieldOf(fieldName, part)),
    references: Object.entries(one.references).map(([column, part]) => ({
      column,
      entity: part.entity,
      none: part.none ?? null,
      optional: part.optional ?? false,
      copies: new Map(Object.entries(part.copies ?? {})),
    })),
  }));
}

function fieldOf(fieldName: string, part: z.infer<typeof field>): Field {
  return {
    name: fieldName,
    column: part.reference === undefined ? (part.column ?? fieldName) : null,
    required: part.required ?? false,
    default: part.default,
    gameSystem:
      part.gameSystem === undefined ? null : { idColumn: part.gameSystem.idColumn ?? null },
    reference:
      part.reference === undefined
        ? null
        : { column: part.reference, field: part.field ?? fieldName },
    matches: part.matches ?? null,
  };
}
