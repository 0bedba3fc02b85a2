import type { SchemaVersion } from '../history/versions.ts';
import type { Classification, Statement } from '../statements/statement.ts';

export type { SchemaVersion };

/** One SQL file of a migration, split and classified. */
export type MigrationScript = {
  /** Path relative to the migrations folder's parent, e.g. `migrations/0.5.0/0004_x.up.sql`. */
  readonly path: string;
  readonly statements: readonly ClassifiedStatement[];
  /** `--! rerunnable: true`: its statements may be run again when it is not known whether they ran. */
  readonly rerunnable: boolean;
};

export type ClassifiedStatement = Statement & {
  readonly classification: Classification;
  /** SHA-256 hex of the statement's text: names it in the journal. */
  readonly hash: string;
};

/** One numbered change, read from its files. */
export type Migration = {
  /** From the file name `NNNN_snake_case.up.sql`; unique over all versions and rising with them. */
  readonly number: number;
  readonly version: SchemaVersion;
  /** `snake_case` part of the file name. */
  readonly name: string;
  /** `--! description: …`, else the name with spaces. */
  readonly description: string;
  readonly critical: boolean;
  readonly up: MigrationScript;
  readonly down: MigrationScript | null;
  /** Absolute path of the optional `.data.ts`, and its path as shown to people. */
  readonly data: { readonly file: string; readonly path: string } | null;
  /** SHA-256 hex over the normalised text of the up file and of the data file. */
  readonly checksum: string;
  /** The same over the bytes as they are, which is what another tool may have recorded. */
  readonly rawChecksum: string;
  /** The same over the text with CRLF line endings: tells "only line endings differ" from a change. */
  readonly crlfChecksum?: string;
};
