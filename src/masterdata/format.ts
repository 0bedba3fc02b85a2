/** The format in which master data is written: a folder of `metadata.json` and a file per entity. */
import * as z from 'zod';

/** What an export of this program is. */
export const EXPORT_VERSION = '2.0';
export const METADATA_FILE = 'metadata.json';

const text = z.string();
const about = {
  export_version: text,
  backend_version: text,
  timestamp: text,
  game_system: text,
};

/** The shape of `metadata.json`. */
export const metadataFile = z.object({
  ...about,
  db_version: text,
  files: z.record(
    z.string().regex(/^[a-z0-9][a-z0-9_-]*\.json$/),
    z.object({
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      count: z.number().int().nonnegative(),
    }),
  ),
});

/** What each file says about itself before its `data`. */
export const envelope = z.object(about);

export type Metadata = Readonly<z.infer<typeof metadataFile>>;
export type Envelope = Readonly<z.infer<typeof envelope>>;

/** Why a format cannot be read, as a sentence, or null. Pure. */
export function refuseFormat(exportVersion: string): string | null {
  const parts = /^(\d+)\.(\d+)$/.exec(exportVersion);
  if (parts === null) return `${exportVersion} is not a version of the export format`;
  const [major, minor] = [Number(parts[1]), Number(parts[2])];
  const [own, ownMinor] = EXPORT_VERSION.split('.').map(Number) as [number, number];
  // Also of the same major version: what a newer minor one says beside it would be passed over.
  if (major > own || (major === own && minor > ownMinor)) {
    return `it has format ${exportVersion}, and this program reads formats up to ${EXPORT_VERSION}`;
  }
  if (major < own) {
    return `it has format ${exportVersion}: export it again with a release that writes ${EXPORT_VERSION}`;
  }
  return null;
}
