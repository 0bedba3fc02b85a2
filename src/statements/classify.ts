import { createHash } from 'node:crypto';
import {
  classifyDelete,
  classifyInsert,
  classifyMaintenance,
  classifyRead,
  classifyReplace,
  classifyTruncate,
  classifyUpdate,
  usesSequence,
} from './classify-data.ts';
import {
  classifyAlter,
  classifyCreate,
  classifyDrop,
  classifyRename,
} from './classify-definitions.ts';
import { preparedText, statementsInside } from './classify-inner.ts';
import { findOutside, keywordAt, type Words } from './classify-names.ts';
import { findSchema } from './classify-qualified.ts';
import { classifySet, refuseVariables } from './classify-set.ts';
import { dependsOnSession, refuseAnywhere, refuseWhenRun } from './classify-shared.ts';
import { findBody } from './compound.ts';
import { complete, type Draft, forbid, REASONS } from './draft.ts';
import { readLexemes } from './lexemes.ts';
import { readAssignments } from './sql-mode.ts';
import type { Classification } from './statement.ts';
import type { Quoting } from './tokens.ts';

type Rule = (words: Words) => Draft;

const forbidden =
  (reason: string): Rule =>
  (words) =>
    forbid(verbOf(words), reason);
const opaque: Rule = (words) => ({ class: 'opaque', verb: verbOf(words) });
const prepared: Rule = (words) => ({
  ...{ class: 'session', verb: verbOf(words), tables: [], sessionDependent: true },
});

const RULES = new Map<string, Rule>([
  ['CREATE', classifyCreate],
  ['ALTER', classifyAlter],
  ['DROP', classifyDrop],
  ['RENAME', classifyRename],
  ['TRUNCATE', classifyTruncate],
  ['INSERT', classifyInsert],
  ['REPLACE', classifyReplace],
  ['UPDATE', classifyUpdate],
  ['DELETE', classifyDelete],
  ['OPTIMIZE', classifyMaintenance],
  ['REPAIR', classifyMaintenance],
  ['CHECK', classifyMaintenance],
  ['ANALYZE', classifyAnalyze],
  ['SET', classifySetOrStatement],
  ['WITH', classifyWith],
  ['SELECT', classifyRead],
  ['(', classifyRead],
  ['VALUES', classifyRead],
  ['SHOW', classifyRead],
  ['EXPLAIN', classifyRead],
  ['DESCRIBE', classifyRead],
  ['DESC', classifyRead],
  ['CHECKSUM', classifyRead],
  ['SIGNAL', classifyRead],
  ['RESIGNAL', classifyRead],
  ['GET', classifyRead],
  ['PREPARE', prepared],
  ['DEALLOCATE', prepared],
  ['CALL', opaque],
  ['DO', opaque],
  ['EXECUTE', opaque],
  ['USE', forbidden('it changes the database that the rest of the file works on')],
  ['LOCK', forbidden(REASONS.locks)],
  ['UNLOCK', forbidden(REASONS.locks)],
  [
    'START',
    (words) =>
      forbid(
        verbOf(words, 2),
        keywordAt(words, 1) === 'TRANSACTION' ? REASONS.transaction : REASONS.replication,
      ),
  ],
  ['BEGIN', forbidden(REASONS.transaction)],
  ['COMMIT', forbidden(REASONS.transaction)],
  ['ROLLBACK', forbidden(REASONS.transaction)],
  ['SAVEPOINT', forbidden(REASONS.transaction)],
  ['RELEASE', forbidden(REASONS.transaction)],
  ['XA', forbidden(REASONS.transaction)],
  ['GRANT', forbidden(REASONS.accounts)],
  ['REVOKE', forbidden(REASONS.accounts)],
  ['KILL', forbidden(REASONS.server)],
  ['SHUTDOWN', forbidden(REASONS.server)],
  ['FLUSH', forbidden(REASONS.server)],
  ['RESET', forbidden(REASONS.server)],
  ['PURGE', forbidden(REASONS.server)],
  ['INSTALL', forbidden('it loads a library into the server')],
  ['UNINSTALL', forbidden('it removes a library from the server')],
  ['BACKUP', forbidden(REASONS.locks)],
  ['CHANGE', forbidden(REASONS.replication)],
  ['STOP', forbidden(REASONS.replication)],
  ['BINLOG', forbidden(REASONS.replication)],
  ['LOAD', forbidden(REASONS.files)],
  ['HANDLER', forbidden('it reads tables past every transaction and isolation')],
]);

/**
 * Says what the server does with one statement, as far as plan, journal and recovery must know.
 * Pure: nothing but the text decides, so what a table's engine, a trigger or a called routine does
 * is not in it. A verb that is not known is `opaque`, never harmless.
 */
export function classify(sql: string, quoting: Quoting = {}): Classification {
  const { lexemes: words, dependsOnServerVersion } = readLexemes(sql, quoting);
  if (words.length === 0) {
    return complete({ class: 'session', verb: 'COMMENT', repeatable: true, tables: [] });
  }
  const body = findBody(words);
  const isDefinition = body > 0;
  const draft = classifyWords(words);
  const reason =
    draft.forbidden ??
    (dependsOnServerVersion
      ? 'an executable comment makes what it does depend on the server’s version'
      : null) ??
    refuseAnywhere(words) ??
    (isDefinition ? null : refuseWhenRun(words)) ??
    refuseInside(words, body) ??
    (findSchema(isDefinition ? words.slice(0, body) : words) === null ? null : REASONS.otherSchema);
  const sessionDependent = draft.sessionDependent || (!isDefinition && dependsOnSession(words));
  const isOpaque = usesSequence(draft.class.startsWith('ddl') ? queryOf(draft, words) : words);
  return complete({
    ...draft,
    ...(isOpaque ? { class: 'opaque', repeatable: false } : {}),
    forbidden: reason,
    sessionDependent,
  });
}

/** The same for the statements inside of a block and for a text that is prepared. */
function refuseInside(words: Words, body: number): string | null {
  // Of the body of a stored program nothing runs now.
  if (body > 0) return null;
  const parts = body === 0 ? statementsInside(words) : [words];
  for (const part of parts) {
    const text = preparedText(part);
    if (text !== null) {
      const { forbidden } = classify(text);
      if (forbidden !== null) return forbidden;
    }
    if (body === -1) continue;
    const { forbidden, verb } = (RULES.get(keywordAt(part, 0)) ?? opaque)(part);
    // Such a block is in no transaction of this program, and BEGIN opens a block there.
    const isAllowed = forbidden === REASONS.transaction && verb !== 'SET';
    if (forbidden != null && !isAllowed) return forbidden;
  }
  return null;
}

/** The query behind `CREATE TABLE … AS`: it runs at once, unlike what a definition says of later. */
function queryOf({ verb }: Draft, words: Words): Words {
  if (!/^CREATE(?: OR REPLACE)? TABLE$/.test(verb)) return [];
  const at = words.findIndex(({ keyword }) => /^(?:SELECT|WITH|VALUES)$/.test(keyword));
  return at === -1 ? [] : words.slice(at);
}

/** SHA-256 hex of a statement's text: names it in the journal. */
export function hashStatement(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

function classifyWords(words: Words): Draft {
  // BEGIN NOT ATOMIC, and IF, LOOP and the others outside of a stored program.
  if (findBody(words) === 0) return { class: 'opaque', verb: verbOf(words) };
  return (RULES.get(keywordAt(words, 0)) ?? opaque)(words);
}

/** `ANALYZE TABLE t` collects statistics; `ANALYZE UPDATE …` runs the UPDATE and explains it. */
function classifyAnalyze(words: Words): Draft {
  const at = words.findIndex(({ keyword }) =>
    /^(?:TABLES?|SELECT|INSERT|REPLACE|UPDATE|DELETE|WITH)$/.test(keyword),
  );
  if (/^TABLES?$/.test(keywordAt(words, at))) return classifyMaintenance(words);
  return at === -1 ? opaque(words) : classifyWords(words.slice(at));
}

/** `SET STATEMENT max_statement_time=1 FOR …` is the statement behind FOR. */
function classifySetOrStatement(words: Words): Draft {
  if (keywordAt(words, 1) !== 'STATEMENT' || keywordAt(words, 2) === '=') return classifySet(words);
  const at = findOutside(words, 2, 'FOR');
  if (at === -1) return opaque(words);
  const assignments = readAssignments([words[0]!, ...words.slice(2, at)]);
  const draft = classifyWords(words.slice(at + 1));
  return { ...draft, forbidden: refuseVariables(assignments) ?? draft.forbidden ?? null };
}

/** `WITH a AS (…) SELECT …`: the verb is the first one outside the parentheses. */
function classifyWith(words: Words): Draft {
  const verbs = ['SELECT', 'UPDATE', 'DELETE', 'INSERT', 'REPLACE', 'VALUES'];
  const places = verbs.map((verb) => findOutside(words, 1, verb)).filter((at) => at !== -1);
  return places.length === 0 ? opaque(words) : classifyWords(words.slice(Math.min(...places)));
}

function verbOf(words: Words, count = 1): string {
  const verb = words.slice(0, count).map(({ keyword }) => keyword);
  return verb.join(' ') || 'UNKNOWN';
}
