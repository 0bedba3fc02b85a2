/**
 * The structural fingerprint: one hash for each object of a schema. It is strict: the order of
 * columns, names of indexes and keys, comments and definers count. What moves by itself or is
 * spelling (AUTO_INCREMENT, statistics, the order of keys) is not in the model. Pure.
 */
import { createHash } from 'node:crypto';
import type { ObjectKey, SchemaModel, SchemaObject, Table } from './model.ts';
import { withoutDefaultWidth } from './normalise.ts';

/** The fingerprint of one object: 32 hex digits of a SHA-256. */
export function fingerprintObject(object: SchemaObject): string {
  return hash(object.kind === 'table' ? canonicalTable(object) : object);
}

/**
 * The fingerprints of all objects, by key, and under `database:` that of the schema's own
 * defaults (character set, collation, comment).
 */
export function fingerprintSchema(model: SchemaModel): ReadonlyMap<ObjectKey, string> {
  const { charset, collation, comment = '' } = model;
  const entries: [ObjectKey, string][] = [['database:', hash({ charset, collation, comment })]];
  for (const [key, object] of model.objects) entries.push([key, fingerprintObject(object)]);
  return new Map(entries);
}

/** One object that two readings of a schema show differently; null means absent. */
export type ChangedObject = {
  readonly key: ObjectKey;
  readonly before: string | null;
  readonly after: string | null;
};

/** The objects whose fingerprints differ, by key. */
export function changedObjects(
  before: ReadonlyMap<ObjectKey, string>,
  after: ReadonlyMap<ObjectKey, string>,
): ChangedObject[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((key) => ({ key, before: before.get(key) ?? null, after: after.get(key) ?? null }))
    .filter((object) => object.before !== object.after);
}

/** One hash over a map of fingerprints, whatever the order of its entries. */
export function digestOf(fingerprints: ReadonlyMap<string, string>): string {
  return hash([...fingerprints].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function canonicalTable(table: Table): unknown {
  return {
    ...table,
    columns: table.columns.map((column) => ({ ...column, type: withoutDefaultWidth(column.type) })),
    options: table.options.toSorted(),
    indexes: sortedByText(table.indexes),
    foreignKeys: sortedByText(table.foreignKeys),
    checks: sortedByText(table.checks),
  };
}

function sortedByText(values: readonly unknown[]): string[] {
  return values.map(canonicalText).sort();
}

function hash(value: unknown): string {
  return createHash('sha256').update(canonicalText(value)).digest('hex').slice(0, 32);
}

/** JSON with sorted keys, so that the order in which a model was built does not count. */
function canonicalText(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  const record = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(record).sort();
  return `{${keys.map((key) => `"${key}":${canonicalText(record[key])}`).join()}}`;
}
