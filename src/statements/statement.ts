import type { Quoting } from './tokens.ts';

/** One statement of a file, as the server's own client would send it. */
export type Statement = {
  /** The text without its delimiter and without leading comments or white space. Executable comments stay. */
  readonly sql: string;
  /** Line of the file, from 1, where `sql` begins. */
  readonly line: number;
  /** Number in the file, from 1. */
  readonly number: number;
  /** How it is read: `SET sql_mode` before it in the file counts. */
  readonly quoting: Quoting;
};

/**
 * What the server does with a statement, as far as the journal must know:
 * - `ddl`: commits implicitly, atomic on MariaDB ≥ 10.6;
 * - `ddl-not-atomic`: DROP of several tables, CREATE OR REPLACE of a table: in doubt means put back;
 * - `dml`: runs in the transaction of its journal row (INSERT, UPDATE, DELETE, REPLACE, SELECT … INTO @x, …);
 * - `session`: SET of a session variable: repeated when a file is resumed;
 * - `opaque`: CALL, EXECUTE, DO, NEXTVAL …: what it does cannot be told from its text.
 */
export type StatementClass = 'ddl' | 'ddl-not-atomic' | 'dml' | 'session' | 'opaque';

export type Classification = {
  readonly class: StatementClass;
  /** First words in upper case, e.g. `ALTER TABLE`, `CREATE OR REPLACE TABLE`, `INSERT`. */
  readonly verb: string;
  /** May stand in a migration at all; else the reason, e.g. `USE changes the database`. */
  readonly forbidden: string | null;
  /** Running it a second time has the same effect as running it once (TRUNCATE, OPTIMIZE, CREATE OR REPLACE VIEW …). */
  readonly repeatable: boolean;
  /** Its effect can be invisible in the structure and is not repeatable: EXCHANGE PARTITION, RENAME cycles. */
  readonly invisible: boolean;
  /** DATA LOSS: rows, columns or tables can go: DROP, TRUNCATE, DELETE, narrowing MODIFY, CREATE OR REPLACE TABLE … */
  readonly destroysData: boolean;
  /** Uses or sets user variables or prepared statements: such a file cannot be resumed in its middle. */
  readonly sessionDependent: boolean;
  /**
   * Tables, views and sequences that the statement changes, unquoted; what it only reads or refers
   * to is not among them. `null`: unknown, look at the whole schema.
   */
  readonly tables: readonly string[] | null;
  /** What it takes away or may clip, to be counted. Empty for UPDATE, DELETE and partitions. */
  readonly drops: readonly Drop[];
};

/** A whole table, or (column not null) the values of one column. */
export type Drop = { readonly table: string; readonly column: string | null };

/** `up` applies a migration, `down` reverts it. */
export type Direction = 'up' | 'down';
