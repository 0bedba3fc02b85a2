import type { Classification } from './statement.ts';

const WRITES = /^(?:INSERT|REPLACE|UPDATE|DELETE)$/;
const WORDS = /[\p{L}\p{N}_$]+/gu;

/** Code of a schema, and the names that bring it in: its own, and the table of a trigger. */
export type CodeText = { readonly names: readonly string[]; readonly text: string };

/**
 * The first of `tables`, which cannot roll back, that a statement may write to: it changes rows,
 * and it names the table or something of `code` that leads to it, a trigger, a view or a routine.
 * Undefined when there is none. Errs towards too many. Pure.
 */
export function nonTransactionalTarget(
  sql: string,
  { class: kind, verb }: Pick<Classification, 'class' | 'verb'>,
  tables: Iterable<string>,
  code: Iterable<CodeText> = [],
): string | undefined {
  const fixed = [...tables];
  if (fixed.length === 0 || kind !== 'dml' || !WRITES.test(verb)) return undefined;
  const words = new Set(wordsOf(sql));
  const isNamed = (name: string) => wordsOf(name).every((part) => words.has(part));
  let left = [...code];
  for (let found = -1; found !== 0; ) {
    const reached = left.filter(({ names }) => names.some(isNamed));
    found = reached.length;
    left = left.filter((each) => !reached.includes(each));
    for (const { text } of reached) for (const word of wordsOf(text)) words.add(word);
  }
  return fixed.find(isNamed);
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(WORDS) ?? [];
}
