import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { connect, type Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { isLockWaitTimeout, isMissingTable } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { SchemaModel } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import type { Outline } from './contents.ts';
import { type Dump, startDump } from './dump.ts';
import { throwIfAborted } from './failures.ts';
import { readDefiners, readObjectSections } from './read-objects.ts';
import {
  readSchemaDefaults,
  readSequenceStates,
  readTableList,
  type SchemaDefaults,
  type TableList,
} from './read-tables.ts';
import type { Section } from './section-file.ts';
import { readStructureSections } from './structure-file.ts';

/**
 * A database as it is at one point in time, which `mariadb-dump`, our own reading and our own
 * hashing share. It is made so (experiments §6), with rights on this database only:
 *
 * 1. One connection locks all tables for reading, so that nobody writes.
 * 2. `mariadb-dump` starts; when it says so, its snapshot is open.
 * 3. Our own connection opens its snapshot and reads structure and counters, which are not part
 *    of any snapshot.
 * 4. The lock goes; writers go on. It was held for some ten milliseconds.
 *
 * Tables that are not InnoDB have no snapshot: with one of them the lock stays to the end.
 */
export type Source = {
  /** In the snapshot. Its default database is the one that is backed up. */
  readonly db: Db;
  readonly outline: Outline;
  readonly model: SchemaModel;
  readonly defaults: SchemaDefaults;
  readonly structure: readonly Section[];
  readonly objects: readonly Section[];
  readonly definers: readonly string[];
  /** Null when there are no tables. */
  readonly dump: Dump | null;
  /** Ends snapshot and lock. */
  close(): Promise<void>;
  /** The same at once, whatever is still being read. */
  destroy(): void;
};

export type SourceOptions = {
  readonly address: ServerAddress;
  readonly database: string;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  readonly registerConnection?: ((connectionId: number) => Promise<void>) | undefined;
};

/** Writers wait behind a lock that waits, so it waits briefly and tries again. */
const LOCK_WAIT_SECONDS = 3;
const LOCK_TRIES = 12;

/**
 * Opens the database at one point in time. Writes of others wait for a moment.
 *
 * @throws DeployError `BACKUP_FAILED` when long transactions keep the tables from being locked,
 *   `RIGHT_MISSING` when the account may not see the text of an object.
 */
export async function openSource(options: SourceOptions): Promise<Source> {
  const opened: Db[] = [];
  let dump: Dump | null = null;
  const open = async () => {
    const db = await connect(options.address, { database: options.database });
    opened.push(db);
    await options.registerConnection?.(db.id);
    return db;
  };
  const close = async () => {
    dump?.kill();
    await Promise.all(opened.map((db) => db.close()));
  };
  const destroy = () => {
    dump?.kill();
    for (const db of opened) db.destroy();
  };
  try {
    const locker = await open();
    const db = await open();
    const list = await lockTables(locker, options);
    const begun = performance.now();
    dump = list.tables.length === 0 ? null : startTableDump(options, list);
    await dump?.begun;
    await db.run('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await db.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    const read = await readAll(db, options.database, list);
    if (list.tables.every(({ engine }) => engine === 'InnoDB')) {
      await locker.close();
      const heldMs = Math.round(performance.now() - begun);
      options.log.debug({ heldMs, tables: list.tables.length }, 'tables were locked for reading');
    }
    return { db, ...read, dump, close, destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}

function startTableDump({ address, database }: SourceOptions, { tables }: TableList): Dump {
  const history = tables.some(({ systemVersioned }) => systemVersioned) ? 'with-history' : 'none';
  return startDump({ address, database, tables: tables.map(({ name }) => name), history });
}

async function readAll(
  db: Db,
  database: string,
  list: TableList,
): Promise<Omit<Source, 'db' | 'dump' | 'close' | 'destroy'>> {
  const defaults = (await readSchemaDefaults(db, database))!;
  const states = await readSequenceStates(db, database, list.sequences);
  const structure = await readStructureSections(db, list, states);
  const model = await readSchema(db, database);
  const objects = await readObjectSections(db, database, defaults);
  const definers = await readDefiners(db, database);
  const fingerprints = fingerprintSchema(model);
  return { outline: { list, states, fingerprints }, model, defaults, structure, objects, definers };
}

/** Locks all tables and sequences for reading and gives the list, which cannot change any more. */
async function lockTables(db: Db, { database, signal }: SourceOptions): Promise<TableList> {
  await db.run(`SET SESSION lock_wait_timeout=${LOCK_WAIT_SECONDS}`);
  let cause: unknown;
  for (let attempt = 1; attempt <= LOCK_TRIES; attempt++) {
    throwIfAborted(signal);
    const list = await readTableList(db, database);
    if (namesOf(list).length === 0) return list;
    try {
      const locks = namesOf(list).map((name) => `${quoteNameText(name)} READ`);
      await db.run(`LOCK TABLES ${locks.join(', ')}`);
      const locked = await readTableList(db, database);
      if (namesOf(locked).join('\0') === namesOf(list).join('\0')) return locked;
      await db.run('UNLOCK TABLES');
    } catch (error) {
      // A table that went away between the two statements: the list is read again.
      if (!isLockWaitTimeout(error) && !isMissingTable(error)) throw error;
      cause = error;
    }
    // Whoever waited behind us gets through before the next attempt.
    await sleep(100 * attempt);
  }
  throw new DeployError(
    'BACKUP_FAILED',
    `the tables of ${database} could not be locked for reading`,
    {
      cause,
      where: database,
      next: [
        'a long transaction holds them: end it (SHOW PROCESSLIST shows it), then run the same command again',
      ],
    },
  );
}

function namesOf({ tables, sequences }: TableList): string[] {
  return [...tables.map(({ name }) => name), ...sequences];
}
