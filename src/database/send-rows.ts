/** Rows that a connection sends for LOAD DATA LOCAL INFILE instead of a file. */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Connection } from 'mysql2';

export type Rows = {
  /** What mysql2 sends. */
  readonly stream: Readable;
  /** What went wrong while the rows were read; null when nothing did. */
  failure(): { readonly error: unknown } | null;
  /** Leaves the rows where they are. */
  close(): void;
};

/**
 * Rows that wait for the server: mysql2 would read on and hold in memory what is not sent yet.
 * Nothing of `given` is read before the server asks.
 */
export function openRows(connection: Connection, given: AsyncIterable<Buffer>): Rows {
  const { stream: socket } = connection as unknown as { readonly stream: Socket };
  let failure: { readonly error: unknown } | null = null;
  async function* paced(): AsyncGenerator<Buffer> {
    try {
      for await (const piece of given) {
        yield piece;
        if (socket.writableNeedDrain) await untilDrained(socket);
        if (socket.destroyed) return;
      }
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  const stream = Readable.from(paced(), { objectMode: false });
  // mysql2 listens only while it sends; what fails later is of no interest.
  stream.on('error', () => {});
  return { stream, failure: () => failure, close: () => void stream.destroy() };
}

function untilDrained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
