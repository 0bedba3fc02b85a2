/** Finds environment variables that are probably misspelt names of ours. Pure. */

/** A variable that is set but not known, and the known one that it resembles. */
export type Misspelt = { readonly name: string; readonly nearest: string };

/**
 * Gives the set names that are close to a known one: at most two letters differ (one in a name
 * of fewer than eight letters, where two would be a different word), or the letters are the same
 * in another order, or only the case differs.
 */
export function findMisspelt(set: readonly string[], known: readonly string[]): Misspelt[] {
  const names = known.map((name) => ({ name, letters: lettersOf(name) }));
  return set
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const nearest = nearestOf(name.toUpperCase(), names);
      return nearest === null ? [] : [{ name, nearest }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Known = { readonly name: string; readonly letters: string };

function nearestOf(name: string, known: readonly Known[]): string | null {
  const letters = lettersOf(name);
  let nearest: { readonly name: string; readonly distance: number } | null = null;
  for (const candidate of known) {
    // Most names of an environment are nothing like ours, and every start looks at all of them.
    if (Math.abs(candidate.name.length - name.length) > 3) continue;
    const isShuffled = candidate.letters === letters;
    if (!isShuffled && lacking(letters, candidate.letters) > 2) continue;
    const distance = distanceOf(name, candidate.name);
    if (!isShuffled && distance > (candidate.name.length < 8 ? 1 : 2)) continue;
    if (nearest === null || distance < nearest.distance) {
      nearest = { name: candidate.name, distance };
    }
  }
  return nearest?.name ?? null;
}

function lettersOf(name: string): string {
  return [...name.replaceAll('_', '')].sort().join('');
}

/** How many of the sorted letters `a` are not among the sorted letters `b`: the distance is no less. */
function lacking(a: string, b: string): number {
  let count = 0;
  for (let i = 0, j = 0; i < a.length; ) {
    if (a[i] === b[j]) {
      i++;
      j++;
    } else if (j < b.length && b[j]! < a[i]!) {
      j++;
    } else {
      count++;
      i++;
    }
  }
  return count;
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
