/**
 * Follows the structure of a schema from statement to statement. After each it reads only what
 * that statement can have changed, so that hundreds of migrations over hundreds of tables cost
 * what they change and not their product.
 */
import type { Db } from '../database/connect.ts';
import { changedObjects, fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey, SchemaModel, SchemaObject } from '../schema/model.ts';
import { type Known, readSchema } from '../schema/read.ts';
import { withReadingSession } from '../schema/reading-session.ts';
import type { Part } from '../statements/parts.ts';
import type { StructureChange } from './actions.ts';
import { hasPart } from './existing.ts';
import type { ClassifiedStatement } from './migration.ts';
import { StructureFacts } from './structure-facts.ts';

export type StructureTracker = {
  /** Reads what a statement that has just run can have changed, and gives what it did change. */
  changesOf(statement: ClassifiedStatement): Promise<readonly StructureChange[]>;
  /** Reads the whole schema again, and gives the fingerprints of all objects. */
  readAll(): Promise<ReadonlyMap<ObjectKey, string>>;
  /** Whether the part is there now. */
  has(part: Part): boolean;
  /** True when a row written to one of the tables can run code of the schema: triggers, functions. */
  runsCode(tables: readonly string[]): boolean;
  /** What of the statement is not undone when its transaction is rolled back, as the end of a sentence. */
  notRolledBack(statement: ClassifiedStatement): string | undefined;
  /** True when code that the statement leads to now gives back the deploy lock. */
  releasesLocks(statement: ClassifiedStatement): boolean;
  /** Tables with AUTO_INCREMENT that it may write to through code now; null when it runs none. */
  writtenThroughCode(statement: ClassifiedStatement): readonly string[] | null;
};

/** Begins with one reading of the whole schema. `db` is only read from, and nobody else sets its session. */
export async function trackStructure(db: Db, schema: string): Promise<StructureTracker> {
  const session = await withReadingSession(db, async (facts) => facts);
  const first = await readSchema(db, schema);
  let known: Known = { session, defaults: first };
  const objects = new Map(first.objects);
  const fingerprints = new Map(fingerprintSchema(first));
  const links = new Links();
  const facts = new StructureFacts();
  for (const [key, object] of objects) {
    links.add(key, object);
    facts.add(key, object);
  }

  async function readWhole(): Promise<readonly StructureChange[]> {
    const model = await readSchema(db, schema);
    known = { session, defaults: model };
    return absorb(model, [...fingerprints.keys()]);
  }

  function absorb(model: SchemaModel, scope: Iterable<ObjectKey>): readonly StructureChange[] {
    const after = fingerprintSchema(model);
    const before = new Map<ObjectKey, string>();
    for (const key of [...scope, ...after.keys()]) {
      const fingerprint = fingerprints.get(key);
      if (fingerprint !== undefined) before.set(key, fingerprint);
    }
    const changes = changedObjects(before, after);
    for (const { key, after: now } of changes) {
      const old = objects.get(key);
      if (old !== undefined) {
        links.remove(key, old);
        facts.remove(key, old);
      }
      objects.delete(key);
      fingerprints.delete(key);
      if (now === null) continue;
      fingerprints.set(key, now);
      const object = model.objects.get(key);
      if (object === undefined) continue;
      objects.set(key, object);
      links.add(key, object);
      facts.add(key, object);
    }
    return changes;
  }

  return {
    async changesOf(statement) {
      const tables = scopeOf(statement, links);
      if (tables === null) return readWhole();
      const keys = tables.flatMap((table): ObjectKey[] => [
        ...[`table:${table}` as const, `view:${table}` as const, `sequence:${table}` as const],
        ...links.triggersOf(table),
      ]);
      return absorb(await readSchema(db, schema, { tables, known }), keys);
    },
    async readAll() {
      await readWhole();
      return new Map(fingerprints);
    },
    has: (part) => hasPart(objects, part),
    runsCode: (tables) =>
      facts.hasFunctions || tables.some((table) => links.triggersOf(table).length > 0),
    notRolledBack: (statement) => facts.notRolledBack(statement),
    releasesLocks: (statement) => facts.releasesLocks(statement),
    writtenThroughCode: (statement) => facts.writtenThroughCode(statement),
  };
}

/** The tables, views and sequences that a statement can have changed; null for the whole schema. */
function scopeOf({ sql, classification }: ClassifiedStatement, links: Links): string[] | null {
  const { tables, verb } = classification;
  const isLocal =
    /\b(?:TABLE|INDEX|VIEW|SEQUENCE|TRIGGER)$/.test(verb) && !verb.startsWith('RENAME');
  if (tables === null || tables.length === 0 || !isLocal) return null;
  // A column or table that gets another name gets it in the foreign keys of other tables too.
  const renames = /\b(?:rename|change)\b/i.test(sql);
  const others = renames ? tables.flatMap((table) => links.referencing(table)) : [];
  return [...new Set([...tables, ...others])];
}

/**
 * Which triggers a table has, and which tables have a foreign key to it. Names are compared
 * without case: too many objects read do no harm, one too few would.
 */
class Links {
  readonly #triggers = new Map<string, Set<ObjectKey>>();
  readonly #referencing = new Map<string, Set<string>>();

  triggersOf(table: string): ObjectKey[] {
    return [...(this.#triggers.get(table.toLowerCase()) ?? [])];
  }

  referencing(table: string): string[] {
    return [...(this.#referencing.get(table.toLowerCase()) ?? [])];
  }

  add(key: ObjectKey, object: SchemaObject): void {
    if (object.kind === 'trigger') put(this.#triggers, tableOf(object), key);
    if (object.kind !== 'table') return;
    for (const { references } of object.foreignKeys) {
      put(this.#referencing, references.table, object.name);
    }
  }

  remove(key: ObjectKey, object: SchemaObject): void {
    if (object.kind === 'trigger') this.#triggers.get(tableOf(object).toLowerCase())?.delete(key);
    if (object.kind !== 'table') return;
    for (const { references } of object.foreignKeys) {
      this.#referencing.get(references.table.toLowerCase())?.delete(object.name);
    }
  }
}

function tableOf(trigger: Exclude<SchemaObject, { readonly kind: 'table' }>): string {
  return trigger.attributes['table'] ?? '';
}

function put<T>(map: Map<string, Set<T>>, name: string, value: T): void {
  const key = name.toLowerCase();
  map.set(key, (map.get(key) ?? new Set()).add(value));
}
