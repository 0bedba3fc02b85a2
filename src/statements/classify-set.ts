import { find, keywordAt, type Words } from './classify-names.ts';
import { type Draft, forbid, REASONS } from './draft.ts';
import { type Assignment, readAssignments, splitAtCommas } from './sql-mode.ts';

const CONNECTION = 'this program’s own connection depends on it';

const WAITING = 'this program says how long a statement waits for tables and rows that others use';

const READ_ONLY = 'this program could not write its journal in the transactions that follow';

/** Session variables that a file may not set, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  autocommit: REASONS.transaction,
  completion_type: REASONS.transaction,
  tx_read_only: READ_ONLY,
  transaction_read_only: READ_ONLY,
  sql_log_bin: REASONS.replication,
  gtid_domain_id: REASONS.replication,
  gtid_seq_no: REASONS.replication,
  server_id: REASONS.replication,
  wsrep_on: REASONS.replication,
  wsrep_osu_method: REASONS.replication,
  skip_replication: REASONS.replication,
  pseudo_thread_id: CONNECTION,
  pseudo_slave_mode: CONNECTION,
  wait_timeout: CONNECTION,
  interactive_timeout: CONNECTION,
  net_read_timeout: CONNECTION,
  net_write_timeout: CONNECTION,
  idle_transaction_timeout: CONNECTION,
  idle_write_transaction_timeout: CONNECTION,
  idle_readonly_transaction_timeout: CONNECTION,
  lock_wait_timeout: WAITING,
  innodb_lock_wait_timeout: WAITING,
  sql_select_limit: 'this program’s own queries would be cut off',
};

/** Variables that say how the text sent to the server is encoded. */
const ENCODINGS = new Set([
  'character_set_client',
  'character_set_results',
  'character_set_connection',
]);
export const ENCODING_REASON = 'this program sends and reads utf8mb4';

/** Classifies SET. Pure. */
export function classifySet(words: Words): Draft {
  const parts = splitAtCommas(words.slice(1));
  for (const part of parts) {
    const refused = refuseForm(part);
    if (refused !== null) return refused;
  }
  // Neither a form of SET nor an assignment: the server says what is wrong with it.
  if (!parts.every(isKnown)) return { class: 'opaque', verb: 'SET' };
  const assignments = readAssignments(words);
  const forbidden = refuseVariables(assignments);
  if (forbidden !== null) return forbid('SET', forbidden);
  return { class: 'session', verb: 'SET', repeatable: true, tables: [] };
}

/** Why one of the assignments of SET or SET STATEMENT may not stand in a migration, else null. */
export function refuseVariables(assignments: readonly Assignment[]): string | null {
  for (const { scope, name, value } of assignments) {
    if (scope === 'user') continue;
    if (scope === 'global') return REASONS.server;
    const reason = REFUSED[name];
    if (reason !== undefined) return reason;
    if (name === 'sql_mode' && value.some((part) => /\boracle\b/i.test(part.value))) {
      return 'in sql_mode=ORACLE a file is read differently';
    }
    if (ENCODINGS.has(name) && !isUtf8mb4(value)) return ENCODING_REASON;
  }
  return null;
}

function isKnown(part: Words, index: number): boolean {
  const [first, second] = [keywordAt(part, 0), keywordAt(part, 1)];
  if (/^(?:NAMES|CHARSET|CHARACTER|TRANSACTION)$/.test(first)) return true;
  if (/^(?:SESSION|LOCAL)$/.test(first) && second === 'TRANSACTION') return true;
  if (index > 0 && /^(?:ISOLATION|READ)$/.test(first)) return true;
  return readAssignments([{ ...part[0]!, keyword: 'SET' }, ...part]).length === 1;
}

/** SET NAMES, SET ROLE and others, which are no assignments. */
function refuseForm(part: Words): Draft | null {
  const [first = '', second = ''] = [keywordAt(part, 0), keywordAt(part, 1)];
  if (first === 'PASSWORD') return forbid('SET PASSWORD', REASONS.accounts);
  const isAssignment = second === '=' || second === ':';
  if (isAssignment) return null;
  if (first === 'ROLE' || (first === 'DEFAULT' && second === 'ROLE')) {
    return forbid('SET ROLE', REASONS.accounts);
  }
  const scope = /^(?:SESSION|LOCAL|GLOBAL)$/.test(first) ? first : '';
  if ((scope === '' ? first : second) === 'TRANSACTION') return refuseTransaction(scope, part);
  // `SET SESSION TRANSACTION ISOLATION LEVEL …, READ ONLY`
  if (first === 'READ' && second === 'ONLY') return forbid('SET TRANSACTION', READ_ONLY);
  const setAt = first === 'CHARACTER' ? 2 : 1;
  if (first === 'NAMES' || first === 'CHARSET' || first === 'CHARACTER') {
    return isUtf8mb4(part.slice(setAt, setAt + 1)) ? null : forbid(`SET ${first}`, ENCODING_REASON);
  }
  return null;
}

function refuseTransaction(scope: string, part: Words): Draft | null {
  if (scope === 'GLOBAL') return forbid('SET GLOBAL TRANSACTION', REASONS.server);
  if (scope !== '') {
    const isReadOnly = find(part, 0, 'READ', 'ONLY') !== -1;
    return isReadOnly ? forbid('SET SESSION TRANSACTION', READ_ONLY) : null;
  }
  return forbid(
    'SET TRANSACTION',
    'it holds for the next transaction only, which is one of this program; use SET SESSION TRANSACTION',
  );
}

/**
 * What a variable holds (`@old`, `@@…`) is looked at when the statement has run (run-statement.ts).
 * DEFAULT is the server's own encoding: latin1 before MariaDB 11.6.
 */
function isUtf8mb4([first]: Words): boolean {
  if (first === undefined || /^(?:@|NULL)$/.test(first.keyword)) return true;
  return first.value.toLowerCase() === 'utf8mb4';
}
