import type { ObjectKey } from '../schema/model.ts';
import type { Contents } from './contents.ts';

/** One thing in which a schema is not what a set says. */
export type ContentDifference = {
  /** e.g. `table:users`. */
  readonly key: string;
  /** `rows`: what writing rows changes, counters too. `structure`: all else. */
  readonly kind: 'structure' | 'rows';
  /** e.g. `table users: 3 rows expected, 2 found`. Holds no row data. */
  readonly message: string;
};

/** What of an object is not compared: views while tables are staged, events before they are made. */
export type Ignore = (key: ObjectKey) => boolean;

/**
 * Compares what a schema holds with what it should hold: structure, number and values of rows, and
 * the next values of AUTO_INCREMENT columns and sequences. Empty means equal. Pure.
 */
export function compareContents(
  expected: Contents,
  actual: Contents,
  ignore: Ignore = () => false,
): ContentDifference[] {
  return [
    ...compareTables(expected.tables, actual.tables),
    ...compareFingerprints(expected.objects, actual.objects).filter(
      ({ key }) => !ignore(key as ObjectKey),
    ),
    ...compareSequences(expected.sequences, actual.sequences),
  ];
}

/** The differences as one line for people, the first ten of them. */
export function describeDifferences(differences: readonly ContentDifference[]): string {
  const shown = differences.slice(0, 10).map(({ message }) => message);
  const more = differences.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function compareTables(
  expected: Contents['tables'],
  actual: Contents['tables'],
): ContentDifference[] {
  const found = new Map(actual.map((table) => [table.name, table]));
  const wanted = new Set(expected.map(({ name }) => name));
  const differences: ContentDifference[] = [];
  for (const table of expected) {
    const other = found.get(table.name);
    const differs = (kind: ContentDifference['kind'], what: string) =>
      differences.push({
        key: `table:${table.name}`,
        kind,
        message: `table ${table.name}: ${what}`,
      });
    if (other === undefined) {
      differs('structure', 'missing');
      continue;
    }
    if (other.structure !== table.structure) differs('structure', 'other structure');
    if (other.rows !== table.rows)
      differs('rows', `${table.rows} rows expected, ${other.rows} found`);
    else if (other.hash !== table.hash) differs('rows', 'other values in its rows');
    if (other.autoIncrement !== table.autoIncrement) {
      differs(
        'rows',
        `AUTO_INCREMENT ${table.autoIncrement} expected, ${other.autoIncrement} found`,
      );
    }
  }
  const extra = actual.filter(({ name }) => !wanted.has(name));
  return [
    ...differences,
    ...extra.map(({ name }): ContentDifference => {
      return { key: `table:${name}`, kind: 'structure', message: `table ${name}: not expected` };
    }),
  ];
}

function compareFingerprints(
  expected: Contents['objects'],
  actual: Contents['objects'],
): ContentDifference[] {
  const found = new Map(actual.map(({ key, fingerprint }) => [key, fingerprint]));
  const wanted = new Set(expected.map(({ key }) => key));
  const differences: ContentDifference[] = [];
  for (const { key, fingerprint } of expected) {
    const other = found.get(key);
    if (other === fingerprint) continue;
    const what = other === undefined ? 'missing' : 'other definition';
    differences.push({ key, kind: 'structure', message: `${nameOf(key)}: ${what}` });
  }
  for (const { key } of actual) {
    if (wanted.has(key)) continue;
    differences.push({ key, kind: 'structure', message: `${nameOf(key)}: not expected` });
  }
  return differences;
}

function compareSequences(
  expected: Contents['sequences'],
  actual: Contents['sequences'],
): ContentDifference[] {
  const found = new Map(actual.map(({ name, state }) => [name, state]));
  return expected.flatMap(({ name, state }) => {
    const other = found.get(name);
    // A missing sequence has no fingerprint either, and is named there.
    if (other === undefined || JSON.stringify(other) === JSON.stringify(state)) return [];
    return [
      { key: `sequence:${name}`, kind: 'rows', message: `sequence ${name}: other next value` },
    ];
  });
}

/** `trigger:x` → `trigger x`; the schema itself has a kind and no name. */
function nameOf(key: string): string {
  return key.replace(':', ' ').trim();
}
