import sql from 'sql-template-tag';
import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { connect, type Db } from '../database/connect.ts';
import { readKeyColumns, readKeyRanges } from '../database/key-ranges.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { SchemaModel } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import type { Outline } from './contents.ts';
import { type Dump, startDump } from './dump.ts';
import {
  type DumpPlan,
  type PlannedTable,
  partsOfTables,
  planDump,
  type RowPart,
} from './dump-plan.ts';
import { lanesFor } from './lanes.ts';
import { lockTables } from './lock-tables.ts';
import { readDefiners, readObjectSections } from './read-objects.ts';
import {
  readSchemaDefaults,
  readSequenceStates,
  readTableList,
  type SchemaDefaults,
  type TableList,
} from './read-tables.ts';
import type { Section } from './section-file.ts';
import { readStructure, type Structure } from './structure-file.ts';
import type { RowFormat } from './write-rows.ts';
import { chooseWriter, readStoredColumns, type StoredColumn } from './writer.ts';

/**
 * A database as it is at one point in time, which `mariadb-dump`, our own reading and our own
 * hashing share. It is made so (experiments §6), with rights on this database only:
 *
 * 1. One connection locks all tables for reading, so that nobody writes.
 * 2. Every `mariadb-dump` starts; when it says so, its snapshot is open.
 * 3. Our own connections open their snapshots; structure and counters, which are not part of any
 *    snapshot, are read.
 * 4. The lock goes; writers go on. It was held for some ten milliseconds, for a large database some
 *    hundred.
 *
 * Tables that are not InnoDB have no snapshot: with one of them the lock stays to the end.
 */
export type Source = {
  /** In the snapshot, as many as read at the same time. Default database: the one backed up. */
  readonly readers: readonly Db[];
  /** The same, for the tables that our own writer writes. */
  readonly writers: readonly Db[];
  readonly outline: Outline;
  readonly model: SchemaModel;
  readonly defaults: SchemaDefaults;
  readonly structure: Structure;
  readonly objects: readonly Section[];
  readonly definers: readonly string[];
  /** Stored columns by table. */
  readonly columns: ReadonlyMap<string, readonly StoredColumn[]>;
  readonly tables: readonly PlannedTable[];
  /** Conditions that cut the large tables. */
  readonly ranges: ReadonlyMap<string, readonly string[]>;
  readonly dumps: readonly RunningDump[];
  readonly own: readonly RowPart[];
  /** Ends snapshot and lock. */
  close(): Promise<void>;
  /** The same at once, whatever is still being read. */
  destroy(): void;
};

/** A `mariadb-dump` and what it writes, in this order. */
export type RunningDump = { readonly dump: Dump; readonly parts: readonly RowPart[] };

export type SourceOptions = {
  readonly address: ServerAddress;
  readonly database: string;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  readonly registerConnection?: ((connectionId: number) => Promise<void>) | undefined;
  readonly heldEvents?: readonly string[] | undefined;
  /** `json`: our own writer writes all tables. */
  readonly format?: RowFormat;
  readonly leastPartBytes?: number;
};

/**
 * Opens the database at one point in time. Writes of others wait for a moment.
 *
 * @throws DeployError `BACKUP_FAILED` when long transactions keep the tables from being locked,
 *   `RIGHT_MISSING` when the account may not see the text of an object.
 */
export async function openSource(options: SourceOptions): Promise<Source> {
  const { address, database, log } = options;
  const opened: Db[] = [];
  const dumps: RunningDump[] = [];
  const open = async () => {
    const db = await connect(address, { database });
    opened.push(db);
    await options.registerConnection?.(db.id);
    return db;
  };
  const openAll = async (count: number) => {
    const dbs: Db[] = [];
    while (dbs.length < count) dbs.push(await open());
    return dbs;
  };
  const killDumps = () => {
    for (const { dump } of dumps) dump.kill();
  };
  const close = async () => {
    killDumps();
    await Promise.all(opened.map((db) => db.close()));
  };
  const destroy = () => {
    killDumps();
    for (const db of opened) db.destroy();
  };
  try {
    const locker = await open();
    const cuts = await readCuts(locker, options);
    const lanes = lanesFor(cuts.dataBytes);
    const readers = await openAll(lanes);
    const spare = await openAll(lanes);
    const list = await lockTables(locker, options);
    const begun = performance.now();
    const { plan, ...planned } = await planRows(readers[0]!, options, list, cuts);
    for (const parts of plan.dumps) dumps.push({ dump: startPart(options, parts), parts });
    const writers = spare.slice(0, plan.own.length);
    await Promise.all([
      ...dumps.map(({ dump }) => dump.begun),
      ...[...readers, ...writers].map(openSnapshot),
    ]);
    for (const id of dumps.length === 0 ? [] : await findDumps(locker, database, opened)) {
      await options.registerConnection?.(id);
    }
    const read = await readAll(readers[0]!, options, list);
    if (list.tables.every(({ engine }) => engine === 'InnoDB')) {
      await locker.close();
      const heldMs = Math.round(performance.now() - begun);
      log.debug({ heldMs, tables: list.tables.length }, 'tables were locked for reading');
    }
    return { ...read, ...planned, readers, writers, dumps, own: plan.own, close, destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}

/**
 * The connections of the running `mariadb-dump`s, which do not tell them: those of this account and
 * host in the database that were opened after our own. The server counts connections up.
 */
async function findDumps(db: Db, database: string, own: readonly Db[]): Promise<number[]> {
  const last = Math.max(...own.map(({ id }) => id));
  const rows = await db.query<{ id: string }>(sql`SELECT other.id AS id
    FROM information_schema.processlist other
    JOIN information_schema.processlist own ON own.id = CONNECTION_ID()
    WHERE other.id > ${last} AND other.db = ${database} AND other.user = own.user
      AND SUBSTRING_INDEX(other.host, ':', 1) = SUBSTRING_INDEX(own.host, ':', 1)`);
  return rows.map(({ id }) => Number(id));
}

async function openSnapshot(db: Db): Promise<void> {
  await db.run('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await db.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
}

function startPart({ address, database }: SourceOptions, parts: readonly RowPart[]): Dump {
  const tables = parts.map(({ table }) => table);
  return startDump({ address, database, tables, where: parts[0]?.where ?? null });
}

type Cuts = {
  readonly dataBytes: number;
  /** Column that the conditions are on, by table. */
  readonly keys: ReadonlyMap<string, string>;
  readonly byTable: ReadonlyMap<string, readonly string[]>;
};

/** How large tables are to be cut. Read before the lock: borders need not be exact. */
async function readCuts(db: Db, { database, leastPartBytes }: SourceOptions): Promise<Cuts> {
  const { tables } = await readTableList(db, database);
  const cuttable = tables.filter(({ engine }) => engine === 'InnoDB');
  const parts = partsOfTables(cuttable, leastPartBytes);
  const dataBytes = tables.reduce((sum, table) => sum + table.dataBytes, 0);
  const keys = await readKeyColumns(db, database, parts);
  return { dataBytes, keys, byTable: await readKeyRanges(db, { schema: database, parts, keys }) };
}

/**
 * DATA LOSS: a column that an ALTER took out of the key before the lock may be NULL, and such rows
 * are in no part. A table whose key is another one now is written whole.
 */
async function readSafeRanges(
  db: Db,
  database: string,
  { keys, byTable }: Cuts,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const locked = await readKeyColumns(db, database, byTable);
  return new Map([...byTable].filter(([table]) => locked.get(table) === keys.get(table)));
}

async function planRows(
  db: Db,
  { database, format, leastPartBytes }: SourceOptions,
  { tables }: TableList,
  cuts: Cuts,
): Promise<Pick<Source, 'columns' | 'tables' | 'ranges'> & { readonly plan: DumpPlan }> {
  const columns = await readStoredColumns(db, database);
  const ranges = await readSafeRanges(db, database, cuts);
  const planned = tables.map((table): PlannedTable => {
    const chosen = chooseWriter(table, columns.get(table.name) ?? []);
    const writer = format === 'json' ? 'own' : chosen;
    return { name: table.name, dataBytes: table.dataBytes, writer };
  });
  // A MERGE table shows the rows of others.
  const merged = new Set(tables.flatMap((t) => (t.engine === 'MRG_MyISAM' ? [t.name] : [])));
  const stored = planned.filter(({ name }) => !merged.has(name));
  return { columns, tables: planned, ranges, plan: planDump(stored, ranges, leastPartBytes) };
}

async function readAll(
  db: Db,
  { database, heldEvents = [] }: SourceOptions,
  list: TableList,
): Promise<Pick<Source, 'outline' | 'model' | 'defaults' | 'structure' | 'objects' | 'definers'>> {
  const defaults = (await readSchemaDefaults(db, database))!;
  const states = await readSequenceStates(db, database, list.sequences);
  const structure = await readStructure(db, list, states);
  const model = await readSchema(db, database);
  const objects = await readObjectSections(db, database, defaults, heldEvents);
  const definers = await readDefiners(db, database);
  const fingerprints = fingerprintSchema(model);
  return { outline: { list, states, fingerprints }, model, defaults, structure, objects, definers };
}
