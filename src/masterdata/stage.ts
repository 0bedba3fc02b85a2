/**
 * Staging tables: temporary tables of the connection, with the columns' own types and collations.
 * Creating, filling and dropping them neither commits nor touches a row of the database.
 */
import sql, { join, raw, Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { BoundEntity } from './bind.ts';
import type { Column } from './columns.ts';
import type { Problems } from './problems.ts';
import type { EntityRows } from './read.ts';
import { keyText, type StagedValue, stagedColumns, stageRow } from './row.ts';
import { at, stageOf, systemName } from './sql.ts';

// Far below the smallest max_allowed_packet in use (16 MiB), also when each byte is written as hex.
const MAX_STATEMENT_CHARS = 500_000;
const MAX_STATEMENT_ROWS = 2_000;

/** Makes an entity's empty staging table. */
export async function createStage(db: Db, entity: BoundEntity): Promise<void> {
  const columns = [
    sql`rn INT UNSIGNED NOT NULL PRIMARY KEY`,
    sql`match_id ${typeOf(entity.id)} NULL`,
    sql`changed BOOLEAN NOT NULL DEFAULT FALSE`,
    ...entity.fields.map(({ stage, type, absent }) => {
      const value = absent === null || type.default === null ? 'NULL' : type.default;
      return sql`${quoteName(stage)} ${typeOf(type)} NULL DEFAULT ${raw(value)}`;
    }),
    ...[...entity.fields, ...entity.references].flatMap(({ absent }) =>
      absent === null ? [] : [sql`${quoteName(absent)} BOOLEAN NOT NULL DEFAULT FALSE`],
    ),
    ...entity.references.flatMap(({ row, id, column, copies }) => [
      sql`${quoteName(row)} INT UNSIGNED NULL, ${quoteName(id)} ${typeOf(column)} NULL`,
      ...copies.map(({ stage, other }) => sql`${quoteName(stage)} ${typeOf(other.type)} NULL`),
    ]),
    ...keysOf(entity),
  ];
  await dropStage(db, entity);
  await db.run(sql`CREATE TEMPORARY TABLE ${stageOf(entity)} (${join(columns)}) ENGINE=InnoDB`);
}

/** Drops an entity's staging table, if it is there. */
export async function dropStage(db: Db, entity: BoundEntity): Promise<void> {
  await db.run(sql`DROP TEMPORARY TABLE IF EXISTS ${stageOf(entity)}`);
}

/** Checks the rows of a file and puts them into the staging table. */
export async function fillStage(
  db: Db,
  entity: BoundEntity,
  source: EntityRows,
  problems: Problems,
): Promise<void> {
  const { file } = entity.entity;
  const batch = makeBatch(entity);
  for await (const { index, value } of source.rows()) {
    const { values, problems: found, usable } = stageRow(entity, value);
    for (const message of found) problems.add(file, index, keyText(entity, value), message);
    if (usable) batch.add(index, values);
    if (batch.isFull()) await db.run(batch.take());
  }
  if (!batch.isEmpty()) await db.run(batch.take());
  await nameSystems(db, entity);
}

/** Brings every name of a game system to the one that is written, also in fields of references. */
async function nameSystems(db: Db, entity: BoundEntity): Promise<void> {
  const others = new Set(
    entity.references.flatMap(({ pairs }) =>
      pairs.filter(({ other }) => other.field.gameSystem !== null).map(({ own }) => own),
    ),
  );
  const named = entity.fields.filter((one) => one.field.gameSystem !== null || others.has(one));
  if (named.length === 0 || entity.gameSystems.length === 0) return;
  const changes = named.map(({ stage }) => {
    const column = at('s', stage);
    return sql`${column} = ${systemName(column, entity.gameSystems)}`;
  });
  await db.run(sql`UPDATE ${stageOf(entity)} AS s SET ${join(changes)}`);
}

/** Indexes that a join by the key needs, whatever indexes the table has. */
function keysOf(entity: BoundEntity): Sql[] {
  const parts = entity.keyFields.map(({ stage, type }) => {
    const length = type.charset === null ? null : Math.min(type.maxChars ?? 100, 100);
    const isLong = type.charset !== null && (type.maxChars === null || type.maxChars > 100);
    return sql`${quoteName(stage)}${raw(isLong || type.dataType.endsWith('text') ? `(${length})` : '')}`;
  });
  // Each index costs time when ids are filled in: only where nothing else tells rows apart.
  const ids = entity.keyFields.length > 0 ? [] : entity.references.filter(({ inKey }) => inKey);
  return [
    sql`KEY (match_id)`,
    ...(parts.length === 0 ? [] : [sql`KEY (${join(parts.slice(0, 8))})`]),
    ...ids.map(({ id }) => sql`KEY (${quoteName(id)})`),
  ];
}

function typeOf({ columnType, charset, collation }: Column): Sql {
  const text =
    charset === null ? columnType : `${columnType} CHARACTER SET ${charset} COLLATE ${collation}`;
  return raw(text);
}

/** Collects rows for one INSERT. Its text is built here: a nested Sql per row is many times slower. */
function makeBatch(entity: BoundEntity) {
  const columns = ['rn', ...stagedColumns(entity)];
  const head = sql`INSERT INTO ${stageOf(entity)} (${join(columns.map(quoteName))}) VALUES `;
  let strings: string[] = [];
  let values: Exclude<StagedValue, undefined>[] = [];
  let [rows, chars] = [0, 0];
  let text = '';
  const value = (one: StagedValue) => {
    if (one === undefined) {
      text += 'DEFAULT';
      return;
    }
    strings.push(text);
    values.push(one);
    chars += typeof one === 'string' ? one.length * 2 + 4 : 6;
    text = '';
  };
  return {
    add(index: number, row: readonly StagedValue[]): void {
      text += rows === 0 ? `${head.sql}(` : ',(';
      value(index);
      for (const one of row) {
        text += ',';
        value(one);
      }
      text += ')';
      rows += 1;
    },
    isEmpty: () => rows === 0,
    isFull: () => rows >= MAX_STATEMENT_ROWS || chars >= MAX_STATEMENT_CHARS,
    take(): Sql {
      const statement = new Sql([...strings, text], values);
      [strings, values, text, rows, chars] = [[], [], '', 0, 0];
      return statement;
    },
  };
}
