import type { BoundEntity, BoundField, BoundReference } from './bind.ts';
import { checkValue, type SqlValue } from './value.ts';

/** A value to stage; undefined stands for the default of the column. */
export type StagedValue = SqlValue | undefined;

/** A row of a file, ready for the staging table, and what is wrong with it. */
export type StagedRow = {
  /** Of the columns of `stagedColumns`, in their order. */
  readonly values: readonly StagedValue[];
  readonly problems: readonly string[];
  /** False when the key cannot be used, so that the row cannot be told from others. */
  readonly usable: boolean;
};

/** Columns of the staging table that the file's rows fill, besides `rn`. Pure. */
export function stagedColumns({ fields, references }: BoundEntity): string[] {
  return [
    ...fields.map(({ stage }) => stage),
    ...fields.flatMap(({ absent }) => (absent === null ? [] : [absent])),
    ...references.flatMap(({ absent }) => (absent === null ? [] : [absent])),
  ];
}

/** Checks a row of a file field by field. A value that does not fit is staged as NULL. Pure. */
export function stageRow(entity: BoundEntity, row: unknown): StagedRow {
  if (row === null || typeof row !== 'object' || Array.isArray(row)) {
    return { values: [], problems: ['this is not an object'], usable: false };
  }
  const record = row as Readonly<Record<string, unknown>>;
  const known = new Set(entity.fields.map(({ field }) => field.name));
  const problems = Object.keys(record)
    .filter((name) => !known.has(name))
    .map((name) => `${name}: there is no such field`);
  const absences = entity.references.map((one) => absenceOf(one, record));
  const refused = new Set<string>();
  const values = entity.fields.map((one) => {
    const reference = entity.references.findIndex(({ pairs }) => pairs.some((p) => p.own === one));
    if (absences[reference] === true) return null;
    const found = fieldValue(one, entity.references[reference], record);
    if (!('problem' in found)) return found.value;
    problems.push(`${one.field.name}: ${found.problem}`);
    refused.add(one.field.name);
    return null;
  });
  return {
    values: [
      ...values,
      ...entity.fields
        .filter(({ absent }) => absent !== null)
        .map(({ field }) => !Object.hasOwn(record, field.name)),
      ...absences.filter((_, index) => entity.references[index]!.absent !== null),
    ],
    problems,
    usable: !entity.entity.key.some((name) => refused.has(name)),
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
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'missing');
  if (text === '') return "''";
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function absenceOf(one: BoundReference, record: Readonly<Record<string, unknown>>): boolean {
  return (
    one.absent !== null && one.pairs.every(({ own }) => !Object.hasOwn(record, own.field.name))
  );
}

function fieldValue(
  { field, type, absent }: BoundField,
  reference: BoundReference | undefined,
  record: Readonly<Record<string, unknown>>,
): { readonly value: StagedValue } | { readonly problem: string } {
  if (!Object.hasOwn(record, field.name)) {
    if (field.default !== undefined) return checkValue(field.default, typeFor(type, reference));
    if (absent === null) return { problem: 'missing' };
    return type.nullable || type.default !== null
      ? { value: undefined }
      : { problem: 'missing, and the column has no default' };
  }
  const value = record[field.name];
  const none = reference?.reference.none;
  // What means "none" need not be a value that the referenced column could have.
  if (none !== undefined && none !== null && value === none.value) return { value: none.value };
  return checkValue(value, typeFor(type, reference));
}

/** A reference may be null where its own column may, whatever the column that it is compared with says. */
function typeFor(type: BoundField['type'], reference: BoundReference | undefined) {
  return reference === undefined ? type : { ...type, nullable: reference.column.nullable };
}
