/**
 * A schema as plain data, read from the server in a bounded number of queries. It holds what
 * decides behaviour, and leaves out spelling: AUTO_INCREMENT counters, statistics, key order in
 * the text, definer text that a server rewrites. Two models are equal if and only if the
 * schemas behave the same; texts of different server versions are never compared as they are.
 */
export type ObjectKind =
  | 'table'
  | 'view'
  | 'sequence'
  | 'trigger'
  | 'procedure'
  | 'function'
  | 'event'
  | 'package'
  | 'package body';

/**
 * `kind:name`, e.g. `table:users`. Names are as the server stores them. `database:` (without a
 * name) stands for the schema's own defaults, in fingerprints and differences only.
 */
export type ObjectKey = `${ObjectKind | 'database'}:${string}`;

export type Column = {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  /**
   * SQL text of the default as the server shows it; `NULL` is the text of a default of NULL, null
   * means none. A literal that the server cannot show without loss is `_charset x'…'`.
   */
  readonly default: string | null;
  /** `auto_increment`, `on update current_timestamp(3)`, `INVISIBLE`, … normalised and sorted. */
  readonly extra: string;
  readonly charset: string | null;
  readonly collation: string | null;
  readonly generated: { readonly expression: string; readonly stored: boolean } | null;
  readonly comment: string;
};

export type Index = {
  readonly name: string;
  readonly unique: boolean;
  readonly kind: string;
  /** Column with optional prefix length and direction, e.g. `name(10)`, `points desc`. */
  readonly columns: readonly string[];
  readonly ignored: boolean;
  readonly comment: string;
};

export type ForeignKey = {
  readonly name: string;
  readonly columns: readonly string[];
  /** Null schema means the table's own. */
  readonly references: {
    readonly schema: string | null;
    readonly table: string;
    readonly columns: readonly string[];
  };
  readonly onUpdate: string;
  readonly onDelete: string;
};

export type Check = { readonly name: string; readonly clause: string };

export type Table = {
  readonly kind: 'table';
  readonly name: string;
  readonly engine: string;
  readonly charset: string | null;
  readonly collation: string | null;
  readonly comment: string;
  /** CREATE_OPTIONS and what else SHOW CREATE has and information_schema has not. */
  readonly options: readonly string[];
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly checks: readonly Check[];
  /** Normalised PARTITION BY clause or null. */
  readonly partitioning: string | null;
  readonly systemVersioned: boolean;
};

/** A view, routine, trigger, event or sequence: its normalised definition and its attributes. */
export type StoredObject = {
  readonly kind: Exclude<ObjectKind, 'table'>;
  readonly name: string;
  /** Body or select text, with schema-qualified references to the own schema taken out. */
  readonly definition: string;
  /** Attributes that change behaviour: definer, security, sql_mode, charset trio, timing, order, status … */
  readonly attributes: Readonly<Record<string, string>>;
};

export type SchemaObject = Table | StoredObject;

export type SchemaModel = {
  readonly charset: string;
  readonly collation: string;
  readonly comment?: string;
  readonly objects: ReadonlyMap<ObjectKey, SchemaObject>;
};

/** One difference between an expected and an actual schema, in words a person understands. */
export type SchemaDifference = {
  readonly key: ObjectKey;
  readonly kind: 'missing' | 'extra' | 'different';
  /** e.g. `column users.role: varchar(191) expected, missing`. */
  readonly message: string;
  /** True when the actual schema only has something more: a column, an index, an object. */
  readonly additive: boolean;
};
