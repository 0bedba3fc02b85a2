/** What a sync of master data does, or would do, for people. Pure. */
import { type Change, cutFieldChange } from '../masterdata/changes.ts';
import type { EntityReport, SyncReport } from '../masterdata/report.ts';
import { countsOf, sumOf } from './render-counts.ts';

// Rows of each kind of an entity, and characters of a value: what a screen can take.
const MOST_ROWS = 50;
const MOST_CHARS = 200;

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
  lines.push(sumOf(entities));
  for (const warning of entities.flatMap(({ warnings }) => warnings))
    lines.push(`warning: ${warning}`);
  return `${lines.join('\n')}\n`;
}

function renderEntity(one: EntityReport): string[] {
  const { changes } = one;
  return [
    countsOf(one),
    ...(['updated', 'inserted', 'deleted'] as const).flatMap((kind) => {
      const shown = changes.filter((change) => change.kind === kind).slice(0, MOST_ROWS);
      const rest = one[kind] - shown.length;
      const more = rest > 0 ? [`  ${signs[kind]} and ${rest} more`] : [];
      return [...shown.flatMap(renderChange), ...more];
    }),
  ];
}

function renderChange({ kind, key, id, fields }: Change): string[] {
  // What goes is in the report in full; here its key says enough.
  const names = kind === 'deleted' ? [] : Object.keys(fields);
  const width = Math.max(0, ...names.map((name) => name.length));
  return [
    `  ${signs[kind]} ${key}${id === null ? '' : ` (id ${id})`}`,
    ...names.map((name) => {
      const { old, new: fresh } = cutFieldChange(fields[name]!, MOST_CHARS);
      return `      ${name.padEnd(width)}  ${textOf(old)} → ${textOf(fresh)}`;
    }),
  ];
}

/** On one line, and without what a terminal would take for a command. */
function textOf(value: string | null): string {
  if (value === '') return "''";
  const text = value ?? 'null';
  const code = (char: string) => char.charCodeAt(0).toString(16).padStart(2, '0');
  return text.replaceAll(/\p{Cc}/gu, (char) => (char === '\n' ? '\\n' : `\\x${code(char)}`));
}
