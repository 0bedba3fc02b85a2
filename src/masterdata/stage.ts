/**
 * Staging tables: temporary tables of the connection, with the columns' own types and collations.
 * Creating, filling and dropping them neither commits nor touches a row of the database.
 */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import { literal } from '../database/literal.ts';
import type { BoundEntity, BoundField } from './bind.ts';
import type { Column } from './columns.ts';
import { noteExact, noteKeys, readDigests, readExact } from './digests.ts';
import type { Problems } from './problems.ts';
import type { EntityRows } from './read.ts';
import { keyText, makeRowStager, type StagedRow } from './row.ts';
import { at, idsOf, stageOf, systemName } from './sql.ts';

// Far below the smallest max_allowed_packet in use (16 MiB), also when each byte is written as hex.
const MAX_STATEMENT_CHARS = 1_000_000;
const MAX_BATCH_ROWS = 2_000;

/** What was staged of a file. */
export type Staged = {
  /** Rows that are in the table just so: they are not staged. */
  readonly exact: number;
  readonly staged: number;
  /** Some row lacks a field, and keeps what the table has. */
  readonly hasAbsent: boolean;
};

/** Makes the empty staging tables of an entity. `lookups` are fields by which rows are looked for. */
export async function createStage(
  db: Db,
  entity: BoundEntity,
  lookups: readonly (readonly BoundField[])[],
): Promise<void> {
  const columns = [
    sql`rn INT UNSIGNED NOT NULL PRIMARY KEY`,
    sql`absent VARCHAR(10000) CHARACTER SET latin1 NOT NULL DEFAULT ''`,
    ...entity.fields.map(({ stage, type, absent }) => {
      const value = absent === null || type.default === null ? 'NULL' : type.default;
      return sql`${quoteName(stage)} ${typeOf(type)} NULL DEFAULT ${raw(value)}`;
    }),
    ...[entity.keyFields, ...lookups].flatMap(indexOf),
  ];
  await dropStages(db, [entity]);
  await db.run(sql`CREATE TEMPORARY TABLE ${stageOf(entity)} (${join(columns)}) ENGINE=InnoDB`);
  await db.run(sql`CREATE TEMPORARY TABLE ${idsOf(entity)} (rn INT UNSIGNED NOT NULL PRIMARY KEY,
    id ${typeOf(entity.id)} NOT NULL, exact BOOLEAN NOT NULL DEFAULT FALSE,
    changed BOOLEAN NOT NULL DEFAULT FALSE, KEY (id, exact)) ENGINE=InnoDB`);
  await db.run(sql`CREATE TEMPORARY TABLE ${quoteName(entity.digests)}
    (digest BINARY(20) NOT NULL PRIMARY KEY, id ${typeOf(entity.id)} NOT NULL,
    repeated BOOLEAN NOT NULL DEFAULT FALSE) ENGINE=InnoDB`);
  await db.run(sql`CREATE TEMPORARY TABLE ${quoteName(entity.keys)}
    (id ${typeOf(entity.id)} NOT NULL PRIMARY KEY, text LONGBLOB NOT NULL) ENGINE=InnoDB`);
  if (entity.references.length > 0) await createRefs(db, entity);
}

async function createRefs(db: Db, entity: BoundEntity): Promise<void> {
  const columns = entity.references.flatMap(({ row, id, column, copies }) => [
    sql`${quoteName(row)} INT UNSIGNED NULL, ${quoteName(id)} ${typeOf(column)} NULL`,
    ...copies.map(({ stage, other }) => sql`${quoteName(stage)} ${typeOf(other.type)} NULL`),
  ]);
  // Only where nothing else tells rows apart: the index of the fields is better.
  const ids = entity.keyFields.length > 0 ? [] : entity.references.filter(({ inKey }) => inKey);
  const key = ids.length === 0 ? [] : [sql`KEY (${join(ids.map(({ id }) => quoteName(id)))})`];
  await db.run(sql`CREATE TEMPORARY TABLE ${quoteName(entity.refs)}
    (${join([sql`rn INT UNSIGNED NOT NULL PRIMARY KEY`, ...columns, ...key])}) ENGINE=InnoDB`);
}

/** Drops the staging tables of entities, as far as they are there. */
export async function dropStages(db: Db, entities: readonly BoundEntity[]): Promise<void> {
  const names = entities.flatMap((one) => [one.stage, one.ids, one.refs, one.digests, one.keys]);
  await db.run(sql`DROP TEMPORARY TABLE IF EXISTS ${join(names.map(quoteName))}`);
}

/**
 * Checks the rows of a file, and puts those into the staging table that the table does not have
 * just so. The next rows are read while the server works on the last ones.
 */
export async function fillStage(
  db: Db,
  entity: BoundEntity,
  source: EntityRows,
  problems: Problems,
): Promise<Staged> {
  const { file } = entity.entity;
  const stageRow = makeRowStager(entity);
  const digests = await readDigests(db, entity);
  const counts = { exact: 0, staged: 0, hasAbsent: false, plainSystems: true };
  const lane = makeLane();
  let batch: Item[] = [];
  const flush = async () => {
    const items = batch;
    batch = [];
    await lane.run(() => writeBatch(db, entity, items, digests > 0, counts));
  };
  try {
    for await (const rows of source.rows()) {
      for (const { index, value } of rows) {
        const row = stageRow(value);
        for (const message of row.problems) {
          problems.add(file, index, keyText(entity, value), message);
        }
        if (!row.usable) continue;
        batch.push({ index, row });
        if (!row.plainSystems) counts.plainSystems = false;
        if (row.absent !== '') counts.hasAbsent = true;
        if (batch.length >= MAX_BATCH_ROWS) await flush();
      }
    }
    await flush();
  } finally {
    await lane.end();
  }
  if (!counts.plainSystems) await nameSystems(db, entity);
  if (counts.exact > 0) await noteKeys(db, entity);
  return counts;
}

type Item = { readonly index: number; readonly row: StagedRow };

async function writeBatch(
  db: Db,
  entity: BoundEntity,
  items: readonly Item[],
  compare: boolean,
  counts: { exact: number; staged: number },
): Promise<void> {
  const fresh = compare ? await withoutExact(db, entity, items, counts) : items;
  counts.staged += fresh.length;
  for (const text of insertTexts(entity, fresh)) await db.run(text);
}

async function withoutExact(
  db: Db,
  entity: BoundEntity,
  items: readonly Item[],
  counts: { exact: number },
): Promise<readonly Item[]> {
  const rows = new Map<string, number>();
  for (const { index, row } of items) {
    if (row.digest !== null && !rows.has(row.digest)) rows.set(row.digest, index);
  }
  if (rows.size === 0) return items;
  const known = [...rows].map(([digest, index]) => ({ digest, index }));
  const exact = await noteExact(db, entity, known);
  counts.exact += exact;
  if (exact === items.length) return [];
  if (exact === 0) return items;
  const noted = await readExact(db, entity, items[0]!.index, items.at(-1)!.index);
  return items.filter(({ index }) => !noted.has(index));
}

/** Texts of INSERT statements. They are built here: an Sql of that many values is many times slower. */
function* insertTexts(entity: BoundEntity, items: readonly Item[]): Generator<string> {
  const given = items.some(({ row }) => row.absent !== '');
  const columns = ['rn', ...(given ? ['absent'] : []), ...entity.fields.map(({ stage }) => stage)];
  const head = sql`INSERT INTO ${stageOf(entity)} (${join(columns.map(quoteName))}) VALUES `.sql;
  let text = '';
  for (const { index, row } of items) {
    text += text === '' ? `${head}(` : ',(';
    text += given ? `${index},'${row.absent}'` : `${index}`;
    for (const value of row.values) {
      text += value === undefined ? ',DEFAULT' : `,${literal(value)}`;
    }
    text += ')';
    if (text.length < MAX_STATEMENT_CHARS) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** Runs one thing after the other, while the caller goes on preparing the next. */
function makeLane() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    /** Waits for the one before, whose error it throws, and begins the next. */
    async run(work: () => Promise<void>): Promise<void> {
      await last;
      last = work();
      // It is thrown by whoever waits; until then nobody listens.
      last.catch(() => undefined);
    },
    async end(): Promise<void> {
      await last;
    },
  };
}

/** Brings every name of a game system to the one that is written, also in fields of references. */
async function nameSystems(db: Db, entity: BoundEntity): Promise<void> {
  const named = entity.fields.filter(({ isSystem }) => isSystem);
  if (named.length === 0 || entity.gameSystems.length === 0) return;
  const changes = named.map(({ stage }) => {
    const column = at('s', stage);
    return sql`${column} = ${systemName(column, entity.gameSystems)}`;
  });
  await db.run(sql`UPDATE ${stageOf(entity)} AS s SET ${join(changes)}`);
}

/** An index that a join by these fields can use, whatever indexes the table has. */
function indexOf(fields: readonly BoundField[]): Sql[] {
  if (fields.length === 0) return [];
  const parts = fields.slice(0, 8).map(({ stage, type }) => {
    const length = type.charset === null ? null : Math.min(type.maxChars ?? 100, 100);
    const isLong = type.charset !== null && (type.maxChars === null || type.maxChars > 100);
    return sql`${quoteName(stage)}${raw(isLong || type.dataType.endsWith('text') ? `(${length})` : '')}`;
  });
  return [sql`KEY (${join(parts)})`];
}

function typeOf({ columnType, charset, collation }: Column): Sql {
  const text =
    charset === null ? columnType : `${columnType} CHARACTER SET ${charset} COLLATE ${collation}`;
  return raw(text);
}
