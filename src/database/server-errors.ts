/**
 * What an error of the server or of the connection means. The only file that compares error
 * numbers. Every predicate takes whatever was thrown and looks along its chain of causes.
 */

import type { ErrorCode } from '../errors/catalogue.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { DEPLOY_TABLES } from './identifier.ts';
import { redactServerMessage } from './redact-server-message.ts';

type Known = {
  readonly errno?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
};

/** The connection broke, was killed, or the server went away. The statement may or may not have run. */
export const isConnectionLost = predicate(
  [1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055],
  ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_DESTROYED'],
);

/** Nobody answered at the address: no server there, no such host, no way to it. */
export function isConnectionRefused(error: unknown): boolean {
  return isUnreachable(error) || isSocketMissing(error);
}

const isUnreachable = predicate(
  [2002, 2003, 2005],
  [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EHOSTDOWN',
  ],
);

/** A Unix socket that is not there yet; an ENOENT of a file is something else. */
function isSocketMissing(error: unknown): boolean {
  const missing = (known: Known) => known.code === 'ENOENT' && known.syscall === 'connect';
  return findKnown(error, missing) !== undefined;
}

/** The server refused the account, its password or its host, or the account is locked or expired. */
export const isAccessDenied = predicate(
  [1045, 1130, 1251, 1698, 1820, 1862, 4151],
  ['AUTH_SWITCH_PLUGIN_ERROR'],
);

/** No such database on the server. */
export const isUnknownDatabase = predicate([1049]);

/** The account may not use the database; the server does not say whether it exists. */
export const isDatabaseAccessDenied = predicate([1044]);

/** The account lacks a right on a table, a column, a routine, or a global one. */
export const isMissingRight = predicate([1044, 1095, 1142, 1143, 1227, 1370, 1410, 1419]);

/** The account that a statement names does not exist. */
export const isNoSuchAccount = predicate([1396, 1133]);

/** Another session's thread that this account may not kill. */
export const isKillDenied = predicate([1095]);

/** No thread has this number any more. */
export const isNoSuchThread = predicate([1094]);

/** A lock (row, table or metadata) was not granted in time. The statement did nothing. */
export const isLockWaitTimeout = predicate([1205]);

/** The server has no room left for rows, keys or temporary files. Also said of a full MEMORY table. */
export const isOutOfSpace = predicate([1021, 1026, 1114, 1878]);

/** The server chose this transaction to end a deadlock: it is rolled back and may be repeated. */
export const isDeadlock = predicate([1213]);

/** A row with this key is already there. */
export const isDuplicateEntry = predicate([1062, 1169, 1586]);

/** NULL was to be written into a column that takes none. */
export const isNullRefused = predicate([1048]);

/** A variable of the session does not take that value. */
export const isValueRefused = predicate([1231]);

/** The table, view or sequence does not exist. */
export const isMissingTable = predicate([1146, 1932, 4091, 4092]);

/** information_schema has no table of that name: its plugin is not loaded. */
export const isUnknownTable = predicate([1109]);

/** One of the tables by which this program works was dropped while it worked. */
export function isOwnTableMissing(error: unknown): boolean {
  if (!isMissingTable(error)) return false;
  const { sqlMessage } = error as { sqlMessage?: string };
  return DEPLOY_TABLES.some((table) => sqlMessage?.includes(`.${table}'`));
}

/**
 * What the statement would take away or change is not there: a table, view, sequence, column, key,
 * routine, trigger, event or partition. The statement did nothing.
 */
export const isAbsent = predicate([
  ...[1051, 1146, 4091, 4092, 1109],
  ...[1054, 1072, 1091, 1176],
  ...[1305, 1360, 1539],
  ...[1505, 1507, 1735],
]);

/** A column that the statement names is not there. */
export const isUnknownColumn = predicate([1054]);

/** The object that is to be created is there already (table, index, routine, trigger, view, event, sequence). */
export const isAlreadyThere = predicate([1007, 1050, 1060, 1061, 1304, 1359, 1537]);

/** A disk or a table of the server is full. */
export function isNoSpace(error: unknown): boolean {
  // The system's error 28 comes inside others: 1030 `Got error 28 "No space left on device" from …`.
  return isDiskFull(error) || /No space left on device|Errcode: 28\b/.test(serverText(error));
}

const isDiskFull = predicate([1021, 1114], ['ENOSPC']);

/** The server or the transaction is read-only. */
export function isReadOnlyServer(error: unknown): boolean {
  // 1290 stands for every server option that prevents a statement, not only for read_only.
  return isReadOnly(error) || (isPrevented(error) && /read.only/i.test(serverText(error)));
}

const isReadOnly = predicate([1792, 1836]);
const isPrevented = predicate([1290]);

/** The server has no free connection, or the account none. */
export const isTooManyConnections = predicate([1040, 1203, 1226]);

/** The server is going down. */
export const isShuttingDown = predicate([1053]);

/** The statement was stopped (KILL QUERY, max_statement_time). It is undone as far as it can be. */
export const isQueryInterrupted = predicate([1317, 1969]);

/** A statement or a row is longer than the server's max_allowed_packet. */
export const isPacketTooLarge = predicate([1153, 1301]);

/** The statement is not valid SQL for this server. */
export const isSyntaxError = predicate([1064, 1149]);

/** A value does not fit its column, in strict mode. */
export const isRefusedValue = predicate([1264, 1265, 1292, 1366, 1406, 1411, 1416]);

/** Column, and row of the statement from 0, of a refused value; null where the server does not say. */
export function refusedPlace(error: unknown): { column: string; row: number } | null {
  const { sqlMessage = '' } = (error ?? {}) as { sqlMessage?: string };
  const found = /for column (?:`[^`]*`\.){0,2}[`'](\w+)[`'] at row (\d+)$/.exec(sqlMessage);
  return found === null ? null : { column: found[1]!, row: Number(found[2]) - 1 };
}

/** A Galera node that is not part of a working cluster. */
export const isNodeNotReady = predicate([1047]);

/**
 * The server's own words with number and name, e.g.
 * `Duplicate column name 'x' (1060 ER_DUP_FIELDNAME)`. Values of rows are replaced by `…`.
 * Of an error that is not the server's, its code and message.
 */
export function serverText(error: unknown): string {
  const found = findKnown(error, () => true) as
    | { errno?: unknown; code?: unknown; sqlMessage?: unknown; message?: unknown }
    | undefined;
  if (found === undefined) return error instanceof Error ? error.message : String(error);
  const errno = typeof found.errno === 'number' && found.errno > 0 ? found.errno : null;
  const words = String(found.sqlMessage ?? found.message ?? '');
  const code = typeof found.code === 'string' && found.code !== '' ? found.code : null;
  const tag = [errno, code].filter((part) => part !== null).join(' ');
  const text = redactServerMessage(errno, words);
  return tag === '' || text.includes(tag) ? text : `${text} (${tag})`;
}

/**
 * The failure of this program that a server error stands for. `context` says what was being
 * done, e.g. `the rights of the account could not be read`. A DeployError comes back as it is.
 */
export function toDeployError(error: unknown, context: string): DeployError {
  if (error instanceof DeployError) return error;
  return new DeployError(codeOf(error), context, { cause: error });
}

function codeOf(error: unknown): ErrorCode {
  if (isConnectionLost(error)) return 'CONNECTION_LOST';
  if (isConnectionRefused(error) || isTooManyConnections(error)) return 'SERVER_UNREACHABLE';
  if (isUnknownDatabase(error)) return 'DATABASE_MISSING';
  if (isAccessDenied(error)) return 'ACCESS_DENIED';
  if (isReadOnlyServer(error)) return 'SERVER_READ_ONLY';
  if (isMissingRight(error)) return 'RIGHT_MISSING';
  return 'QUERY_FAILED';
}

/** True when the error or one of its causes has one of the numbers or names. */
function predicate(
  errnos: readonly number[],
  codes: readonly string[] = [],
): (error: unknown) => boolean {
  const numbers = new Set<unknown>(errnos);
  const names = new Set<unknown>(codes);
  return (error) =>
    findKnown(error, ({ errno, code }) => numbers.has(errno) || names.has(code)) !== undefined;
}

function findKnown(error: unknown, matches: (known: Known) => boolean): Known | undefined {
  let current = error;
  for (let depth = 0; depth < 16 && typeof current === 'object' && current !== null; depth++) {
    const known = current as Known;
    const isServers = known.errno !== undefined || known.code !== undefined;
    if (isServers && !(current instanceof DeployError) && matches(known)) return known;
    current = known.cause;
  }
  return undefined;
}
