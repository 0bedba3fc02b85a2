/**
 * What rows of the file refer to, as far as equal bytes tell: most references are written just as
 * the key that they mean, and need no search under a collation. The others are left to the server.
 */
import type { BoundEntity, BoundReference } from './bind.ts';
import type { StagedValue } from './row.ts';

/** A row of the file: by its id as text where the table has it just so, else by its place in the file. */
export type Place = string | number;

/** What a reference means: a row or an id; null for nothing; undefined where only the server can tell. */
export type Link = Place | null | undefined;

// Some 20 MB. What is beyond them is looked for by the server.
const MOST_KEYS = 250_000;

/** The natural keys of the rows that others may refer to. */
export type KeyPlaces = {
  note(values: readonly StagedValue[], place: Place): void;
  find(key: string): Place | undefined;
};

/** Makes the empty index of an entity's keys; null where a key alone does not say which row is meant. */
export function makeKeyPlaces(entity: BoundEntity): KeyPlaces | null {
  if (!hasPlainKey(entity)) return null;
  const key = entity.keyFields.map((field) => entity.fields.indexOf(field));
  const places = new Map<string, Place>();
  return {
    note(values, place) {
      const text = textOf(values, key);
      if (text !== null && places.size < MOST_KEYS) places.set(text, place);
    },
    find: (text) => places.get(text),
  };
}

/** True when the fields of a reference are the whole key of what it refers to. Pure. */
export function meansKey({ pairs, parent }: BoundReference): boolean {
  const meant = pairs.map(({ other }) => other);
  return (
    hasPlainKey(parent) &&
    meant.length === parent.keyFields.length &&
    parent.keyFields.every((field) => meant.includes(field))
  );
}

/** True when all copies that go with a reference are of fields by which it refers. Pure. */
export function copiesKey({ pairs, copies }: BoundReference): boolean {
  return copies.every(({ other }) => pairs.some((pair) => pair.other === other));
}

/** Makes the function that gives what each reference of a row means. */
export function makeLinker(
  entity: BoundEntity,
  keysOf: (parent: BoundEntity) => KeyPlaces | null | undefined,
): (values: readonly StagedValue[]) => Link[] {
  const plans = entity.references.map((one) => {
    const keys = meansKey(one) ? keysOf(one.parent) : null;
    const placeOf = (own: BoundReference['pairs'][number]) => entity.fields.indexOf(own.own);
    const key = one.parent.keyFields.map((field) => {
      const pair = one.pairs.find(({ other }) => other === field);
      return pair === undefined ? -1 : placeOf(pair);
    });
    return { keys, key, own: one.pairs.map(placeOf), none: one.reference.none };
  });
  return (values) =>
    plans.map(({ keys, key, own, none }) => {
      if (none !== null && values[own[0]!] === none.value) {
        return String(none.id);
      }
      if (own.every((place) => values[place] === null)) return null;
      const text = keys == null ? null : textOf(values, key);
      return text === null ? undefined : keys!.find(text);
    });
}

/** A value as keys and digests contain it. Pure. */
export function valueText(value: StagedValue): string {
  if (value === null || value === undefined) return '-\0';
  if (typeof value === 'boolean') return value ? '=1\0' : '=0\0';
  return `=${value}\0`;
}

/** Some values of a row as one text; null where a NUL in one could stand for the next. Pure. */
export function textOf(values: readonly StagedValue[], places: readonly number[]): string | null {
  let text = '';
  for (const place of places) {
    const value = values[place];
    if (typeof value === 'string' && value.includes('\0')) return null;
    text += valueText(value);
  }
  return text;
}

/** A key with a reference in it is not one that others can be compared by. */
function hasPlainKey({ keyFields, entity }: BoundEntity): boolean {
  return keyFields.length === entity.key.length;
}
