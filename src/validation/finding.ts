/** What a check of the database found, and what is needed to check. */
import type { Db } from '../database/connect.ts';
import type { HistoryFacts } from '../history/read.ts';
import type { SchemaVersion } from '../history/versions.ts';
import type { SchemaModel } from '../schema/model.ts';

export type Severity = 'error' | 'warning' | 'info';

/** One answer of a check, for people and for the report. Holds no values of rows but primary keys. */
export type Finding = {
  /** Name of the check, e.g. `foreign-key-data`. */
  readonly check: string;
  readonly severity: Severity;
  readonly message: string;
  /** At most ten primary keys of the rows it is about. */
  readonly keys: readonly string[];
  /** What a person can do about it. */
  readonly advice: string;
  /** The same in two validations when it is about the same thing: tells new from old. */
  readonly id: string;
  /** How many rows it is about; null when it is not about rows. */
  readonly count: number | null;
};

/** The migrations of this image, as far as a check must know: a MigrationFolder has it all. */
export type KnownMigrations = {
  readonly migrations: readonly {
    readonly number: number;
    readonly version: SchemaVersion;
    readonly name: string;
    readonly critical: boolean;
    readonly checksum: string;
    readonly rawChecksum: string;
    readonly up: {
      readonly statements: readonly {
        readonly classification: { readonly tables: readonly string[] | null };
      }[];
    };
  }[];
  readonly versions: readonly SchemaVersion[];
};

/** A table of master data that must have rows, and what its rows are called. */
export type MasterdataTable = { readonly table: string; readonly entity: string };

export type ValidateOptions = {
  /** A connection that may read the whole database; it is only read. */
  readonly db: Db;
  readonly database: string;
  /** What the database of `requiredVersion` must have. */
  readonly expected: SchemaModel;
  readonly history: HistoryFacts;
  readonly folder: KnownMigrations;
  readonly requiredVersion: SchemaVersion;
  readonly masterdata: readonly MasterdataTable[];
};

export type CheckInput = ValidateOptions & {
  /** What the database has, read once for all checks. */
  readonly actual: SchemaModel;
};

/** One question about the database, of which only what is wrong or odd is answered. */
export type Check = {
  readonly name: string;
  /** One sentence for the documents: what it asks. */
  readonly asks: string;
  run(input: CheckInput): Promise<Finding[]> | Finding[];
};

/** A finding with the parts that most do not need. */
export function makeFinding(
  check: string,
  severity: Severity,
  finding: {
    /** Names what it is about; the name of the check is put before it. */
    readonly about: string;
    readonly message: string;
    readonly advice: string;
    readonly keys?: readonly string[];
    readonly count?: number;
  },
): Finding {
  const { about, message, advice, keys = [], count = null } = finding;
  return { check, severity, message, keys, advice, id: `${check} ${about}`, count };
}
