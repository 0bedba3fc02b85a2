/** What a sync of master data does, or would do, for people. Pure. */
import type { Change, EntityReport, SyncReport } from '../masterdata/report.ts';

const signs = { inserted: '+', updated: '~', deleted: '-' } as const;

/** A line per entity with changes and below it the rows with their fields; then what stays, and a sum. */
export function renderSync({ entities }: SyncReport): string {
  const changed = entities.filter(({ inserted, updated, deleted }) => inserted + updated + deleted);
  const same = entities.filter((one) => !changed.includes(one) && one.unchanged > 0);
  const lines = changed.flatMap(renderEntity);
  if (same.length > 0) {
    const parts = same.map(({ entity, unchanged }) => `${unchanged} ${entity}`);
    lines.push(`unchanged: ${parts.join(', ')}`);
  }
  const sum = (count: (one: EntityReport) => number) =>
    entities.reduce((total, one) => total + count(one), 0);
  const [updated, inserted] = [sum((one) => one.updated), sum((one) => one.inserted)];
  const [deleted, unchanged] = [sum((one) => one.deleted), sum((one) => one.unchanged)];
  lines.push(
    updated + inserted + deleted === 0
      ? `nothing differs: ${unchanged} rows are as they should be`
      : `together: ${updated} changed, ${inserted} new, ${deleted} deleted; ${unchanged} unchanged`,
  );
  return `${lines.join('\n')}\n`;
}

function renderEntity(one: EntityReport): string[] {
  const { entity, updated, inserted, deleted, unchanged, changes } = one;
  return [
    `${updated} ${entity} changed, ${inserted} new, ${deleted} deleted; ${unchanged} unchanged`,
    ...(['updated', 'inserted', 'deleted'] as const).flatMap((kind) => {
      const shown = changes.filter((change) => change.kind === kind);
      const rest = one[kind] - shown.length;
      const more = rest > 0 ? [`  ${signs[kind]} and ${rest} more`] : [];
      return [...shown.flatMap(renderChange), ...more];
    }),
  ];
}

function renderChange({ kind, key, id, fields }: Change): string[] {
  const names = Object.keys(fields);
  const width = Math.max(0, ...names.map((name) => name.length));
  return [
    `  ${signs[kind]} ${key}${id === null ? '' : ` (id ${id})`}`,
    ...names.map((name) => {
      const { old, new: fresh } = fields[name]!;
      return `      ${name.padEnd(width)}  ${old} → ${fresh}`;
    }),
  ];
}
