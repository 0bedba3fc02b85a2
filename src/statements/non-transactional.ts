import type { Classification } from './statement.ts';

const WRITES = /^(?:INSERT|REPLACE|UPDATE|DELETE)$/;

/**
 * The first of `tables`, which cannot roll back, that a statement may write to: it names the table
 * and changes rows. Undefined when there is none. What a trigger or a view does is not seen. Pure.
 */
export function nonTransactionalTarget(
  sql: string,
  { class: kind, verb }: Pick<Classification, 'class' | 'verb'>,
  tables: readonly string[],
): string | undefined {
  if (tables.length === 0 || kind !== 'dml' || !WRITES.test(verb)) return undefined;
  const words = new Set(sql.toLowerCase().match(/[\p{L}\p{N}_$]+/gu));
  return tables.find((name) =>
    (name.toLowerCase().match(/[\p{L}\p{N}_$]+/gu) ?? []).every((part) => words.has(part)),
  );
}
