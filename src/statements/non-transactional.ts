/** What a statement that changes rows may leave behind when its transaction is rolled back. Pure. */
import type { Classification } from './statement.ts';

const WRITES = /^(?:INSERT|REPLACE|UPDATE|DELETE)$/;
const WORDS = /[\p{L}\p{N}_$]+/gu;
const RELEASE = /\brelease_all_locks\s*\(/i;
const SEQUENCE = /\b(?:nextval|setval)\s*\(|\bnext\s+value\s+for\b/i;

/** Something of a schema that runs inside of statements which only name it. */
export type CodeText = {
  /** They bring it in: its own name, or the table of a trigger or of defaults. */
  readonly names: readonly string[];
  readonly text: string;
  /** `query` only reads, as a view does; `default` is evaluated when a row is inserted. */
  readonly kind: 'program' | 'query' | 'default';
  readonly takesSequence: boolean;
  readonly releasesLocks: boolean;
};

/** Makes the code of an object. */
export function makeCode(
  names: readonly string[],
  text: string,
  kind: CodeText['kind'] = 'program',
): CodeText {
  const [takesSequence, releasesLocks] = [SEQUENCE.test(text), RELEASE.test(text)];
  return { names, text, kind, takesSequence, releasesLocks };
}

/**
 * What of a statement cannot be rolled back, as the end of a sentence: it may write to the first of
 * `tables` that it names, or that code names which it leads to (a trigger, a view, a routine), or such
 * code takes a value of a sequence. A statement that only reads counts for the functions that it
 * calls. Undefined when there is nothing. Errs towards too many.
 */
export function notRolledBack(
  sql: string,
  { class: kind, verb }: Pick<Classification, 'class' | 'verb'>,
  tables: Iterable<string>,
  code: Iterable<CodeText> = [],
): string | undefined {
  const [fixed, all] = [[...tables], [...code]];
  const isQuiet = fixed.length === 0 && !all.some((each) => each.takesSequence);
  if (isQuiet || kind !== 'dml') return undefined;
  const words = new Set(wordsOf(sql));
  const writes = WRITES.test(verb);
  // Where a write may name its target: not in the text of what only reads.
  const written = new Set(writes ? words : []);
  for (const { kind: of, text, takesSequence: takes } of reached(all, words)) {
    if (takes) return 'which takes values of a sequence, and they are not given back';
    if (of === 'program' || writes) for (const word of wordsOf(text)) written.add(word);
  }
  const table = fixed.find((name) => isNamed(name, written));
  return table === undefined ? undefined : `on ${table}, whose engine cannot roll back`;
}

/**
 * Those of `tables` that a statement may write to through the code that it leads to, its own targets
 * among them; null when it leads to none. Errs towards too many.
 */
export function writtenThroughCode(
  sql: string,
  tables: Iterable<string>,
  code: Iterable<CodeText>,
): readonly string[] | null {
  const all = [...code];
  if (all.length === 0) return null;
  const words = new Set(wordsOf(sql));
  if (reached(all, words).length === 0) return null;
  return [...tables].filter((name) => isNamed(name, words));
}

/** True when the code that a statement leads to gives back all named locks of the connection. */
export function releasesLocks(sql: string, code: Iterable<CodeText>): boolean {
  const all = [...code];
  if (!all.some((each) => each.releasesLocks)) return false;
  return reached(all, new Set(wordsOf(sql))).some((each) => each.releasesLocks);
}

/** The code that the words lead to; adds the words of that code to them. */
function reached(code: readonly CodeText[], words: Set<string>): CodeText[] {
  const found: CodeText[] = [];
  let left = code;
  for (let before = -1; before !== found.length; ) {
    before = found.length;
    const inserts = words.has('insert') || words.has('replace');
    const now = left.filter(
      ({ names, kind }) =>
        (kind !== 'default' || inserts) && names.some((name) => isNamed(name, words)),
    );
    left = left.filter((each) => !now.includes(each));
    found.push(...now);
    for (const { text } of now) for (const word of wordsOf(text)) words.add(word);
  }
  return found;
}

function isNamed(name: string, words: ReadonlySet<string>): boolean {
  return wordsOf(name).every((part) => words.has(part));
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(WORDS) ?? [];
}
