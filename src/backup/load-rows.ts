/** The two ways in which the rows of a file come into their table. */
import { join } from 'node:path';
import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { throwIfAborted } from './failures.ts';
import { JSON_ROWS_SUFFIX, readJsonStatements } from './json-rows.ts';
import type { LoadOptions } from './load.ts';
import { NEXT_STATEMENT, readRowTexts } from './load-data.ts';
import type { ManifestFile } from './manifest.ts';
import { HISTORY_SESSION } from './own-rows.ts';
import { readPacked } from './packed-file.ts';
import { readTableList } from './read-tables.ts';
import { splitDump } from './row-statements.ts';
import { readStoredColumns } from './writer.ts';

export type RowOptions = Pick<LoadOptions, 'set' | 'code' | 'signal'> & {
  /** Is told the compressed bytes that were read since the last time. */
  note(bytes: number): void;
};

/**
 * Runs the INSERTs of a file, which may hold SQL or JSON.
 *
 * @throws DeployError `options.code` naming table and file
 */
export async function insertRows(db: Db, file: ManifestFile, options: RowOptions): Promise<void> {
  const { code, signal } = options;
  const { path, bytes } = openFile(file, options);
  const fail = (what: string, cause: unknown) => {
    const table = file.table === null ? 'the backup' : quoteNameText(file.table);
    return new DeployError(code, `rows of ${table} could not be ${what}`, { where: path, cause });
  };
  const run = async (statement: string) => {
    try {
      await db.run(statement);
    } catch (cause) {
      throw fail('loaded', cause);
    }
  };
  const statements = await statementsOf(db, file, bytes);
  let inserts = 0;
  for await (const statement of readable(statements, (cause) => fail('read', cause))) {
    throwIfAborted(signal);
    if (statement.startsWith('INSERT ') && inserts++ % STATEMENTS_OF_A_COMMIT === 0) {
      await run('START TRANSACTION');
    }
    await run(statement);
  }
  await run('COMMIT');
}

/**
 * Sends the rows of a file with `statement`, a LOAD DATA of some INSERTs' rows at a time.
 *
 * @returns how many rows the server took; null when it warned of one, or refused them, or when the
 *   text is not the expected one: then INSERT has to say what is wrong, if anything is. Rows may be
 *   in the table all the same.
 * @throws DeployError `options.code` when the connection is lost
 */
export async function sendRows(
  db: Db,
  file: ManifestFile & { readonly table: string },
  options: RowOptions & { readonly statement: string },
): Promise<number | null> {
  const { code, signal, statement } = options;
  const { path, bytes } = openFile(file, options);
  const texts = readRowTexts(bytes, file.table);
  let isOver = false;
  async function* some(): AsyncGenerator<Buffer> {
    for (let left = STATEMENTS_OF_A_COMMIT; left > 0; ) {
      const { value, done } = await texts.next();
      isOver = done === true;
      if (isOver) return;
      if (value === NEXT_STATEMENT) left--;
      else yield value as Buffer;
    }
  }
  try {
    let rows = 0;
    while (!isOver) {
      throwIfAborted(signal);
      const taken = await db.load(statement, some());
      if (taken.warnings > 0) return null;
      rows += taken.affectedRows;
    }
    return rows;
  } catch (cause) {
    throwIfAborted(signal);
    if (db.lost() === null) return null;
    const what = `rows of ${quoteNameText(file.table)} could not be loaded`;
    throw new DeployError(code, what, { where: path, cause });
  } finally {
    await texts.return(undefined);
  }
}

/**
 * A durable server waits for its disk at each commit. START TRANSACTION commits what came before,
 * and so does each LOAD DATA. Not all in one: its undo log would grow with the table.
 */
const STATEMENTS_OF_A_COMMIT = 16;

function openFile(
  { name }: ManifestFile,
  { set, note }: RowOptions,
): { readonly path: string; readonly bytes: AsyncIterable<Buffer> } {
  const path = join(set.dir, name);
  let told = 0;
  const bytes = readPacked(path, (done) => {
    note(done - told);
    told = done;
  });
  return { path, bytes };
}

/** Explains what goes wrong while a file is read; what its reader throws passes it by. */
async function* readable(
  statements: AsyncIterable<string>,
  explain: (cause: unknown) => DeployError,
): AsyncGenerator<string> {
  try {
    yield* statements;
  } catch (cause) {
    throw explain(cause);
  }
}

/** The INSERTs of a file, which may hold SQL or JSON. */
async function statementsOf(
  db: Db,
  { name, table }: ManifestFile,
  bytes: AsyncIterable<Buffer>,
): Promise<AsyncIterable<string>> {
  if (!name.endsWith(JSON_ROWS_SUFFIX) || table === null) return splitDump(bytes);
  const row = await db.one<{ name: string }>('SELECT DATABASE() AS name');
  const columns = (await readStoredColumns(db, row!.name)).get(table) ?? [];
  const { tables } = await readTableList(db, row!.name);
  const systemVersioned = tables.find((each) => each.name === table)?.systemVersioned ?? false;
  if (systemVersioned) await db.run(HISTORY_SESSION);
  return readJsonStatements(bytes, { table, columns, systemVersioned });
}
