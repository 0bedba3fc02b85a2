/** Checks and marks that do not depend on the kind of a statement. */
import { isDeployTable } from '../database/identifier.ts';
import { find, hasAt, isName, keywordAt, type Words } from './classify-names.ts';
import { readAssignments } from './sql-mode.ts';

const LOCK_FUNCTIONS = ['GET_LOCK', 'RELEASE_LOCK', 'RELEASE_ALL_LOCKS'];
/** They count the rows of the statement before, and that would be one of the journal. */
const COUNT_FUNCTIONS = ['ROW_COUNT', 'FOUND_ROWS'];
const COUNT_VARIABLES = new Set(['WARNING_COUNT', 'ERROR_COUNT']);
const SESSION_FUNCTIONS = ['LAST_INSERT_ID', 'LASTVAL'];
/** Each statement that uses them leaves another value: to set them again is not to go on. */
const SESSION_VARIABLES = /^(?:INSERT_ID|LAST_INSERT_ID|IDENTITY|RAND_SEED1|RAND_SEED2|LAST_GTID)$/;

/** Why a statement may not be run by a migration, whatever its verb; null when nothing is against it. */
export function refuseAnywhere(words: Words): string | null {
  if (words.some((word) => isName(word) && isDeployTable(word.value))) {
    return 'the tables deploy_lock, deploy_run and deploy_journal belong to this program';
  }
  return null;
}

/** The same for what runs now, not for the body of a stored program that is only defined. */
export function refuseWhenRun(words: Words): string | null {
  if (LOCK_FUNCTIONS.some((name) => find(words, 0, name, '(') !== -1)) {
    return 'GET_LOCK and RELEASE_LOCK would touch the lock that this program holds on the same connection';
  }
  if (COUNT_FUNCTIONS.some((name) => find(words, 0, name, '(') !== -1)) {
    return 'ROW_COUNT and FOUND_ROWS would count rows of this program’s journal';
  }
  const isCount = (at: number) => COUNT_VARIABLES.has(systemVariable(words, at));
  if (keywordAt(words, 0) === 'GET' || words.some((_, at) => isCount(at))) {
    return 'it would tell of a statement of this program’s journal';
  }
  if (find(words, 0, 'INTO', 'OUTFILE') !== -1 || find(words, 0, 'INTO', 'DUMPFILE') !== -1) {
    return 'it writes a file on the server, which no backup of this program holds';
  }
  return null;
}

/** True when a statement reads or sets what lives in the session only. */
export function dependsOnSession(words: Words): boolean {
  return (
    words.some((_, at) => isUserVariable(words, at)) ||
    SESSION_FUNCTIONS.some((name) => find(words, 0, name, '(') !== -1) ||
    words.some((_, at) => hasAt(words, at, 'PREVIOUS', 'VALUE', 'FOR')) ||
    words.some((_, at) => SESSION_VARIABLES.test(systemVariable(words, at))) ||
    readAssignments(words).some(({ name }) => SESSION_VARIABLES.test(name.toUpperCase()))
  );
}

/** The name of the `@@x`, `@@session.x` or `@@local.x` that begins here, in upper case; else empty. */
function systemVariable(words: Words, at: number): string {
  if (!hasAt(words, at, '@', '@')) return '';
  const isScoped = keywordAt(words, at + 3) === '.';
  return (words[isScoped ? at + 4 : at + 2]?.value ?? '').toUpperCase();
}

/** `@x`, but neither `@@x` nor the `@` of `DEFINER=user@host`. */
function isUserVariable(words: Words, at: number): boolean {
  if (keywordAt(words, at) !== '@' || keywordAt(words, at - 1) === '@') return false;
  if (keywordAt(words, at + 1) === '@') return false;
  return !hasAt(words, at - 3, 'DEFINER', '=');
}
