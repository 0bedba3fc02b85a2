/** Whether a connection is whole: its first loss is remembered, and told once. */
import type { Connection } from 'mysql2';
import { lossOf, withoutStatement } from './connection-errors.ts';
import { isConnectionLost } from './server-errors.ts';

/** What is known of a connection's health. */
export type Link = {
  lost: unknown | null;
  closing: boolean;
  readonly listeners: ((e: unknown) => void)[];
  /** Ends the waiting of each statement that has no answer yet. */
  readonly waiting: Set<(e: Error) => void>;
};

/** Notes when the connection breaks. */
export function watch(connection: Connection): Link {
  const link: Link = { lost: null, closing: false, listeners: [], waiting: new Set() };
  connection.on('error', (error) => {
    markLost(link, withoutStatement(error));
  });
  return link;
}

/** Remembers the loss and tells it once. isConnectionLost() is true for what is remembered. */
function markLost(link: Link, error: unknown): void {
  if (link.closing || link.lost !== null) return;
  link.lost = isConnectionLost(error) ? error : lossOf('the connection to the server broke', error);
  // mysql2 tells a statement with a callback, and lets a stream of rows wait for ever.
  for (const stop of [...link.waiting]) stop(link.lost as Error);
  for (const listener of link.listeners.splice(0)) listener(link.lost);
}

/** The error without the statement; a fatal one also ends the connection. */
export function failed(link: Link, thrown: object): unknown {
  const error = withoutStatement(thrown);
  if (link.closing) return closedError(link);
  if ((error as { fatal?: boolean }).fatal !== true && !isConnectionLost(error)) return error;
  markLost(link, error);
  return link.lost;
}

/** What a call on a connection that is closed or lost is told. */
export function closedError(link: Link): Error {
  if (link.lost === null) return lossOf('the connection is closed');
  return lossOf('the connection was lost before', link.lost);
}
