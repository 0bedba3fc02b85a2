import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Readable, Transform } from 'node:stream';
import type { ServerAddress } from '../config/config.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { errorLines, hasBegun } from './dump-messages.ts';

/** A running `mariadb-dump`. */
export type Dump = {
  /** Settles when its snapshot is open: from then on writers do not matter to it. */
  readonly begun: Promise<void>;
  /** Its output with the footer checked: the iteration throws when the dump is not whole. */
  readonly rows: AsyncIterable<Buffer>;
  /** Ends it at once; does nothing when it has ended. */
  kill(): void;
};

export type DumpOptions = {
  readonly address: ServerAddress;
  readonly database: string;
  readonly tables: readonly string[];
  /** Condition on the rows, for all of `tables`; null for all rows. */
  readonly where: string | null;
};

const FOOTER = /\n-- Dump completed[^\n]*\n$/;

/**
 * Starts `mariadb-dump` for the rows of the given tables (at least one). No shell is involved, and
 * the password is in its environment, never among its arguments.
 *
 * That it ended with 0 proves nothing (backup.md §0), so the output must also have its footer, and
 * its messages no error: else `rows` throws `BACKUP_FAILED`.
 */
export function startDump(options: DumpOptions): Dump {
  const child = spawn('mariadb-dump', dumpArguments(options), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MYSQL_PWD: options.address.password, LC_ALL: 'C' },
  });
  // Node throws away what nobody has begun to read when a child ends; this reads from the start.
  const output = child.stdout.pipe(gatherPieces());
  const messages: string[] = [];
  const lines = createInterface({ input: child.stderr });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(cause)));
    child.once('close', (code) => resolve(code));
  });
  const begun = new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (hasBegun(line)) resolve();
      else if (!line.startsWith('-- ')) messages.push(line);
    });
    ended.then(() => reject(failed(messages)), reject);
  });
  // Both are looked at later than they may fail.
  begun.catch(() => {});
  ended.catch(() => {});
  // A kill can break the pipe in the middle; what is missing then is found by the footer.
  child.stdout.on('error', () => output.end());
  return { begun, rows: checkedRows(output, ended, messages), kill: () => child.kill('SIGKILL') };
}

/** The arguments of `mariadb-dump`. Pure. */
export function dumpArguments({ address, database, tables, where }: DumpOptions): string[] {
  const { socketPath, host, port, user } = address;
  return [
    '--no-defaults',
    ...(socketPath === null
      ? ['--protocol=tcp', `--host=${host}`, `--port=${port}`]
      : ['--protocol=socket', `--socket=${socketPath}`]),
    `--user=${user}`,
    // As our own connections. A client of 11.4 or later would insist on a certificate it can check.
    '--skip-ssl',
    '--single-transaction',
    '--skip-lock-tables',
    // LOCK TABLES in a dump makes it fail on tables with DEFAULT NEXTVAL (backup.md §0, fact 1).
    '--skip-add-locks',
    '--skip-disable-keys',
    '--no-create-info',
    '--skip-triggers',
    '--no-tablespaces',
    '--hex-blob',
    // A client of 11.8 would switch autocommit off, and leave it so for what a stock client loads next.
    '--no-autocommit=0',
    '--default-character-set=utf8mb4',
    '--max-allowed-packet=1G',
    // Larger statements load no faster, and a loader holds each in memory a few times.
    '--net-buffer-length=512K',
    ...(where === null ? [] : [`--where=${where}`]),
    '--verbose',
    '--',
    database,
    ...tables,
  ];
}

/** The dump writes 4 KiB at a time; each step behind costs much more per piece than per byte. */
const PIECE_BYTES = 256 * 1024;

function gatherPieces(): Transform {
  let pieces: Buffer[] = [];
  let length = 0;
  return new Transform({
    highWaterMark: PIECE_BYTES,
    transform(piece: Buffer, _encoding, done) {
      pieces.push(piece);
      length += piece.length;
      if (length < PIECE_BYTES) return done();
      const whole = Buffer.concat(pieces, length);
      pieces = [];
      length = 0;
      done(null, whole);
    },
    flush(done) {
      done(null, Buffer.concat(pieces, length));
    },
  });
}

async function* checkedRows(
  stdout: Readable,
  ended: Promise<number | null>,
  messages: readonly string[],
): AsyncGenerator<Buffer> {
  let tail = '';
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 200))).slice(-200);
    yield chunk;
  }
  const code = await ended;
  if (code !== 0 || errorLines(messages).length > 0 || !FOOTER.test(tail)) throw failed(messages);
}

function failed(messages: readonly string[]): DeployError {
  const errors = errorLines(messages);
  return new DeployError('BACKUP_FAILED', 'mariadb-dump did not write a whole dump', {
    // The text of the dump program is the cause here, as a server's message is elsewhere.
    ...(errors.length === 0 ? {} : { cause: new Error(errors.join('; ')) }),
    facts: { messages: errors },
  });
}

function notStarted(cause: Error): DeployError {
  return new DeployError('BACKUP_FAILED', 'mariadb-dump could not be started', {
    cause,
    where: 'PATH',
    next: ['install the MariaDB client programs, e.g. on Debian: apt-get install mariadb-client'],
  });
}
