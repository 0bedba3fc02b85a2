/**
 * What a deployment package is: `deployment_package_<version>.tar.gz` with `metadata.json`,
 * `checksums.txt` and `masterdata/*.json`. Pure. What is not said here may not be in one.
 */
import * as z from 'zod';
import { parseVersion } from '../history/versions.ts';

/** The format that this program writes, and the only one that it reads. */
export const PACKAGE_FORMAT = 1;

export const METADATA_FILE = 'metadata.json';
export const CHECKSUMS_FILE = 'checksums.txt';
export const MASTERDATA_FOLDER = 'masterdata';

/** Belongs to the application, not to its data: what is in the image counts. */
export const DECLARATIONS_FILE = 'entities.json';

/** More than any real package has, less than hurts the host that opens it. */
export const LIMITS = {
  entries: 200,
  fileBytes: 64 * 1024 ** 2,
  totalBytes: 256 * 1024 ** 2,
  packedBytes: 256 * 1024 ** 2,
  /** Of `metadata.json` and `checksums.txt`, which are read as a whole. */
  indexBytes: 1024 ** 2,
  /** Unpacked to packed bytes; JSON of master data has 5 to 30. Looked at from `ratioFromBytes` on. */
  ratio: 200,
  ratioFromBytes: 8 * 1024 ** 2,
} as const;

const count = z.number().int().nonnegative();

const metadataSchema = z.object({
  format: z.literal(PACKAGE_FORMAT),
  /** Of the database that the master data is for. */
  version: z.string().refine((text) => parseVersion(text) !== null),
  created_at: z.iso.datetime(),
  tool_version: z.string().min(1).max(100),
  counts: z.object({
    files: count,
    rows: count,
    /** Rows by file name below `masterdata/`. */
    by_file: z.record(z.string(), count),
  }),
});

/** What `metadata.json` of a package says. Keys as published. */
export type PackageMetadata = z.infer<typeof metadataSchema>;

/** The metadata, or in words why the text is none. New fields are let pass. */
export function parseMetadata(text: string): PackageMetadata | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `${METADATA_FILE} is not JSON`;
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format > PACKAGE_FORMAT)
    return `${METADATA_FILE} is of format ${format}; this program knows ${PACKAGE_FORMAT}`;
  const parsed = metadataSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path }) => path.join('.') || 'all of it');
  return `${METADATA_FILE} is not well formed: ${[...new Set(places)].join(', ')}`;
}

/** The metadata as text; the same values give the same bytes. */
export function formatMetadata(metadata: PackageMetadata): string {
  return `${JSON.stringify(metadata, null, 2)}\n`;
}

/** Checksums in the format of sha256sum, so that `sha256sum -c checksums.txt` works, too. */
export function formatChecksums(checksums: ReadonlyMap<string, string>): string {
  return [...checksums].map(([name, sha256]) => `${sha256}  ${name}\n`).join('');
}

/** SHA-256 by file name, or in words why the text is no list of checksums. */
export function parseChecksums(text: string): ReadonlyMap<string, string> | string {
  const checksums = new Map<string, string>();
  if (!text.endsWith('\n')) return `${CHECKSUMS_FILE} ends in the middle of a line`;
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    const [, sha256, name] = /^([0-9a-f]{64}) [ *]([^\s]+)$/.exec(line) ?? [];
    if (sha256 === undefined || name === undefined)
      return `${CHECKSUMS_FILE} is not well formed in line ${index + 1}`;
    if (checksums.has(name)) return `${CHECKSUMS_FILE} names ${shown(name)} twice`;
    checksums.set(name, sha256);
  }
  return checksums;
}

const DATA_FILE = /^masterdata\/[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.json$/;

/** Why a file of this name may not be in a package; null when it may. */
export function nameProblem(name: string): string | null {
  if (name === METADATA_FILE || name === CHECKSUMS_FILE) return null;
  if (name === `${MASTERDATA_FOLDER}/${DECLARATIONS_FILE}`)
    return `${DECLARATIONS_FILE} belongs to the image and not into a package`;
  if (DATA_FILE.test(name)) return null;
  if (name === '') return 'a file without a name';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\x00-\x1f\x7f]/.test(name)) return 'a name with control characters';
  if (/^[/\\]|^[A-Za-z]:/.test(name)) return `the absolute path ${shown(name)}`;
  if (name.split(/[/\\]/).includes('..')) return `${shown(name)}, which leads out of the package`;
  if (name.includes('\\')) return `a name with a backslash: ${shown(name)}`;
  if (name.startsWith('./')) return `${shown(name)}: names begin without a dot`;
  return `${shown(name)}, which has no place in a package`;
}

/** A name from outside, fit to be printed. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
