import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { connect, type Db } from '../database/connect.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { startScratch } from '../scratch/server.ts';
import { readFreeBytes } from './disk-errors.ts';
import { readDumpFile } from './dump-file.ts';
import { judge } from './dump-policy.ts';
import { type DumpStatement, DumpSyntaxError, splitDumpText } from './dump-splitter.ts';
import { throwIfAborted } from './failures.ts';
import { makeImportAccounts } from './import-accounts.ts';
import type { OnProgress } from './progress.ts';
import type { SchemaDefaults } from './read-tables.ts';

export type ImportOptions = {
  /** The dump, plain or packed with gzip or zstd. */
  readonly path: string;
  /** Name and defaults of the schema that the dump is loaded into. */
  readonly database: string;
  readonly defaults: SchemaDefaults;
  readonly scratchDir: string;
  readonly scratchVariables: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** What was in the file besides what was loaded. */
export type Imported = {
  readonly statements: number;
  /** Names that it gives the database with USE and CREATE DATABASE; at most one. */
  readonly database: string | null;
  /** What is no part of a database, by kind: `GRANT`, `SET GLOBAL`. */
  readonly leftOut: ReadonlyMap<string, number>;
  /** Statements of which the server changed or cut values. */
  readonly warned: number;
};

/**
 * Loads an administrator's own dump (mariadb-dump, mysqldump, phpMyAdmin) into a private server of
 * its own, and hands that to `work`. The real server sees nothing of the file: what is restored is
 * what the private server made of it, read back as with every backup. There the dump runs as an account
 * with rights on one schema, without files, and so does its own code, whatever definer it names;
 * what is no part of a dump is refused.
 *
 * @throws DeployError `BACKUP_SET_INVALID` when the file is cut off, foreign, or leaves its database;
 *   `SPACE_SHORT`, `SCRATCH_FAILED`, `INTERRUPTED`
 */
export async function withImportedDump<T>(
  options: ImportOptions,
  work: (address: ServerAddress, imported: Imported) => Promise<T>,
): Promise<T> {
  const { scratchDir, scratchVariables, log } = options;
  const freeBytes = (await readFreeBytes(scratchDir)) ?? Number.POSITIVE_INFINITY;
  const scratch = await startScratch({
    ...{ dir: scratchDir, variables: scratchVariables, log, confined: true },
  });
  try {
    const { database, defaults } = options;
    const { importer, keeper } = await makeImportAccounts(scratch.address, database, defaults);
    const imported = await load(importer, options, Math.floor(freeBytes / 2));
    return await work(keeper, imported);
  } finally {
    await scratch.stop();
  }
}

async function load(
  address: ServerAddress,
  options: ImportOptions,
  limitBytes: number,
): Promise<Imported> {
  const { path, database, onProgress = () => {}, signal } = options;
  const found = { statements: 0, warned: 0, leftOut: new Map<string, number>() };
  const names = new Set<string>();
  let isOpen = false;
  const db = await connect(address, { database, encoding: 'bytes' });
  const stop = () => db.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await prepareSession(db);
    const text = readDumpFile(path, {
      limitBytes,
      onRead: (done) => onProgress({ phase: 'load', done, of: 0, what: 'bytes' }),
    });
    let head = '';
    const statements = splitDumpText(
      withHead(text, (first) => {
        head = first;
      }),
    );
    for (let next = await statements.next(); ; next = await statements.next()) {
      throwIfAborted(signal);
      if (next.done === true) {
        assertWhole(path, head, next.value, isOpen);
        break;
      }
      const verdict = judge(next.value, database);
      if (verdict.do === 'refuse') throw refused(path, next.value, verdict.why);
      if (verdict.do === 'name') noteName(path, next.value, names, verdict.database);
      if (verdict.do === 'leave out')
        found.leftOut.set(verdict.what, (found.leftOut.get(verdict.what) ?? 0) + 1);
      if (verdict.do !== 'run') continue;
      found.statements++;
      isOpen = isInTransaction(verdict.sql, isOpen);
      if (await runOne(db, path, { ...next.value, sql: verdict.sql })) found.warned++;
    }
    await db.run('COMMIT');
  } catch (error) {
    if (!(error instanceof DumpSyntaxError)) throw error;
    throw new DeployError('BACKUP_SET_INVALID', error.message, { where: `${path}:${error.line}` });
  } finally {
    signal?.removeEventListener('abort', stop);
    await db.close();
  }
  return { ...found, database: [...names][0] ?? null };
}

/** As the client that the dump was written for: what it does not set itself is the server's default. */
async function prepareSession(db: Db): Promise<void> {
  await db.run('SET NAMES utf8mb4');
  await db.run(
    `SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', foreign_key_checks=0, unique_checks=1,
     check_constraint_checks=0, innodb_strict_mode=0, max_statement_time=0, max_error_count=65535`,
  );
}

/** True when the server changed values of the statement. */
async function runOne(db: Db, path: string, statement: DumpStatement): Promise<boolean> {
  let warnings: number;
  try {
    ({ warnings } = await db.run(statement.sql));
  } catch (cause) {
    const verb = /^[\s/*!M\d]*([A-Z]+(?: [A-Z]+)?)/i.exec(statement.sql)?.[1] ?? 'a statement';
    throw new DeployError('BACKUP_SET_INVALID', `${verb} of the dump could not be run`, {
      ...{ where: `${path}:${statement.line}`, cause },
      ...adviceFor(cause),
    });
  }
  if (warnings === 0) return false;
  const rows = await db.query<{ Level: string; Code: number }>('SHOW WARNINGS');
  const codes = rows.filter(({ Level }) => Level !== 'Note').map(({ Code }) => Number(Code));
  // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD. Not 1300: mariadb-dump writes bytes of a BLOB as they are.
  if (codes.includes(1366)) {
    const what = 'the dump holds text that is not in the character set which it names';
    throw invalid(`${path}:${statement.line}`, what);
  }
  return codes.some((code) => VALUE_CHANGED.has(code));
}

/** MySQL 8 has collations that MariaDB knows since 11.4.5 only: people are told by what to replace them. */
function adviceFor(cause: unknown): { readonly next?: readonly string[] } {
  const { message = '' } = cause as { readonly message?: string };
  const name = /^Unknown collation: '(\w+)'/.exec(message)?.[1];
  if (name === undefined) return {};
  const other = `${name.split('_')[0]}_unicode_ci`;
  return {
    next: [
      `write a collation that this server knows instead of ${name} into a copy of the dump, and restore that: ` +
        `sed 's/${name}/${other}/g'`,
    ],
  };
}

/** Out of range, truncated, incorrect value: 1264, 1265, 1292, 1406. */
const VALUE_CHANGED = new Set([1264, 1265, 1292, 1406]);

function noteName(path: string, { line }: DumpStatement, names: Set<string>, name: string): void {
  names.add(name);
  if (names.size < 2) return;
  const what = `the dump holds several databases: ${[...names].join(', ')}`;
  throw new DeployError('BACKUP_SET_INVALID', what, {
    where: `${path}:${line}`,
    next: ['dump the one database alone: mariadb-dump --routines --events DATABASE'],
  });
}

/** Whether a transaction is open after the statement, as far as the text of the dump says. Pure. */
function isInTransaction(sql: string, before: boolean): boolean {
  if (/^(?:START\s+TRANSACTION|BEGIN)\b/i.test(sql)) return true;
  return before && !/^(?:COMMIT|ROLLBACK)\b/i.test(sql);
}

/**
 * A file that was cut between two statements: mariadb-dump and mysqldump say at the end that they
 * came to it, and phpMyAdmin commits the transaction that it began at the top.
 */
function assertWhole(path: string, head: string, lastComment: string, isOpen: boolean): void {
  if (isOpen) throw invalid(path, 'the dump is cut off: it begins a transaction and never ends it');
  const isDump = /^(?:\/\*M!999999[^\n]*\n)?-- (?:MariaDB|MySQL) dump/m.test(head);
  if (!isDump || /^Dump completed/.test(lastComment)) return;
  throw invalid(path, 'the dump is cut off: its last line "Dump completed" is missing');
}

/** Passes the text on and shows its beginning to `note`. */
async function* withHead(
  text: AsyncIterable<string>,
  note: (head: string) => void,
): AsyncGenerator<string> {
  let isFirst = true;
  for await (const chunk of text) {
    if (isFirst) note(chunk.slice(0, 1000));
    isFirst = false;
    yield chunk;
  }
}

function refused(path: string, { line }: DumpStatement, why: string): DeployError {
  return invalid(`${path}:${line}`, `the dump is refused: ${why}`);
}

function invalid(where: string, message: string, cause?: unknown): DeployError {
  return new DeployError('BACKUP_SET_INVALID', message, { where, cause });
}
