/** What a sync does, or would do: counts for every entity, and rows of each kind. */
import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import type { BoundEntity } from './bind.ts';
import { type Change, type Listing, listDeleted, listInserted, listUpdated } from './changes.ts';
import { listRepeated } from './check-exact.ts';
import { goneRows, idsOf } from './sql.ts';
import type { Staged } from './stage.ts';

export type EntityReport = {
  readonly entity: string;
  readonly table: string;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** All updated and deleted rows as long as they are not too many for a report; else the first ones. */
  readonly changes: readonly Change[];
  /** What is wrong with rows that the file does not have, and that stay. */
  readonly warnings: readonly string[];
};

/** In the order in which the entities are written. */
export type SyncReport = {
  /** Of the set that was synced; null when only its files were opened. */
  readonly digest: string | null;
  readonly entities: readonly EntityReport[];
};

/** True when some row would be inserted, updated or deleted. Pure. */
export function hasChanges({ entities }: Pick<SyncReport, 'entities'>): boolean {
  return entities.some(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
}

/** Says what is to be done with the rows of an entity. Reads only. */
export async function reportEntity(
  db: Db,
  entity: BoundEntity,
  { exact, staged }: Pick<Staged, 'exact' | 'staged'>,
  listing: Listing,
): Promise<EntityReport> {
  const ids = await db.one<Record<'matched' | 'changed', string | null>>(sql`
    SELECT COUNT(*) AS matched, SUM(changed) AS changed FROM ${idsOf(entity)}`);
  const updated = Number(ids?.changed ?? 0);
  const matched = Number(ids?.matched ?? 0);
  const inserted = staged - matched;
  const deleted = entity.entity.missing === 'delete' ? await countGone(db, entity) : 0;
  const changes = [
    ...(inserted > 0 ? await listInserted(db, entity) : []),
    ...(updated > 0 ? await listUpdated(db, entity, listing) : []),
    ...(deleted > 0 ? await listDeleted(db, entity, listing) : []),
  ];
  return {
    ...{ entity: entity.entity.name, table: entity.table.name },
    ...{ inserted, updated, deleted, changes },
    warnings: await listRepeated(db, entity),
    unchanged: exact + matched - updated,
  };
}

async function countGone(db: Db, entity: BoundEntity): Promise<number> {
  const row = await db.one<{ n: string }>(
    sql`SELECT COUNT(*) AS n ${goneRows(entity)} WHERE m.rn IS NULL`,
  );
  return Number(row?.n ?? 0);
}
