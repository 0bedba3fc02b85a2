/** Keys that differ only as slips of the pen do. Pure. */
import type { Entity } from './entity.ts';

// In short names one letter makes another word.
const LEAST_LETTERS = 6;
// Some 50 MB. Of more names only those that are equal but for their spelling are found.
const MOST_VARIANTS = 500_000;

/**
 * Makes the function that tells of each row the earlier one whose key is spelled almost alike: with
 * other umlauts, spaces or signs, or with one letter more, less or another.
 */
export function makeTwins(
  entity: Entity,
): (row: Readonly<Record<string, unknown>>, key: string) => string | null {
  const seen = new Map<string, string>();
  const variants = new Map<string, string>();
  // What refers to another entity is spelled as it is there, and is reported there.
  const named = entity.key.flatMap((name, at) => {
    const field = entity.fields.find((one) => one.name === name);
    return field === undefined || field.reference !== null || field.gameSystem !== null ? [] : [at];
  });
  return (row, key) => {
    const parts = entity.key.map((name) => foldSpelling(textOf(row[name])));
    if (parts.every((part) => part === '')) return null;
    const alike = JSON.stringify(parts);
    const same = seen.get(alike);
    if (same !== undefined) return same === key ? null : same;
    seen.set(alike, key);
    let twin: string | null = null;
    for (const variant of variantsOf(parts, named)) {
      const other = variants.get(variant);
      if (other === undefined && variants.size < MOST_VARIANTS) variants.set(variant, key);
      if (other !== undefined && other !== key) twin ??= other;
    }
    return twin;
  };
}

/** The key with one letter left out, for each: two that are one letter apart have one of these in common. */
function* variantsOf(parts: readonly string[], named: readonly number[]): Generator<string> {
  for (const place of named) {
    const letters = [...parts[place]!];
    if (letters.length < LEAST_LETTERS) continue;
    // Longer by one letter than another name, it is found by the other's whole.
    yield JSON.stringify([place, parts]);
    for (const [at, letter] of letters.entries()) {
      // Numbers tell names apart on purpose.
      if (/\p{N}/u.test(letter)) continue;
      yield JSON.stringify([place, parts.with(place, letters.toSpliced(at, 1).join(''))]);
    }
  }
}

/** About what the collations of the database take for the same: case, accents, ligatures, ß. */
export function fold(value: string): string {
  return value
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
    .trimEnd();
}

/** Besides what `fold` does: ä written as ae, and what is no letter or digit. */
function foldSpelling(value: string): string {
  const written = value.replaceAll(/[äöüÄÖÜ]/g, (umlaut) => `${umlaut.normalize('NFD')[0]}e`);
  return fold(written).replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** A value as text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
