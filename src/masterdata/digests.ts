/**
 * Rows of the file that are in the table just so, byte for byte, are found by a digest of their
 * values: nothing else has to be compared of them. What is not found this way is staged and
 * compared as the columns say. So a digest may differ for equal rows (1.50 and 1.5), never the
 * other way round.
 */
import { hash } from 'node:crypto';
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity } from './bind.ts';
import type { Column } from './columns.ts';
import { copiesKey, type Link, meansKey, textOf, valueText } from './links.ts';
import type { StagedValue } from './row.ts';
import { all, at, current, restOf, systemId, tableOf } from './sql.ts';
import { isWholeNumber } from './value.ts';

/** How rows are read: `share` keeps others from changing them until the transaction ends. */
export type Locking = 'share' | 'none';

// Far below the smallest max_allowed_packet in use, also in another character set.
const MAX_PLAIN_BYTES = 1_000_000;
const PAGE_ROWS = 10_000;
// Some 30 MB for a table at most. Rows of a larger one are all staged: slower, with the same result.
const MOST_ROWS = 250_000;

/** The rows of a table, by their digests. */
export type TableDigests = {
  /** The id of the row with this digest, once: the second of two equal rows of the file is not it. */
  take(digest: string): string | undefined;
  /** The ids that were not taken; null for all of the table. */
  rest(): readonly string[] | null;
};

/**
 * Reads the digests of the rows of an entity's table. Those whose ids of game systems are wrong
 * have none, nor have those that are there twice.
 */
export async function readDigests(
  db: Db,
  entity: BoundEntity,
  locking: Locking,
): Promise<TableDigests> {
  const ids = new Map<string, string | null>();
  const without: string[] = [];
  const known = hasDigests(entity) && (await readPages(db, entity, locking, add));
  if (!known) ids.clear();
  return {
    take(digest) {
      const id = ids.get(digest);
      if (id == null) return undefined;
      ids.delete(digest);
      return id;
    },
    rest: () => (known ? [...without, ...[...ids.values()].filter((id) => id !== null)] : null),
  };

  function add(id: string, digest: string | null): void {
    const other = digest === null ? null : ids.get(digest);
    if (digest !== null && other === undefined) ids.set(digest, id);
    else without.push(id);
    if (digest === null || other == null) return;
    without.push(other);
    ids.set(digest, null);
  }
}

/** Gives every row to `add`; false when there are more than can be held. */
async function readPages(
  db: Db,
  entity: BoundEntity,
  locking: Locking,
  add: (id: string, digest: string | null) => void,
): Promise<boolean> {
  const id = at('t', entity.id.name);
  const lock = raw(locking === 'share' ? 'LOCK IN SHARE MODE' : '');
  let after = raw('TRUE');
  for (let count = 0; count < MOST_ROWS; count += PAGE_ROWS) {
    const rows = await db.query<{ id: string | number; digest: string | null }>(sql`
      SELECT ${id} AS id, ${rowDigest(entity)} AS digest FROM ${tableOf(entity)} AS t
      WHERE ${after} ORDER BY ${id} LIMIT ${PAGE_ROWS} ${lock}`);
    for (const row of rows) add(String(row.id), row.digest);
    if (rows.length < PAGE_ROWS) return true;
    after = sql`${id} > ${BigInt(rows.at(-1)!.id)}`;
  }
  return false;
}

/** As `digestRow`; NULL for a row that has to be looked at. */
function rowDigest(entity: BoundEntity): Sql {
  const own = entity.fields.filter(({ field }) => field.reference === null);
  const parts = [
    ...own.map((one) => valueSql(current(entity, one), one.type)),
    ...entity.references.flatMap(({ column, copies }) =>
      [column, ...copies.map((copy) => copy.column)].map((one) => valueSql(at('t', one.name), one)),
    ),
  ];
  const systems = own.flatMap((one) => {
    const idColumn = one.field.gameSystem?.idColumn;
    if (idColumn == null) return [];
    return [sql`${at('t', idColumn)} <=> ${systemId(current(entity, one), entity.gameSystems)}`];
  });
  // CONCAT gives NULL beyond max_allowed_packet, and so does SHA1 of it.
  return sql`IF(${all(systems)}, SHA1(CONCAT(${join(parts)})), NULL)`;
}

/** As `valueText` in links.ts. A text that is too long to be joined must not look like the value NULL. */
function valueSql(value: Sql, { maxBytes }: Column): Sql {
  const text = sql`CONCAT(X'3D', CAST(CONVERT(${value} USING utf8mb4) AS BINARY), X'00')`;
  return maxBytes === null || maxBytes < MAX_PLAIN_BYTES
    ? sql`IFNULL(${text}, X'2D00')`
    : sql`IF(${value} IS NULL, X'2D00', ${text})`;
}

/** Makes the function that gives the digest of a row of the file, null where only looking can tell. */
export function makeRowDigest(
  entity: BoundEntity,
): (values: readonly StagedValue[], links: readonly Link[]) => string | null {
  if (!hasDigests(entity)) return () => null;
  const { fields, references } = entity;
  const own = fields.flatMap(({ field }, place) => (field.reference === null ? [place] : []));
  const parents = references.map(({ pairs, copies, reference }) => ({
    first: fields.indexOf(pairs[0]!.own),
    copies: copies.map(({ other }) =>
      fields.indexOf(pairs.find((pair) => pair.other === other)!.own),
    ),
    none: reference.none,
  }));
  return (values, links) => {
    let text = textOf(values, own);
    for (const [index, { first, copies, none }] of parents.entries()) {
      const link = links[index];
      // What refers to a row that may change is looked at.
      if (text === null || link === undefined || typeof link === 'number') return null;
      const isNone = none !== null && values[first] === none.value;
      const copied = isNone ? copies.map(() => valueText(null)).join('') : textOf(values, copies);
      text = copied === null ? null : text + valueText(link) + copied;
    }
    return text === null ? null : hash('sha1', text);
  };
}

/** Keeps the ids of the rows that the file does not have just so. */
export async function noteRest(db: Db, entity: BoundEntity, digests: TableDigests): Promise<void> {
  const ids = digests.rest();
  if (ids === null) {
    await db.run(sql`INSERT INTO ${restOf(entity)} (id)
      SELECT ${at('t', entity.id.name)} FROM ${tableOf(entity)} AS t`);
    return;
  }
  for (let begin = 0; begin < ids.length; begin += PAGE_ROWS) {
    // Whole numbers: an Sql of that many values is many times slower.
    const values = ids.slice(begin, begin + PAGE_ROWS).map((id) => `(${BigInt(id)})`);
    await db.run(sql`INSERT INTO ${restOf(entity)} (id) VALUES ${raw(values.join())}`);
  }
}

/**
 * False where equal texts may be different values (FLOAT shows fewer digits than it has), where
 * the fields of a reference need not mean one row, where a copy is of none of them, and where ids
 * are no numbers: that has to be found out by looking.
 */
function hasDigests({ id, fields, references }: BoundEntity): boolean {
  return (
    isWholeNumber(id.dataType) &&
    fields.every(({ type }) => type.dataType !== 'float') &&
    references.every((one) => meansKey(one) && copiesKey(one))
  );
}
