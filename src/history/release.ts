import type { HistoryFacts } from './history-facts.ts';
import { compareVersions, parseVersion, type SchemaVersion } from './versions.ts';

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

/** What `backend_version` holds of a longer name is its beginning, which is the tag of no image. */
const COLUMN = 20;

/**
 * The release that belongs to `version`, to be typed as RELEASE. Where nobody told, it is taken to be called
 * like its version; null when what was told may have been cut. A release that went on to a newer version has
 * only passed through this one, and would not fit it. Pure.
 */
export function releaseOf(
  history: Pick<HistoryFacts, 'schemaVersionRows'>,
  version: SchemaVersion | null,
): string | null {
  const further = releasesBeyond(history, version);
  const stayed = history.schemaVersionRows.filter((row) => !further.has(row.backendVersion));
  const told = recordedRelease({ schemaVersionRows: stayed }, version) ?? version;
  return told !== null && told.length >= COLUMN ? null : told;
}

/** The releases that have recorded a newer version. Looks at each row once: a history may have thousands. */
function releasesBeyond(
  { schemaVersionRows }: Pick<HistoryFacts, 'schemaVersionRows'>,
  version: SchemaVersion | null,
): ReadonlySet<string> {
  const isNewer = (other: string) =>
    version !== null && parseVersion(other) !== null && compareVersions(other, version) > 0;
  return new Set(
    schemaVersionRows.filter((row) => isNewer(row.version)).map((row) => row.backendVersion),
  );
}

/**
 * The release to bring back when a run that begins at `from` fails; null when there is none, or its name is
 * not known: a version that `own`, the release of this run, has recorded itself is known to no older one. Pure.
 */
export function formerRelease(
  history: Pick<HistoryFacts, 'schemaVersionRows'>,
  from: SchemaVersion | null,
  own: string | null,
): string | null {
  const told = releaseOf(history, from);
  return told === own ? null : told;
}
