/** The rows of information_schema that describe tables, and the queries that read them. */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';

export type TableRow = {
  readonly name: string;
  readonly type: string;
  readonly engine: string | null;
  readonly createOptions: string | null;
  readonly collation: string | null;
  readonly comment: string;
};

export type ColumnRow = {
  readonly tableName: string;
  readonly name: string;
  readonly position: string | number;
  readonly defaultText: string | null;
  readonly nullable: string;
  readonly charset: string | null;
  readonly collation: string | null;
  readonly type: string;
  readonly extra: string;
  readonly comment: string;
  readonly generated: string;
  readonly expression: string | null;
};

export type IndexRow = {
  readonly tableName: string;
  readonly name: string;
  readonly nonUnique: string | number;
  readonly position: string | number;
  readonly columnName: string | null;
  readonly direction: string | null;
  readonly length: string | number | null;
  readonly kind: string;
  readonly comment: string;
  readonly ignored: string;
};

export type ForeignKeyColumnRow = {
  readonly tableName: string;
  readonly name: string;
  readonly columnName: string;
  readonly position: string | number;
  readonly referencedSchema: string;
  readonly referencedTable: string;
  readonly referencedColumn: string;
};

export type ForeignKeyRuleRow = {
  readonly tableName: string;
  readonly name: string;
  readonly onUpdate: string;
  readonly onDelete: string;
};

export type CheckRow = {
  readonly tableName: string;
  readonly name: string;
  readonly level: string;
  readonly clause: string;
};

/** Everything that information_schema knows about the tables of a schema, also of views and sequences. */
export type TableRows = {
  readonly tables: readonly TableRow[];
  readonly columns: readonly ColumnRow[];
  readonly indexes: readonly IndexRow[];
  readonly foreignKeyColumns: readonly ForeignKeyColumnRow[];
  readonly foreignKeyRules: readonly ForeignKeyRuleRow[];
  readonly checks: readonly CheckRow[];
};

/** Which tables of which schema to read: all of them without `tables`. */
export type Selection = { readonly schema: string; readonly tables: readonly string[] | undefined };

/**
 * Reads the rows with one query each. The columns are chosen so that the server opens table
 * definitions and no data: TABLE_ROWS or CARDINALITY would make it open every table.
 */
export async function readTableRows(db: Db, selection: Selection): Promise<TableRows> {
  const rows = <R extends object>(columns: string, view: string, and = '') =>
    readSelected<R>(db, selection, { columns, view, and });
  const tables = await rows<TableRow>(TABLE_COLUMNS, 'TABLES');
  if (tables.length === 0) return NO_ROWS;
  const foreignKeyColumns = await rows<ForeignKeyColumnRow>(
    FOREIGN_KEY_COLUMNS,
    'KEY_COLUMN_USAGE',
    'AND referenced_table_name IS NOT NULL',
  );
  const hasForeignKeys = foreignKeyColumns.length > 0;
  return {
    tables,
    columns: await rows(COLUMN_COLUMNS, 'COLUMNS'),
    indexes: await rows(INDEX_COLUMNS, 'STATISTICS'),
    foreignKeyColumns,
    foreignKeyRules: hasForeignKeys ? await rows(RULE_COLUMNS, 'REFERENTIAL_CONSTRAINTS') : [],
    checks: await rows(CHECK_COLUMNS, 'CHECK_CONSTRAINTS'),
  };
}

/** Up to this many names are looked up one by one, which spares the server listing the schema. */
const LOOKUP_LIMIT = 8;

type Source = {
  /** `expression AS name, …` */
  readonly columns: string;
  readonly view: string;
  readonly and?: string;
};

/** Reads rows of one view of information_schema, for all tables of the selection. */
export async function readSelected<R extends object>(
  db: Db,
  { schema, tables }: Selection,
  source: Source,
): Promise<R[]> {
  const [schemaColumn, tableColumn] = KEYS[source.view] ?? ['table_schema', 'table_name'];
  const base = sql`SELECT ${raw(source.columns)} FROM information_schema.${raw(source.view)}
    WHERE ${raw(schemaColumn)} = ${schema} ${raw(source.and ?? '')}`;
  if (tables === undefined) return await db.query<R>(base);
  const column = raw(tableColumn);
  if (tables.length > LOOKUP_LIMIT)
    return await db.query<R>(sql`${base} AND ${column} IN (${join(tables)})`);
  // MariaDB looks a table up directly for `=` only, and not inside OR or IN.
  const lookups: Sql[] = tables.map((table) => sql`${base} AND ${column} = ${table}`);
  return await db.query<R>(join(lookups, ' UNION ALL '));
}

const KEYS: Readonly<Record<string, readonly [schema: string, table: string]>> = {
  REFERENTIAL_CONSTRAINTS: ['constraint_schema', 'table_name'],
  CHECK_CONSTRAINTS: ['constraint_schema', 'table_name'],
  TRIGGERS: ['event_object_schema', 'event_object_table'],
};

const NO_ROWS: TableRows = {
  tables: [],
  columns: [],
  indexes: [],
  foreignKeyColumns: [],
  foreignKeyRules: [],
  checks: [],
};

const TABLE_COLUMNS = `table_name AS name, table_type AS type, engine AS engine,
  create_options AS createOptions, table_collation AS collation, table_comment AS comment`;

const COLUMN_COLUMNS = `table_name AS tableName, column_name AS name, ordinal_position AS position,
  column_default AS defaultText, is_nullable AS nullable, character_set_name AS charset,
  collation_name AS collation, column_type AS type, extra AS extra, column_comment AS comment,
  is_generated AS generated, generation_expression AS expression`;

const INDEX_COLUMNS = `table_name AS tableName, index_name AS name, non_unique AS nonUnique,
  seq_in_index AS position, column_name AS columnName, collation AS direction, sub_part AS length,
  index_type AS kind, index_comment AS comment, ignored AS ignored`;

const FOREIGN_KEY_COLUMNS = `table_name AS tableName, constraint_name AS name,
  column_name AS columnName, ordinal_position AS position,
  referenced_table_schema AS referencedSchema, referenced_table_name AS referencedTable,
  referenced_column_name AS referencedColumn`;

const RULE_COLUMNS = `table_name AS tableName, constraint_name AS name, update_rule AS onUpdate,
  delete_rule AS onDelete`;

const CHECK_COLUMNS = `table_name AS tableName, constraint_name AS name, level AS level,
  check_clause AS clause`;
