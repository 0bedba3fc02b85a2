/** Pure: the checksums of a migration. The algorithm is public: every database has its results. */
import { hash } from 'node:crypto';

/** Stands between the up file and the data file; no text file can hold it. */
const separator = '\0data\0';

/**
 * Gives the text as it counts: without byte order mark, and with LF line endings, so that a
 * checkout on Windows has the same checksum. Nothing else is changed: white space inside a
 * string literal is data. A CR without LF ends no line for the splitter either: it may stand in
 * such a literal, and what follows it may be a comment.
 */
export function normaliseText(text: string): string {
  const withoutMark = text.startsWith('\uFEFF') ? text.slice(1) : text;
  return withoutMark.replaceAll('\r\n', '\n');
}

/** The bytes of the files that make up what a migration does going up. */
export type MigrationBytes = { readonly up: Uint8Array; readonly data: Uint8Array | null };

/** The three checksums of a migration, each SHA-256 in hexadecimal. */
export type Checksums = {
  readonly checksum: string;
  readonly rawChecksum: string;
  readonly crlfChecksum: string;
};

/** Computes the checksums of `Migration`. The bytes must be valid UTF-8. */
export function checksumsOf({ up, data }: MigrationBytes): Checksums {
  const texts = [up, data].filter((bytes) => bytes !== null).map(decode);
  const normalised = texts.map(normaliseText);
  return {
    checksum: sha256(normalised),
    rawChecksum: sha256(texts),
    crlfChecksum: sha256(normalised.map((text) => text.replaceAll('\n', '\r\n'))),
  };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function sha256(parts: readonly string[]): string {
  return hash('sha256', parts.join(separator), 'hex');
}
