/** The ends of a connection: with a goodbye to the server, or at once. */
import type { Connection } from 'mysql2';

/** A server that does not answer must not keep the program from ending. */
const GOODBYE_MS = 2_000;

/** Tells the server and waits for its answer, not for long. Never rejects. */
export async function sayGoodbye(connection: Connection): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, GOODBYE_MS);
    connection.end(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  destroySocket(connection);
}

/** Cuts the connection at once. */
export function cutConnection(connection: Connection): void {
  connection.destroy();
  destroySocket(connection);
}

/** mysql2's destroy() only ends its half of the socket. */
export function destroySocket(connection: Connection): void {
  (connection as unknown as { stream: { destroy(): void } }).stream.destroy();
}
