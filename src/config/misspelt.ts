/** Finds environment variables that are probably misspelt names of ours. Pure. */

/** A variable that is set but not known, and the known one that it resembles. */
export type Misspelt = { readonly name: string; readonly nearest: string };

/**
 * Gives the set names that are close to a known one: at most two letters differ (one in a name
 * of fewer than eight letters, where two would be a different word), or the letters are the same
 * in another order, or only the case differs.
 */
export function findMisspelt(set: readonly string[], known: readonly string[]): Misspelt[] {
  return set
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const nearest = nearestOf(name.toUpperCase(), known);
      return nearest === null ? [] : [{ name, nearest }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nearestOf(name: string, known: readonly string[]): string | null {
  const near = known
    // Most names of an environment are nothing like ours: only the others are looked at closely.
    .filter((candidate) => Math.abs(candidate.length - name.length) <= 3)
    .map((candidate) => ({ candidate, distance: distanceOf(name, candidate) }))
    .filter(({ candidate, distance }) => {
      return distance <= (candidate.length < 8 ? 1 : 2) || lettersOf(name) === lettersOf(candidate);
    })
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? null;
}

function lettersOf(name: string): string {
  return [...name.replaceAll('_', '')].sort().join('');
}

/** The number of letters to insert, remove or replace (Levenshtein). */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
