/**
 * Plans what the safety net adds to a database so that it has what its version must have. Pure.
 * It only ever adds: nothing is dropped, renamed, narrowed or changed. What cannot be added without a
 * guess about rows or meaning is left to a person.
 */
import { compareSchemas } from './compare.ts';
import type { ObjectKey, SchemaDifference, SchemaModel, Table } from './model.ts';
import { planCode } from './reconcile-code.ts';
import type { Addition, Draft } from './reconcile-draft.ts';
import { planForeignKeys } from './reconcile-keys.ts';
import { planTables } from './reconcile-tables.ts';

export type { Addition } from './reconcile-draft.ts';

export type ReconcilePlan = {
  readonly additions: readonly Addition[];
  /**
   * All other differences: what is missing and cannot be added (the message says why), what is
   * otherwise than expected, and (`additive: true`) what the database has besides.
   */
  readonly others: readonly SchemaDifference[];
};

export type ReconcileOptions = {
  /** SHOW CREATE text for what the model does not hold in full (`readDefinitions`): routines, odd tables. */
  readonly definitionOf?: (key: ObjectKey) => string | undefined;
  /**
   * The account that built the expected schema. Code that it defines is created without a definer,
   * so that it belongs to the account that deploys: the application's database does not know the
   * root of a scratch server.
   */
  readonly builtBy?: string;
};

/**
 * Compares what a database must have with what it has, and gives the statements that add what is
 * missing: sequences, tables, columns that need no value for existing rows, indexes, checks,
 * foreign keys, views, routines and triggers. A unique index, check or foreign key may still fail
 * on existing rows (`rowsDecide`). Events are never added: they act by themselves.
 *
 * After all additions succeeded, a second plan has none.
 */
export function planReconcile(
  expected: SchemaModel,
  actual: SchemaModel,
  options: ReconcileOptions = {},
): ReconcilePlan {
  const isTable = (entry: [ObjectKey, unknown]): entry is [ObjectKey, Table] =>
    (entry[1] as Table).kind === 'table';
  const draft: Draft = {
    expected,
    collation: actual.collation,
    definitionOf: options.definitionOf ?? (() => undefined),
    builtBy: options.builtBy ?? 'root@localhost',
    additions: [],
    refused: [],
    incomplete: new Set(),
    tables: new Map([...actual.objects].filter(isTable)),
    complete: new Map(actual.objects),
  };
  planCode(draft, ['sequence']);
  planTables(draft);
  planForeignKeys(draft);
  planCode(draft, ['package', 'package body', 'function', 'procedure']);
  planCode(draft, ['view']);
  planCode(draft, ['trigger', 'event']);
  const remaining = compareSchemas(expected, { ...actual, objects: draft.complete });
  return { additions: draft.additions, others: [...draft.refused, ...remaining] };
}
