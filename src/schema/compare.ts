/**
 * Compares two schemas by what they mean, for adopting an existing database and for the safety
 * net. Pure. Two schemas that grew on different ways have columns in another order, other names of
 * indexes and keys, and keys twice (Bamort: 24 tables, 14 names, 9 keys): none of that counts, nor
 * do comments, definers, and the character set of the connection that created something.
 */
import { compareTables } from './compare-tables.ts';
import type { ObjectKey, SchemaDifference, SchemaModel, StoredObject } from './model.ts';
import { withoutDisplayWidth } from './normalise.ts';

export type CompareOptions = {
  /** Objects that decide nothing, whether they are there or not. */
  readonly ignore?: (key: ObjectKey) => boolean;
};

/** What `actual` has too little, too much or otherwise than `expected`; empty when they mean the same. */
export function compareSchemas(
  expected: SchemaModel,
  actual: SchemaModel,
  options: CompareOptions = {},
): SchemaDifference[] {
  const keys = [...new Set([...expected.objects.keys(), ...actual.objects.keys()])].sort();
  return keys
    .filter((key) => options.ignore?.(key) !== true)
    .flatMap((key) => compareObject(key, expected, actual));
}

function compareObject(
  key: ObjectKey,
  expected: SchemaModel,
  actual: SchemaModel,
): SchemaDifference[] {
  const wanted = expected.objects.get(key);
  const found = actual.objects.get(key);
  const title = key.replace(':', ' ');
  if (found === undefined)
    return [{ key, kind: 'missing', message: `${title} expected, missing`, additive: false }];
  if (wanted === undefined)
    return [{ key, kind: 'extra', message: `${title} not expected`, additive: true }];
  if (wanted.kind === 'table' && found.kind === 'table') return compareTables(key, wanted, found);
  return wanted.kind === 'table' || found.kind === 'table' ? [] : compareCode(key, wanted, found);
}

/** Attributes that do not change what a piece of code does, and their names in messages. */
const IGNORED = new Set([
  'definer',
  'comment',
  'charset',
  'connectionCollation',
  'databaseCollation',
]);
const TITLES: Readonly<Record<string, string>> = {
  checkOption: 'check option',
  dataAccess: 'data access',
  onCompletion: 'on completion',
  sqlMode: 'sql_mode',
  timeZone: 'time zone',
};

function compareCode(
  key: ObjectKey,
  wanted: StoredObject,
  found: StoredObject,
): SchemaDifference[] {
  const title = key.replace(':', ' ');
  const differences: SchemaDifference[] = [];
  const add = (message: string) =>
    differences.push({ key, kind: 'different', message: `${title}: ${message}`, additive: false });
  if (wanted.definition.trim() !== found.definition.trim()) add('another text than expected');
  const names = new Set([...Object.keys(wanted.attributes), ...Object.keys(found.attributes)]);
  for (const name of [...names].filter((attribute) => !IGNORED.has(attribute)).sort()) {
    const [want = '', have = ''] = [wanted.attributes[name], found.attributes[name]];
    const plain = name === 'schedule' ? withoutTimes : plainTypes;
    if (plain(want) === plain(have)) continue;
    add(`${TITLES[name] ?? name} ${want || 'empty'} expected, ${have || 'empty'} found`);
  }
  return differences;
}

/** An event's STARTS is when it was created, unless a file says it. */
function withoutTimes(schedule: string): string {
  return schedule.replace(/ STARTS '[^']*'/, '').replace(/\b(AT|ENDS) '[^']*'/, '$1');
}

/** A list of parameters without display widths. */
function plainTypes(text: string): string {
  return text.replace(/\b\w*int\(\d+\)(?: unsigned)?(?: zerofill)?/gi, withoutDisplayWidth);
}
