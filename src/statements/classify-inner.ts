/** Statements inside of one that is run now: in a block outside of a stored program, or as a text. Pure. */
import { keywordAt, type Words } from './classify-names.ts';

/** Behind these a statement begins. ATOMIC is the last word of BEGIN NOT ATOMIC. */
const BEFORE_STATEMENT = new Set([';', 'BEGIN', 'ATOMIC', 'THEN', 'ELSE', 'DO', 'LOOP', 'REPEAT']);

/**
 * The statements of a block, each with what follows it in the block up to the next `;`. Errs towards
 * too many: what begins none is a word that no rule knows.
 */
export function statementsInside(words: Words): Words[] {
  const starts = words.flatMap((_, at) =>
    at === 0 || BEFORE_STATEMENT.has(keywordAt(words, at - 1)) ? [at] : [],
  );
  return starts.map((at) => {
    const end = words.findIndex(({ keyword }, index) => index >= at && keyword === ';');
    return words.slice(at, end === -1 ? undefined : end);
  });
}

/** The text of `PREPARE s FROM 'text'` and `EXECUTE IMMEDIATE 'text'`; null where it is put together at run time. */
export function preparedText(words: Words): string | null {
  const isPrepare = keywordAt(words, 0) === 'PREPARE' && keywordAt(words, 2) === 'FROM';
  const isImmediate = keywordAt(words, 0) === 'EXECUTE' && keywordAt(words, 1) === 'IMMEDIATE';
  const text = isPrepare ? words[3] : isImmediate ? words[2] : undefined;
  if (text?.kind !== 'string') return null;
  return text.value.replaceAll(/\\(.)/gs, '$1');
}
