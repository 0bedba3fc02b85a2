/** How many rows a sync of master data wrote, for people. Pure. */
import type { EntityReport, SyncReport } from '../masterdata/report.ts';

/** A line per entity with changes, and a sum. */
export function renderCounts({ entities }: SyncReport): string[] {
  const changed = entities.filter(({ inserted, updated, deleted }) => inserted + updated + deleted);
  return [...changed.map(countsOf), sumOf(entities)];
}

/** What became of all rows together. */
export function sumOf(entities: readonly EntityReport[]): string {
  const sum = (count: (one: EntityReport) => number) =>
    entities.reduce((total, one) => total + count(one), 0);
  const [updated, inserted] = [sum((one) => one.updated), sum((one) => one.inserted)];
  const [deleted, unchanged] = [sum((one) => one.deleted), sum((one) => one.unchanged)];
  return updated + inserted + deleted === 0
    ? `nothing differs: ${unchanged} rows are as they should be`
    : `together: ${updated} changed, ${inserted} new, ${deleted} deleted; ${unchanged} unchanged`;
}

/** What became of the rows of one entity. */
export function countsOf({ entity, updated, inserted, deleted, unchanged }: EntityReport): string {
  return `${updated} ${entity} changed, ${inserted} new, ${deleted} deleted; ${unchanged} unchanged`;
}
