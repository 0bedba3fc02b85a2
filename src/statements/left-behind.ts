/** What the statements of a file leave in their session, as far as their text says. Pure. */
import type { LeftBehind } from '../database/session-clear.ts';
import { readHeader } from './classify-definitions.ts';
import { hasAt, isName, keywordAt, readName, skipIfExists, type Words } from './classify-names.ts';
import { readLexemes } from './lexemes.ts';
import { readAssignments } from './sql-mode.ts';
import type { Classification, Statement } from './statement.ts';

type Read = Pick<Statement, 'sql' | 'quoting'> & { readonly classification: Classification };

/**
 * Temporary tables, user variables, session variables and prepared statements that `statements` make or
 * set; also those that they remove again. What a called routine or a text that is put
 * together at run time does is not seen.
 */
export function leftBehind(statements: readonly Read[]): LeftBehind {
  const [tables, sequences] = [new Set<string>(), new Set<string>()];
  const [userVariables, variables] = [new Set<string>(), new Set<string>()];
  const prepared = new Set<string>();
  for (const { sql, quoting, classification } of statements) {
    // Most statements leave nothing, and are not read again.
    if (!classification.sessionDependent && /^d(?:dl|ml)/.test(classification.class)) continue;
    const words = readLexemes(sql, quoting).lexemes;
    for (const { scope, name } of readAssignments(words)) {
      if (scope === 'session') variables.add(name);
    }
    for (const name of userVariablesOf(words)) userVariables.add(name);
    if (keywordAt(words, 0) === 'PREPARE') prepared.add(words[1]?.value ?? '');
    const made = temporaryOf(words);
    if (made !== null) (made.kind === 'SEQUENCE' ? sequences : tables).add(made.name);
  }
  if (tables.size > 0) {
    // One that got another name: of all these, only what is temporary is dropped.
    for (const { classification } of statements) {
      if (/^(?:ALTER|RENAME) TABLE$/.test(classification.verb))
        for (const name of classification.tables ?? []) tables.add(name);
    }
  }
  return {
    ...{ tables: [...tables], sequences: [...sequences], userVariables: [...userVariables] },
    ...{ variables: [...variables], prepared: [...prepared].filter((name) => name !== '') },
  };
}

function temporaryOf(words: Words): { readonly kind: string; readonly name: string } | null {
  if (keywordAt(words, 0) !== 'CREATE') return null;
  const { kind, at, has } = readHeader(words);
  const name = has('TEMPORARY') ? readName(words, skipIfExists(words, at))?.name : undefined;
  return name === undefined ? null : { kind, name };
}

/** `@x`, `@'x'`, `@a.b`; not `@@x`, and not the `@` of `DEFINER=user@host`. */
function userVariablesOf(words: Words): string[] {
  return words.flatMap((word, at) => {
    const next = words[at + 1];
    if (word.keyword !== '@' || keywordAt(words, at - 1) === '@') return [];
    if (next === undefined || next.kind === 'symbol') return [];
    if (hasAt(words, at - 3, 'DEFINER', '=')) return [];
    let name = next.value;
    for (let dot = at + 2; keywordAt(words, dot) === '.' && isName(words[dot + 1]); dot += 2)
      name += `.${words[dot + 1]!.value}`;
    return name === '' ? [] : [name];
  });
}
