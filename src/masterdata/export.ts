/** Writes the master data of a database as files of format 2.0, the same bytes for the same rows. */
import { mkdir, rm } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import sql, { join, raw } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { type BoundEntity, bindEntities } from './bind.ts';
import { type Column, readTables } from './columns.ts';
import type { EntitySet } from './entity.ts';
import { type Envelope, EXPORT_VERSION, METADATA_FILE, type Metadata } from './format.ts';
import { makeProblems, type Problems } from './problems.ts';
import { shorten } from './row.ts';
import { selectFields } from './select.ts';
import { at, tableOf } from './sql.ts';
import { type FileEntry, openEntityFile, writeMetadata } from './write-file.ts';

/** What an export says about itself. */
export type ExportMeta = {
  readonly backendVersion: string;
  readonly dbVersion: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly gameSystem: string;
};

/**
 * Writes every entity of the current database to `dir`: one file each, its rows by natural key, and
 * `metadata.json` last, so that a folder that has it is complete. Rows are read one by one, from
 * one snapshot. Other files of the folder stay. Changes nothing in the database, needs no lock.
 *
 * @throws DeployError `MASTERDATA_INVALID` when tables or columns are missing, or rows refer to rows that are not
 *   there: such a reference cannot be written.
 */
export async function exportMasterdata(
  db: Db,
  entities: EntitySet,
  dir: string,
  meta: ExportMeta,
): Promise<Metadata> {
  const problems = makeProblems(dir);
  const tables = await readTables(
    db,
    entities.entities.map(({ table }) => table),
  );
  const bound = bindEntities(entities, tables, problems);
  problems.throwIfAny();
  await mkdir(dir, { recursive: true });
  await rm(joinPath(dir, METADATA_FILE), { force: true });
  const about = {
    export_version: EXPORT_VERSION,
    backend_version: meta.backendVersion,
    timestamp: meta.timestamp,
    game_system: meta.gameSystem,
  };
  const files = await withSnapshot(db, async () => {
    for (const entity of bound) await checkDangling(db, entity, problems);
    problems.throwIfAny();
    const written: Record<string, FileEntry> = {};
    for (const entity of bound) {
      written[entity.entity.file] = await writeRows(db, entity, dir, about);
    }
    return written;
  });
  return writeMetadata(dir, { ...about, db_version: meta.dbVersion }, files);
}

async function withSnapshot<T>(db: Db, work: () => Promise<T>): Promise<T> {
  const row = await db.one<{ open: string | number }>('SELECT @@in_transaction AS open');
  // The caller's transaction has a snapshot of its own; starting another one would commit it.
  if (Number(row?.open) === 1) return work();
  await db.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  try {
    return await work();
  } finally {
    await db.run('ROLLBACK').catch(() => undefined);
  }
}

/** Finds rows that refer to rows that are not there. */
async function checkDangling(db: Db, entity: BoundEntity, problems: Problems): Promise<void> {
  if (entity.references.length === 0) return;
  const { joins, dangling } = selectFields(entity);
  const id = at('t', entity.id.name);
  const rows = await db.query<{ id: string | number }>(sql`SELECT ${id} AS id
    FROM ${tableOf(entity)} AS t ${joins} WHERE ${dangling} ORDER BY ${id} LIMIT 50`);
  for (const row of rows) {
    const key = `${entity.table.name} ${entity.id.name} ${shorten(String(row.id))}`;
    problems.add(entity.entity.file, null, key, 'the row refers to one that is not there');
  }
}

async function writeRows(
  db: Db,
  entity: BoundEntity,
  dir: string,
  about: Envelope,
): Promise<FileEntry> {
  const { values, joins } = selectFields(entity);
  const columns = values.map((value, index) => sql`${value} AS ${raw(`v${index}`)}`);
  // By bytes: the order must not depend on the server's version of a collation.
  const order = entity.entity.key.map((name) => {
    const index = entity.fields.findIndex(({ field }) => field.name === name);
    const isText = entity.fields[index]!.type.charset !== null;
    return isText ? sql`BINARY ${values[index]!}` : values[index]!;
  });
  const rows = db.stream(sql`SELECT ${join(columns)} FROM ${tableOf(entity)} AS t ${joins}
    ORDER BY ${join([...order, at('t', entity.id.name)])}`);
  const file = await openEntityFile(dir, entity.entity.file, about);
  try {
    for await (const row of rows) await file.add(rowOf(entity, row));
    return await file.end();
  } finally {
    await file.abandon();
  }
}

function rowOf(entity: BoundEntity, row: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    entity.fields.map(({ field, type }, index) => [field.name, toJson(row[`v${index}`], type)]),
  );
}

/** A value of the server as JSON has it: whole numbers as numbers where none is lost. */
function toJson(value: unknown, { dataType, columnType }: Column): unknown {
  if (value === null || value === undefined) return null;
  if (columnType.startsWith('tinyint(1)') && (Number(value) === 0 || Number(value) === 1)) {
    return Number(value) === 1;
  }
  if (typeof value === 'string' && dataType.endsWith('int')) {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  return value;
}
