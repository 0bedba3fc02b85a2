import type { ManifestFile } from './manifest.ts';

/** What of a manifest decides about the order. */
export type LoadedParts = {
  readonly files: readonly ManifestFile[];
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
};

/**
 * Tables with keys to come first, the one with most rows at the head, and all files of a table
 * together: its keys are made by one connection while the others still load. Then the largest files:
 * the last one to end should be small. Pure.
 */
export function loadOrder(
  { files, tables }: LoadedParts,
  hasKeys: (table: string) => boolean,
): ManifestFile[] {
  const keyed = tables.filter(({ name }) => hasKeys(name));
  const rowsOf = new Map<string | null, number>(keyed.map(({ name, rows }) => [name, rows]));
  const weight = ({ table }: ManifestFile) => rowsOf.get(table) ?? 0;
  const apart = ({ table }: ManifestFile) => (rowsOf.has(table) ? table! : '');
  return files
    .filter(({ kind }) => kind === 'rows')
    .toSorted((a, b) => {
      if (weight(a) !== weight(b)) return weight(b) - weight(a);
      if (apart(a) !== apart(b)) return apart(a) < apart(b) ? -1 : 1;
      return b.sizeBytes - a.sizeBytes;
    });
}

/**
 * Which of the files that are left is the next to be loaded: not one of a table that wants only one
 * connection and has it, unless there is no other. Pure.
 */
export function nextFile(
  left: readonly Pick<ManifestFile, 'table'>[],
  running: readonly Pick<ManifestFile, 'table'>[],
  isAlone: (table: string | null) => boolean,
): number {
  const isFree = ({ table }: Pick<ManifestFile, 'table'>) =>
    !isAlone(table) || running.every((other) => other.table !== table);
  return Math.max(0, left.findIndex(isFree));
}
