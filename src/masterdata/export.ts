/** Writes the master data of a database as files of format 2.0, the same bytes for the same rows. */
import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import sql, { join, raw } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { type BoundEntity, bindEntities } from './bind.ts';
import { type Column, readTables } from './columns.ts';
import type { EntitySet } from './entity.ts';
import { EXPORT_VERSION, METADATA_FILE, type Metadata } from './format.ts';
import { makeProblems, type Problems } from './problems.ts';
import { shorten } from './row.ts';
import { selectFields } from './select.ts';
import { at, tableOf } from './sql.ts';

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
    const written: Record<string, { sha256: string; count: number }> = {};
    for (const entity of bound) {
      written[entity.entity.file] = await writeRows(db, entity, dir, about);
    }
    return written;
  });
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { export_version, backend_version, timestamp, game_system } = about;
  const metadata: Metadata = {
    ...{ export_version, backend_version, db_version: meta.dbVersion, timestamp, game_system },
    files: sorted,
  };
  await writeWhole(joinPath(dir, METADATA_FILE), `${JSON.stringify(metadata, null, 2)}\n`);
  return metadata;
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
  about: Readonly<Record<string, string>>,
): Promise<{ sha256: string; count: number }> {
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
  const path = joinPath(dir, entity.entity.file);
  const file = await openWriter(`${path}.part`);
  let count = 0;
  try {
    await file.write(JSON.stringify({ ...about, data: [] }, null, 2).replace(/\[\]\n\}$/, '['));
    for await (const row of rows) {
      await file.write(`${count === 0 ? '' : ','}\n${indent(rowOf(entity, row))}`);
      count += 1;
    }
    await file.write(`${count === 0 ? '' : '\n  '}]\n}\n`);
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  return { sha256: file.sha256(), count };
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

function indent(row: object): string {
  return JSON.stringify(row, null, 2).replaceAll(/^/gm, '    ');
}

/** Writes text in large pieces, and hashes it. */
async function openWriter(path: string) {
  const file = await open(path, 'w');
  const hash = createHash('sha256');
  let text = '';
  async function flush(): Promise<void> {
    hash.update(text);
    await file.write(text);
    text = '';
  }
  return {
    async write(part: string): Promise<void> {
      text += part;
      if (text.length > 1 << 18) await flush();
    },
    async close(): Promise<void> {
      try {
        await flush();
        await file.sync();
      } finally {
        await file.close();
      }
    },
    sha256: () => hash.digest('hex'),
  };
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text, { flush: true });
  await rename(`${path}.part`, path);
}
