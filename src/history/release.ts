import type { HistoryFacts } from './history-facts.ts';
import type { SchemaVersion } from './versions.ts';

/**
 * The backend that recorded `version` last, as `schema_version` has it: what RELEASE was then.
 * Null when nobody told. Pure.
 */
export function recordedRelease(
  { schemaVersionRows }: Pick<HistoryFacts, 'schemaVersionRows'>,
  version: SchemaVersion | null,
): string | null {
  const told = schemaVersionRows.filter(
    (row) => row.version === version && !['', 'unknown'].includes(row.backendVersion),
  );
  return told.at(-1)?.backendVersion ?? null;
}
