/**
 * Which objects of a schema some statements can have to do with. Only these need to be in the
 * copy on which the statements are tried: a schema may have thousands of tables, and most
 * migrations are about three. Everything here errs towards too many. Pure.
 */
import { VERSION_TABLES } from '../history/tables.ts';
import type { ObjectKey, SchemaModel, SchemaObject } from '../schema/model.ts';
import { keyOf } from '../schema/read.ts';

const WORD = /[\p{L}\p{N}_$]+/gu;
const PLAIN_NAME = /^[\p{L}\p{N}_$]+$/u;

/**
 * Gives the model of what `texts` can touch:
 *
 * - every object, and every owner of a foreign key, whose name is a word of the texts, wherever it
 *   stands; names that are no single word are always taken;
 * - what their definitions name in turn: tables of views, routines that triggers call, sequences;
 * - the triggers of these tables, and the tables on the other side of their foreign keys;
 * - the version tables.
 */
export function touchedBy(model: SchemaModel, texts: Iterable<string>): SchemaModel {
  const index = indexByName(model);
  const touched = new Map<ObjectKey, SchemaObject>();
  const queue: SchemaObject[] = [];
  const take = (names: Iterable<string>) => {
    for (const name of names) {
      for (const object of index.named.get(name.toLowerCase()) ?? []) {
        const key = keyOf(object);
        if (touched.has(key)) continue;
        touched.set(key, object);
        queue.push(object);
      }
    }
  };
  take(VERSION_TABLES);
  take(index.odd);
  for (const text of texts) take(wordsOf(text));
  for (let object = queue.pop(); object !== undefined; object = queue.pop()) {
    take(namedBy(object));
    take(index.triggers.get(object.name.toLowerCase()) ?? []);
  }
  // Neighbours are only there for their keys: what they have to do with others does not matter.
  for (const object of [...touched.values()]) {
    for (const name of index.neighbours.get(object.name.toLowerCase()) ?? []) {
      for (const other of index.named.get(name) ?? []) {
        if (other.kind === 'table') touched.set(keyOf(other), other);
      }
    }
  }
  const inOrder = [...model.objects].filter(([key]) => touched.has(key));
  return { ...model, objects: new Map(inOrder) };
}

type Index = {
  /** Objects by name, and tables by the names of their foreign keys. */
  readonly named: ReadonlyMap<string, readonly SchemaObject[]>;
  /** Names that are not one word. */
  readonly odd: readonly string[];
  /** Names of the triggers of a table. */
  readonly triggers: ReadonlyMap<string, readonly string[]>;
  /** Tables to and from which a table has foreign keys. */
  readonly neighbours: ReadonlyMap<string, readonly string[]>;
};

function indexByName(model: SchemaModel): Index {
  const [named, triggers, neighbours] = [
    new Map<string, SchemaObject[]>(),
    new Map<string, string[]>(),
    new Map<string, string[]>(),
  ];
  const odd: string[] = [];
  for (const object of model.objects.values()) {
    put(named, object.name, object);
    if (!PLAIN_NAME.test(object.name)) odd.push(object.name);
    if (object.kind === 'trigger') put(triggers, object.attributes['table'] ?? '', object.name);
    if (object.kind !== 'table') continue;
    for (const { name, references } of object.foreignKeys) {
      put(named, name, object);
      put(neighbours, object.name, references.table.toLowerCase());
      put(neighbours, references.table, object.name.toLowerCase());
    }
  }
  return { named, odd, triggers, neighbours };
}

/** Names that an object's own definition may mean. */
function namedBy(object: SchemaObject): Iterable<string> {
  if (object.kind === 'table') {
    // Of another object only a sequence can stand in a table.
    return object.columns.flatMap((column) => [...wordsOf(column.default ?? '')]);
  }
  return wordsOf(`${object.definition} ${object.attributes['table'] ?? ''}`);
}

function* wordsOf(text: string): Generator<string> {
  for (const [word] of text.matchAll(WORD)) yield word;
}

function put<T>(map: Map<string, T[]>, name: string, value: T): void {
  const key = name.toLowerCase();
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
