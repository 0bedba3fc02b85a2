/**
 * One connection to a server. Never a pool: a pool reconnects silently, and with the connection
 * the deploy lock, the session and the transaction would be gone without anybody noticing.
 */
import { Readable } from 'node:stream';
import { type Connection, createConnection, type ResultSetHeader } from 'mysql2';
import type { Sql } from 'sql-template-tag';
import type { ServerAddress } from '../config/config.ts';
import { cutConnection, destroySocket, sayGoodbye } from './connection-end.ts';
import { withoutStatement } from './connection-errors.ts';
import { closedError, failed, type Link, watch } from './link.ts';
import { statementText } from './literal.ts';
import { readExactly } from './read-exactly.ts';

/** One row by column name. BIGINT and DECIMAL are strings, dates and JSON are strings, BLOBs are Buffers. */
export type Row = Record<string, unknown>;

export type RunResult = {
  /** Rows that an INSERT, UPDATE or DELETE matched: also those that an UPDATE left as they were. */
  readonly affectedRows: number;
  readonly insertId: string;
  /** Number of warnings of the statement. */
  readonly warnings: number;
};

/** One open connection. It never reconnects: once lost, every call rejects at once. */
export type Db = {
  /** CONNECTION_ID(). */
  readonly id: number;
  /** Behind a socket: it may be the temporary server of the docker image's first start (wait.ts). */
  readonly looksTemporary: boolean;
  /**
   * Runs one statement and gives its rows; of a CALL those of its first result set. The server's
   * error passes as it is (see server-errors.ts), without the statement's text.
   */
  query<R extends object = Row>(statement: string | Sql): Promise<R[]>;
  /** The first row, or undefined. */
  one<R extends object = Row>(statement: string | Sql): Promise<R | undefined>;
  /** Runs one statement whose rows do not matter. */
  run(statement: string | Sql): Promise<RunResult>;
  /**
   * Runs a LOAD DATA LOCAL INFILE that gets `rows`, whatever file the server asks for. Rejects with
   * the error of `rows` when they fail; those before are then in the table. Needs `sendsRows`.
   */
  load(statement: string, rows: AsyncIterable<Buffer>): Promise<RunResult>;
  /** Gives the rows one by one, without holding all of them in memory. Read it to its end. */
  stream<R extends object = Row>(statement: string | Sql): AsyncIterable<R>;
  /** The error that broke the connection, or null while it is whole. */
  lost(): unknown | null;
  /** Calls the listener once when the connection breaks; at once if it is broken already. Not for close(). */
  onLost(listener: (error: unknown) => void): void;
  /** Says goodbye to the server. Never rejects. */
  close(): Promise<void>;
  /** Cuts the connection. A statement that runs on the server may go on there to its end. */
  destroy(): void;
};

export type ConnectOptions = {
  /** The default database; none without it. */
  readonly database?: string;
  readonly connectTimeoutMs?: number;
  /** `bytes`: each character of a statement is one byte on the wire, for text in any character set. */
  readonly encoding?: 'bytes';
  /** Few rows are read: nothing is compiled for them, which would take longer than a hundred rows. */
  readonly answers?: 'short';
  /** `load` may be called. No connection ever reads a file that the server asks for. */
  readonly sendsRows?: true;
  /** Cuts the connection while it is being opened: also one that fell silent after the login. */
  readonly signal?: AbortSignal;
};

/**
 * Opens one connection with a pinned session: strict sql_mode, UTC, utf8mb4, and time-outs so long
 * that a connection which idles during a backup stays. LOCAL INFILE, without `sendsRows`, and
 * several statements in one are off. Rejects with the server's or the socket's own error (see server-errors.ts).
 */
export async function connect(address: ServerAddress, options: ConnectOptions = {}): Promise<Db> {
  const connection = createConnection({
    ...(address.socketPath === null
      ? { host: address.host, port: address.port }
      : { socketPath: address.socketPath }),
    user: address.user,
    password: address.password,
    ...(options.database === undefined ? {} : { database: options.database }),
    connectTimeout: options.connectTimeoutMs ?? 10_000,
    charset: options.encoding === 'bytes' ? 'BINARY' : 'UTF8MB4_UNICODE_CI',
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    typeCast: readExactly,
    disableEval: options.answers === 'short',
    enableKeepAlive: true,
    keepAliveInitialDelay: 5_000,
    trace: false,
    queryFormat: (text) => text, // Else mysql2 looks for a `?` in every character of it.
    // The server's own client sends neither: IGNORE_SPACE makes column names of function names.
    flags: [
      options.sendsRows === true ? 'LOCAL_FILES' : '-LOCAL_FILES',
      ...['-IGNORE_SPACE', '-ODBC', 'FOUND_ROWS'],
      // mysql2: told of SET NAMES, it would write statements in that character set from then on.
      ...(options.encoding === 'bytes' ? ['-SESSION_TRACK'] : []),
    ],
  });
  const link = watch(connection);
  // Only the socket: mysql2 then rejects what waits for an answer.
  const cut = () => destroySocket(connection);
  options.signal?.addEventListener('abort', cut, { once: true });
  try {
    options.signal?.throwIfAborted();
    await opened(connection);
    await send(connection, link, PINNED_SESSION);
    const { rows } = await send(connection, link, GREETING);
    const [greeting] = rows as Record<'id' | 'signs', string>[];
    const looksTemporary = Number(greeting?.signs) === 1;
    return makeDb(connection, link, { id: Number(greeting?.id), looksTemporary });
  } catch (error) {
    link.closing = true;
    connection.destroy();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', cut);
  }
}

/** Opens a connection, runs `work` with it and closes it, also when `work` throws. */
export async function withConnection<T>(
  address: ServerAddress,
  options: ConnectOptions,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const db = await connect(address, options);
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** The sql_mode in which this program reads and writes for itself. */
export const PINNED_SQL_MODE =
  'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

// A server's own wait_timeout can be a minute: it would close the lock's connection during a backup.
const PINNED_SESSION = `SET SESSION sql_mode='${PINNED_SQL_MODE}', time_zone='+00:00', autocommit=1,
 sql_quote_show_create=1, wait_timeout=2147483, interactive_timeout=2147483,
 net_read_timeout=3600, net_write_timeout=3600, lock_wait_timeout=60, max_statement_time=0`;

/**
 * The image starts its temporary server without network and without loading the buffer pool
 * (docker-entrypoint.sh of MariaDB/mariadb-docker). A server that is meant to have no network, such
 * as a scratch server, does not load the pool without also not saving it.
 */
const GREETING = `SELECT CONNECTION_ID() AS id, @@skip_networking = 1
 AND @@innodb_buffer_pool_load_at_startup = 0 AND @@innodb_buffer_pool_dump_at_shutdown = 1 AS signs`;

function opened(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.connect((error) => {
      if (error) reject(withoutStatement(error));
      else resolve();
    });
  });
}

function makeDb(connection: Connection, link: Link, known: Pick<Db, 'id' | 'looksTemporary'>): Db {
  const query = async <R extends object>(statement: string | Sql): Promise<R[]> => {
    const { rows } = await send(connection, link, statementText(statement));
    if (!Array.isArray(rows)) return [];
    // A CALL gives a list of result sets, the last of them its status.
    return (Array.isArray(rows[0]) ? rows[0] : rows) as R[];
  };
  return {
    ...known,
    query,
    one: async <R extends object>(statement: string | Sql) => (await query<R>(statement))[0],
    run: async (statement) =>
      runResult((await send(connection, link, statementText(statement))).rows),
    load: async (statement, given) => {
      const rows = Readable.from(given, { objectMode: false });
      // mysql2 listens only while it sends; what fails later is of no interest.
      rows.on('error', () => {});
      try {
        return runResult((await send(connection, link, statement, rows)).rows);
      } finally {
        rows.destroy();
      }
    },
    stream: (statement) => streamRows(connection, link, statementText(statement)),
    lost: () => link.lost,
    onLost: (listener) => {
      if (link.lost === null) link.listeners.push(listener);
      else listener(link.lost);
    },
    close: async () => {
      if (link.closing) return;
      link.closing = true;
      if (link.lost === null) await sayGoodbye(connection);
      else connection.destroy();
    },
    destroy: () => {
      link.closing = true;
      // mysql2 would leave them waiting for ever.
      for (const reject of link.waiting) reject(closedError(link));
      cutConnection(connection);
    },
  };
}

function send(
  connection: Connection,
  link: Link,
  sql: string,
  sent?: Readable,
): Promise<{ rows: unknown }> {
  if (link.lost !== null || link.closing) return Promise.reject(closedError(link));
  return new Promise((resolve, reject) => {
    link.waiting.add(reject);
    const query = sent === undefined ? { sql } : { sql, infileStreamFactory: () => sent };
    connection.query(query, (error, rows) => {
      link.waiting.delete(reject);
      if (error === null) resolve({ rows });
      else reject(failed(link, error));
    });
  });
}

async function* streamRows<R>(connection: Connection, link: Link, text: string): AsyncIterable<R> {
  if (link.lost !== null || link.closing) throw closedError(link);
  const rows = connection.query(text).stream({ highWaterMark: 8 });
  const stop = (error: Error) => void rows.destroy(error);
  link.waiting.add(stop);
  try {
    for await (const row of rows) yield row as R;
  } catch (error) {
    throw failed(link, error as object);
  } finally {
    link.waiting.delete(stop);
  }
  if (link.lost !== null) throw closedError(link);
}

function runResult(rows: unknown): RunResult {
  const header = (Array.isArray(rows) ? rows.at(-1) : rows) as Partial<ResultSetHeader> | undefined;
  return {
    affectedRows: Number(header?.affectedRows ?? 0),
    insertId: String(header?.insertId ?? 0),
    warnings: Number(header?.warningStatus ?? 0),
  };
}
