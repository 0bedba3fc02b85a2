import sql, { join } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';

/** What a column takes, as `information_schema.columns` says. */
export type Column = {
  readonly name: string;
  /** e.g. `varchar`. */
  readonly dataType: string;
  /** e.g. `varchar(191)`. */
  readonly columnType: string;
  readonly nullable: boolean;
  /** SQL text of the default; null for none. */
  readonly default: string | null;
  readonly unsigned: boolean;
  readonly maxChars: number | null;
  readonly maxBytes: number | null;
  readonly precision: number;
  readonly scale: number;
  readonly members: readonly string[];
  readonly charset: string | null;
  readonly collation: string | null;
  readonly autoIncrement: boolean;
  readonly generated: boolean;
};

export type TableFacts = {
  readonly name: string;
  readonly columns: ReadonlyMap<string, Column>;
  readonly primaryKey: readonly string[];
  /** Columns of each further unique index that has no prefix. */
  readonly unique: readonly (readonly string[])[];
};

/** A foreign key of one column, to one of the tables that were asked for. */
export type PointingColumn = {
  readonly table: string;
  readonly column: string;
  readonly target: string;
};

/** True for a column that is not there, or that nothing can be written to. Pure. */
export function isMissing(column: Column | undefined): boolean {
  return column === undefined || column.generated;
}

/** Reads the columns and unique keys of tables of the current database. Missing tables are left out. */
export async function readTables(
  db: Db,
  tables: readonly string[],
): Promise<ReadonlyMap<string, TableFacts>> {
  const facts = new Map<string, TableFacts>();
  if (tables.length === 0) return facts;
  const columns = await db.query<Record<string, string | null>>(sql`
    SELECT table_name, column_name, data_type, column_type, is_nullable, column_default,
      character_maximum_length, character_octet_length, numeric_precision, numeric_scale,
      character_set_name, collation_name, extra, is_generated
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name IN (${join([...tables])})
    ORDER BY table_name, ordinal_position`);
  const keys = await db.query<Record<string, string | null>>(sql`
    SELECT table_name, index_name, GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR '\n') AS names,
      COUNT(sub_part) AS prefixes
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name IN (${join([...tables])}) AND non_unique = 0
    GROUP BY table_name, index_name`);
  for (const table of tables) {
    const own = columns.filter((row) => row['table_name'] === table).map(columnOf);
    if (own.length === 0) continue;
    const ownKeys = keys.filter(
      (row) => row['table_name'] === table && Number(row['prefixes']) === 0,
    );
    const namesOf = (row: Record<string, string | null>) => String(row['names']).split('\n');
    facts.set(table, {
      name: table,
      columns: new Map(own.map((column) => [column.name, column])),
      primaryKey: ownKeys.filter(isPrimary).flatMap(namesOf),
      unique: ownKeys.filter((row) => !isPrimary(row)).map(namesOf),
    });
  }
  return facts;
}

function isPrimary(row: Record<string, string | null>): boolean {
  return row['index_name'] === 'PRIMARY';
}

function columnOf(row: Record<string, string | null>): Column {
  const columnType = String(row['column_type']);
  const number = (name: string) => (row[name] === null ? null : Number(row[name]));
  return {
    name: String(row['column_name']),
    dataType: String(row['data_type']),
    columnType,
    nullable: row['is_nullable'] === 'YES',
    default: row['column_default'] ?? null,
    unsigned: columnType.includes('unsigned'),
    maxChars: number('character_maximum_length'),
    maxBytes: number('character_octet_length'),
    precision: number('numeric_precision') ?? 0,
    scale: number('numeric_scale') ?? 0,
    members: [...columnType.matchAll(/'((?:[^']|'')*)'/g)].map(([, member = '']) =>
      member.replaceAll("''", "'"),
    ),
    charset: row['character_set_name'] ?? null,
    collation: row['collation_name'] ?? null,
    autoIncrement: String(row['extra']).includes('auto_increment'),
    generated: row['is_generated'] === 'ALWAYS',
  };
}

/** Reads which columns of the current database point to `tables` by a foreign key of one column. */
export async function readPointingColumns(
  db: Db,
  tables: readonly string[],
): Promise<PointingColumn[]> {
  const rows = await db.query<{ name: string; col: string; target: string }>(sql`
    SELECT DISTINCT table_name AS name, column_name AS col, referenced_table_name AS target
    FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE()
      AND referenced_table_name IN (${join([...tables])})
    ORDER BY table_name, column_name`);
  return rows.map(({ name, col, target }) => ({ table: name, column: col, target }));
}

/** Names of the base tables of the current database that one of the patterns stands for. */
export async function readMatchingTables(db: Db, patterns: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ name: string }>(`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
    ORDER BY table_name`);
  return rows.map(({ name }) => name).filter((name) => patterns.some((one) => isMatch(one, name)));
}

function isMatch(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
