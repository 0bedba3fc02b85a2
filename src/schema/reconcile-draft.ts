/** A plan of the safety net while it grows. Pure. */
import type { ObjectKey, SchemaDifference, SchemaModel, StoredObject, Table } from './model.ts';

/** One statement of the safety net. They are to be run in their order, with `runAddition`. */
export type Addition = {
  readonly key: ObjectKey;
  /** What is added, for the plan and the report, e.g. `table users: column role varchar(191)`. */
  readonly what: string;
  readonly sql: string;
  /** True when existing rows can make it fail: unique indexes, checks, foreign keys. */
  readonly rowsDecide: boolean;
  /** The piece of code that it creates: it needs the session that the code was written for. */
  readonly code: StoredObject | null;
};

/** What the parts of the plan share while it grows. */
export type Draft = {
  readonly expected: SchemaModel;
  /** The default of the database that is added to. */
  readonly collation: string;
  readonly definitionOf: (key: ObjectKey) => string | undefined;
  readonly builtBy: string;
  readonly additions: Addition[];
  /** What cannot be added, and why. */
  readonly refused: SchemaDifference[];
  /** Objects that lack something after the additions: a view of them could not be created. */
  readonly incomplete: Set<ObjectKey>;
  /** Tables as they are after the additions. */
  readonly tables: Map<ObjectKey, Table>;
  /** The database as it would be if everything that is missing were there. */
  readonly complete: Map<ObjectKey, Table | StoredObject>;
};

/** Notes that something is missing and cannot be added; `what` as in messages of compare.ts. */
export function refuse(draft: Draft, key: ObjectKey, what: string, why: string): void {
  draft.refused.push({
    key,
    kind: 'missing',
    message: `${what} expected, missing; it is not added: ${why}`,
    additive: false,
  });
}
