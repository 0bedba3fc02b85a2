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

/**
 * The release to bring back when a run that begins at `from` fails; null when there is none: a version
 * that `own`, the release of this run, has recorded itself is known to no older one. Where nobody told,
 * the release is taken to be called like its version. Pure.
 */
export function formerRelease(
  history: Pick<HistoryFacts, 'schemaVersionRows'>,
  from: SchemaVersion | null,
  own: string | null,
): string | null {
  const told = recordedRelease(history, from) ?? from;
  return told === own ? null : told;
}
