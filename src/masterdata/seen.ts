/**
 * Values that must be those of some row of another entity (`matches`): most are written just so in
 * the file of that entity, and then nothing has to be looked for.
 */
import type { BoundEntity, BoundField } from './bind.ts';
import { valueText } from './links.ts';
import type { StagedValue } from './row.ts';

// Some 20 MB for a field. Of one with more values all rows are looked at.
const MOST_VALUES = 250_000;

export type SeenValues = {
  /** Gives the function that takes the values of one row of the entity. */
  of(entity: BoundEntity): (values: readonly StagedValue[]) => void;
  /** True when each value of the field is one of `also`, or is written so in the field that it must match. */
  allKnown(field: BoundField, target: BoundField, also: readonly StagedValue[]): boolean;
};

/** Makes the empty collection for the fields of some entities. */
export function makeSeenValues(entities: readonly BoundEntity[]): SeenValues {
  const matching = entities.flatMap((entity) =>
    entity.fields.flatMap((one) => (one.field.matches === null ? [] : [one.field.matches])),
  );
  const seen = new Map<BoundField, Set<string>>();
  for (const { entity, fields } of entities) {
    for (const one of fields) {
      const isTarget = matching.some(
        (target) => target.entity === entity.name && target.field === one.field.name,
      );
      if (isTarget || one.field.matches !== null) seen.set(one, new Set());
    }
  }
  return {
    of({ fields }) {
      const places = fields.flatMap((one, place) => {
        const values = seen.get(one);
        return values === undefined ? [] : [{ place, values }];
      });
      return (row) => {
        for (const { place, values } of places) {
          if (row[place] !== null && values.size <= MOST_VALUES) values.add(textOf(row[place]));
        }
      };
    },
    allKnown(field, target, also) {
      const [own, known] = [seen.get(field)!, seen.get(target)!];
      if (own.size > MOST_VALUES) return false;
      const listed = also.map(textOf);
      return [...own].every(
        (value) => value !== KEPT && (known.has(value) || listed.includes(value)),
      );
    },
  };
}

// A row that does not have the field keeps what the table has, or gets its default.
const KEPT = '';

function textOf(value: StagedValue): string {
  return value === undefined ? KEPT : valueText(value);
}
