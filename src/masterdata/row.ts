/** Rows of a file, checked field by field and made ready for the staging table. Pure. */
import type { BoundEntity, BoundField, BoundReference } from './bind.ts';
import type { Column } from './columns.ts';
import type { Scalar } from './entity.ts';
import { type Checked, checkValue, type SqlValue } from './value.ts';

/** A value to stage; undefined stands for the default of the column. */
export type StagedValue = SqlValue | undefined;

/** A row of a file, ready for the staging table, and what is wrong with it. */
export type StagedRow = {
  /** Of the fields, in their order. */
  readonly values: readonly StagedValue[];
  /** A 1 at the place of each field and reference that the row lacks; empty when it lacks none. */
  readonly absent: string;
  readonly problems: readonly string[];
  /** False when the key cannot be used, so that the row cannot be told from others. */
  readonly usable: boolean;
  /** Nothing is lacking, wrong or to be translated: its values are all there is to say. */
  readonly whole: boolean;
  /** False when a name of a game system is not written as the declaration writes it. */
  readonly plainSystems: boolean;
};

type FieldPlan = {
  readonly name: string;
  readonly type: Column;
  /** Place of the field's reference; -1 without one. */
  readonly reference: number;
  readonly none: { readonly value: Scalar } | null;
  /** What a row without the field has, or why it must have it. */
  readonly missing: { readonly value: StagedValue } | { readonly problem: string };
  readonly absent: number | null;
  readonly isSystem: boolean;
  readonly inKey: boolean;
};

const unusable = { values: [], absent: '', usable: false, whole: false, plainSystems: true };

/** Makes the function that checks the rows of an entity. A value that does not fit is staged as NULL. */
export function makeRowStager(entity: BoundEntity): (row: unknown) => StagedRow {
  const plans = entity.fields.map((field) => planField(entity, field));
  const known = new Set(plans.map(({ name }) => name));
  const optional = entity.references.map((one) => ({
    place: one.absent,
    names: one.pairs.map(({ own }) => own.field.name),
  }));
  const width = entity.fields.length + entity.references.length;
  const systems = new Map(
    entity.gameSystems.flatMap(({ name, aliases }) =>
      [name, ...aliases].map((alias) => [alias, name]),
    ),
  );

  return (row) => {
    if (row === null || typeof row !== 'object' || Array.isArray(row)) {
      return { ...unusable, problems: ['this is not an object'] };
    }
    const record = row as Readonly<Record<string, unknown>>;
    const problems: string[] = [];
    for (const name in record) {
      if (!known.has(name)) problems.push(`${name}: there is no such field`);
    }
    const lacking: number[] = [];
    for (const { place, names } of optional) {
      if (place !== null && names.every((name) => !Object.hasOwn(record, name))) {
        lacking.push(place);
      }
    }
    let [usable, plainSystems] = [true, true];
    const values = plans.map((plan) => {
      if (plan.reference !== -1 && lacking.includes(optional[plan.reference]!.place ?? -1)) {
        return null;
      }
      const isGiven = Object.hasOwn(record, plan.name);
      if (!isGiven && plan.absent !== null) lacking.push(plan.absent);
      const found = isGiven ? givenValue(plan, record[plan.name]) : plan.missing;
      if ('problem' in found) {
        problems.push(`${plan.name}: ${found.problem}`);
        if (plan.inKey) usable = false;
        return null;
      }
      if (!plan.isSystem || typeof found.value !== 'string') return found.value;
      const written = systems.get(found.value);
      // Another spelling may still be equal for the database.
      if (written === undefined) plainSystems = false;
      return written ?? found.value;
    });
    const whole = lacking.length === 0 && problems.length === 0 && plainSystems;
    return {
      ...{ values, problems, usable, whole, plainSystems },
      absent: absentText(lacking, width),
    };
  };
}

/** The key of a row as a person reads it, for problems and reports. Pure. */
export function keyText(entity: BoundEntity, row: unknown): string | null {
  if (row === null || typeof row !== 'object') return null;
  const record = row as Readonly<Record<string, unknown>>;
  return entity.entity.key.map((name) => shorten(record[name])).join(', ');
}

/** A value as short text. Pure. */
export function shorten(value: unknown, most = 60): string {
  // Never the contents of a nested value: it may be deeper than the stack.
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}';
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'missing');
  if (text === '') return "''";
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function planField(entity: BoundEntity, one: BoundField): FieldPlan {
  const { field, absent, isSystem } = one;
  const index = entity.references.findIndex(({ pairs }) => pairs.some(({ own }) => own === one));
  const reference = entity.references[index];
  const type = typeFor(one.type, reference);
  return {
    ...{ name: field.name, type, reference: index, absent, isSystem },
    none: reference?.reference.none ?? null,
    missing: missingValue(one, type),
    inKey: entity.entity.key.includes(field.name),
  };
}

function missingValue({ field, absent, type }: BoundField, checked: Column): FieldPlan['missing'] {
  if (field.default !== undefined) return checkValue(field.default, checked);
  if (absent === null) return { problem: 'missing' };
  return type.nullable || type.default !== null
    ? { value: undefined }
    : { problem: 'missing, and the column has no default' };
}

function givenValue({ none, type }: FieldPlan, value: unknown): Checked {
  // What means "none" need not be a value that the referenced column could have.
  if (none !== null && value === none.value) return { value: none.value };
  return checkValue(value, type);
}

/** A reference may be null where its own column may, whatever the column that it is compared with says. */
function typeFor(type: Column, reference: BoundReference | undefined): Column {
  return reference === undefined ? type : { ...type, nullable: reference.column.nullable };
}

function absentText(lacking: readonly number[], width: number): string {
  if (lacking.length === 0) return '';
  return Array.from({ length: width }, (_, at) => (lacking.includes(at) ? '1' : '0')).join('');
}
