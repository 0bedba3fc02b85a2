/** Errors of mysql2, made fit to travel: without statement, without values of rows, with the right name. */
import { mariadbErrorName } from './error-names.ts';
import { redactServerMessage } from './redact-server-message.ts';

/** An error for which isConnectionLost() is true. */
export function lossOf(text: string, cause?: unknown): Error {
  const error = new Error(text, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code: 'PROTOCOL_CONNECTION_LOST' });
}

/**
 * mysql2 puts the statement on its errors, values included, and names errors by MySQL's list. The
 * server quotes values of rows in its messages, and loggers print an error's causes: so they are
 * taken out here, where the error is made.
 */
export function withoutStatement<E extends object>(error: E): E {
  const open = error as OpenError;
  delete open.sql;
  delete open.parameters;
  if (open.sqlMessage !== undefined) {
    open.message = redactServerMessage(open.errno ?? null, open.sqlMessage);
    open.stack = open.stack?.replace(open.sqlMessage, () => open.message);
    open.sqlMessage = open.message;
  }
  if (typeof open.errno === 'number' && open.errno >= 1000) {
    const name = mariadbErrorName(open.errno, open.code);
    if (name === null) delete open.code;
    else open.code = name;
  }
  return error;
}

type OpenError = {
  message: string;
  stack?: string | undefined;
  errno?: number;
  code?: unknown;
  sqlMessage?: string;
  sql?: unknown;
  parameters?: unknown;
};
