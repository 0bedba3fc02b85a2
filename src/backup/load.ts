import { join } from 'node:path';
import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { throwIfAborted } from './failures.ts';
import { JSON_ROWS_SUFFIX, readJsonStatements } from './json-rows.ts';
import { lanesFor, shareOut } from './lanes.ts';
import { loadOrder } from './load-order.ts';
import type { BackupSet, ManifestFile } from './manifest.ts';
import { HISTORY_SESSION } from './own-rows.ts';
import { readPacked, readPackedText } from './packed-file.ts';
import type { OnProgress } from './progress.ts';
import { INVALID_VIEW } from './read-objects.ts';
import { readTableList } from './read-tables.ts';
import { splitDump } from './row-statements.ts';
import { parseSections, type Section } from './section-file.ts';
import { LOADING_SESSION } from './structure-file.ts';
import { readStoredColumns } from './writer.ts';

export type LoadOptions = {
  /**
   * Each with the schema as default database where the set is loaded; they share the work. Their
   * sessions are changed.
   */
  readonly dbs: readonly Db[];
  readonly set: Pick<BackupSet, 'dir' | 'manifest'>;
  /** What a statement that fails stands for. */
  readonly code: 'BACKUP_NOT_PROVEN' | 'RESTORE_FAILED' | 'PUT_BACK_FAILED';
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** How many connections load a set at the same time. */
export function loaderCount({ manifest }: Pick<BackupSet, 'manifest'>): number {
  const packedBytes = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return lanesFor(packedBytes * USUAL_PACKING);
}

/** Rows of applications become so much smaller; it only decides how many connections are opened. */
const USUAL_PACKING = 3;

/**
 * Loads sequences, tables and rows into an empty schema: tables first without their secondary
 * keys, then the rows of all tables at the same time, the keys of each as soon as its rows are there,
 * the foreign keys last. No views, routines, triggers or events.
 *
 * When one connection fails the others are cut.
 *
 * @throws DeployError `options.code` naming the object; the text of the statement is in no error.
 */
export async function loadTables(options: LoadOptions): Promise<void> {
  const { dbs, set, code, signal, onProgress = () => {} } = options;
  const cut = () => {
    for (const db of dbs) db.destroy();
  };
  for (const db of dbs) for (const statement of LOADING_SESSION) await db.run(statement);
  for (const section of await readSections(set, 'structure')) {
    throwIfAborted(signal);
    if (section.key !== null) await runSection(dbs[0]!, section, code);
  }
  const keys = (await readSections(set, 'keys')).filter(({ key }) => key !== null);
  const isForeign = ({ key }: Section) => key!.startsWith('foreign keys of:');
  const keyOf = new Map(keys.filter((section) => !isForeign(section)).map((s) => [s.key, s]));
  const progress = countBytes(set, onProgress);
  const left = Map.groupBy(rowFiles(set), ({ table }) => table);
  const order = loadOrder(set.manifest, (table) => keyOf.has(`keys of:${table}`));
  await shareOut(dbs, order, async (db, file) => {
    try {
      await loadRows(db, file, { ...options, note: progress });
      const rest = left.get(file.table)!.filter((other) => other !== file);
      left.set(file.table, rest);
      const section = keyOf.get(`keys of:${file.table}`);
      if (rest.length > 0 || section === undefined) return;
      keyOf.delete(section.key);
      await runSection(db, section, code);
    } catch (error) {
      cut();
      throw error;
    }
  });
  const rest = [...keyOf.values(), ...keys.filter(isForeign)];
  for (const [index, section] of rest.entries()) {
    throwIfAborted(signal);
    onProgress({ phase: 'keys', done: index, of: rest.length, what: 'tables' });
    await runSection(dbs[0]!, section, code);
  }
}

function rowFiles({ manifest }: LoadOptions['set']): ManifestFile[] {
  return manifest.files.filter(({ kind }) => kind === 'rows');
}

/** Tells the progress of all files together. */
function countBytes(set: LoadOptions['set'], onProgress: OnProgress): (bytes: number) => void {
  const of = rowFiles(set).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let done = 0;
  return (bytes) => {
    done += bytes;
    onProgress({ phase: 'load', done, of, what: 'bytes' });
  };
}

/** The sections of the set's files of one kind. */
export async function readSections(
  { dir, manifest }: Pick<BackupSet, 'dir' | 'manifest'>,
  kind: 'structure' | 'keys' | 'objects',
): Promise<Section[]> {
  const sections: Section[] = [];
  for (const { name } of manifest.files.filter((file) => file.kind === kind)) {
    try {
      sections.push(...parseSections(await readPackedText(join(dir, name))));
    } catch (cause) {
      throw new DeployError('BACKUP_SET_INVALID', `${name} cannot be read`, {
        where: join(dir, name),
        cause,
      });
    }
  }
  return sections;
}

/** Runs the statements of one section; a failure names its object. */
export async function runSection(
  db: Db,
  section: Section,
  code: LoadOptions['code'],
): Promise<void> {
  for (const statement of section.statements) {
    try {
      await db.run(statement);
    } catch (cause) {
      const name = (section.key ?? 'its session').replace(':', ' ');
      throw new DeployError(code, `${name} of the backup could not be made`, { cause });
    }
  }
}

/**
 * Runs the sections of `objects.sql`. A view that was invalid when it was backed up may fail. `make`
 * runs one section.
 *
 * @returns the names of the views that could not be made
 */
export async function makeObjects(
  db: Db,
  sections: readonly Section[],
  code: LoadOptions['code'],
  make: typeof runSection = runSection,
): Promise<string[]> {
  const failed: string[] = [];
  for (const section of sections) {
    try {
      await make(db, section, code);
    } catch (error) {
      if (section.key?.startsWith(INVALID_VIEW) !== true || db.lost() !== null) throw error;
      failed.push(section.key.slice(INVALID_VIEW.length));
    }
  }
  return failed;
}

async function loadRows(
  db: Db,
  file: ManifestFile,
  { set, code, signal, note }: LoadOptions & { note(bytes: number): void },
): Promise<void> {
  const path = join(set.dir, file.name);
  let told = 0;
  const bytes = readPacked(path, (done) => {
    note(done - told);
    told = done;
  });
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
    if (statement.startsWith('INSERT ') && inserts++ % INSERTS_OF_A_COMMIT === 0) {
      await run('START TRANSACTION');
    }
    await run(statement);
  }
  await run('COMMIT');
}

/**
 * A durable server waits for its disk at each commit. START TRANSACTION commits what came before.
 * Not all in one: its undo log would grow with the table.
 */
const INSERTS_OF_A_COMMIT = 16;

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
