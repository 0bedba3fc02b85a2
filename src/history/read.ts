/** Reads the version tables as they are found: ours, the real backend's, or both by turns. */
import sql, { join, type Sql } from 'sql-template-tag';
import type { Db, Row } from '../database/connect.ts';
import { qualified, quoteName } from '../database/identifier.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { AppliedAtType } from './applied-at.ts';
import { type HistoryFacts, makeHistory } from './history-facts.ts';
import { VERSION_TABLE_COLUMNS, VERSION_TABLES, type VersionTable } from './tables.ts';

export type {
  AppliedMigration,
  FailedMigration,
  HistoryFacts,
  SchemaVersionRow,
} from './history-facts.ts';

/**
 * Reads the history of the application's database in two queries. Changes nothing, needs no lock.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a table lacks a column, or a row its number or outcome.
 */
export async function readHistory(db: Db, schema: string): Promise<HistoryFacts> {
  const types = await readAppliedAtTypes(db, schema);
  const select = selectHistory(schema, types);
  return historyOf(select === null ? [] : await db.query(select), types);
}

/**
 * The SELECT of all rows of the version tables, for `historyOf`; null when there is no such table.
 * Its columns are `t` (the table), `id` and the texts `c0`, `c1`, …: other rows of the same form
 * (`selectTextRow`) may be added to it by UNION ALL.
 */
export function selectHistory(schema: string, types: AppliedAtTypes): Sql | null {
  const selects = VERSION_TABLES.filter((table) => types[table] !== null).map((table) =>
    selectTexts(schema, table),
  );
  return selects.length === 0 ? null : join(selects, ' UNION ALL ');
}

/** `SELECT t, id, c0` in the form of `selectHistory`, without a FROM. */
export function selectTextRow(t: string, id: Sql, text: Sql): Sql {
  return sql`SELECT ${t} AS t, ${id} AS id, ${join(padded([text]))}`;
}

/**
 * Makes the history of what `selectHistory` gave, in any order, also among other rows.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a row lacks its number or its outcome.
 */
export function historyOf(rows: readonly Row[], types: AppliedAtTypes): HistoryFacts {
  const rowsOf = (table: VersionTable) => {
    if (types[table] === null) return null;
    const found = rows.filter((row) => row['t'] === table);
    return found.sort((a, b) => Number(a['id']) - Number(b['id']));
  };
  return makeHistory({
    history: rowsOf('migration_history')?.map(toHistoryRow) ?? null,
    versions: rowsOf('schema_version')?.map(toVersionRow) ?? null,
    appliedAtType: types.migration_history ?? 'epoch',
  });
}

/** How each version table stores `applied_at`; null for a missing table. */
export type AppliedAtTypes = Readonly<Record<VersionTable, AppliedAtType | null>>;

/**
 * Reads how each version table stores `applied_at`. One query.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a table lacks a column that this program uses.
 */
export async function readAppliedAtTypes(db: Db, schema: string): Promise<AppliedAtTypes> {
  // One select for each table: with IN the server would open every table of the schema.
  const selects = VERSION_TABLES.map(
    (table) => sql`SELECT table_name AS t, column_name AS c, data_type AS d
      FROM information_schema.columns WHERE table_schema = ${schema} AND table_name = ${table}`,
  );
  const rows = await db.query<{ t: string; c: string; d: string }>(join(selects, ' UNION ALL '));
  const typeIn = (table: VersionTable): AppliedAtType | null => {
    const columns = new Map(rows.filter((row) => row.t === table).map((row) => [row.c, row.d]));
    if (columns.size === 0) return null;
    const missing = VERSION_TABLE_COLUMNS[table].filter((name) => !columns.has(name));
    if (missing.length > 0) {
      throw new DeployError(
        'HISTORY_UNREADABLE',
        `table ${table} has no column ${missing.join(', ')}`,
        { where: `${schema}.${table}`, facts: { table, missing } },
      );
    }
    return ['timestamp', 'datetime'].includes(columns.get('applied_at')!) ? 'timestamp' : 'epoch';
  };
  return {
    schema_version: typeIn('schema_version'),
    migration_history: typeIn('migration_history'),
  };
}

const columnsOf = VERSION_TABLE_COLUMNS;
const widest = Math.max(...Object.values(columnsOf).map((columns) => columns.length));

// Both tables come in one answer, every column as text: so no column of one table forces its
// type or collation upon the other, and it does not matter how an existing table declares them.
function selectTexts(schema: string, table: VersionTable): Sql {
  const texts = columnsOf[table].map((column) => sql`CONVERT(${quoteName(column)} USING utf8mb4)`);
  return sql`SELECT ${table} AS t, CAST(id AS SIGNED) AS id, ${join(padded(texts))}
    FROM ${qualified(schema, table)}`;
}

function padded(texts: readonly Sql[]): Sql[] {
  return Array.from(
    { length: widest },
    (_, index) => sql`${texts[index] ?? sql`NULL`} AS ${quoteName(`c${index}`)}`,
  );
}

function cellsOf(table: VersionTable, row: Row): (column: string) => string | null {
  return (column) => {
    const value = row[`c${columnsOf[table].indexOf(column)}`];
    return value === null || value === undefined ? null : String(value);
  };
}

function toHistoryRow(row: Row) {
  const cell = cellsOf('migration_history', row);
  return {
    migrationNumber: cell('migration_number'),
    version: cell('version'),
    description: cell('description'),
    appliedAt: cell('applied_at'),
    appliedBy: cell('applied_by'),
    executionTimeMs: cell('execution_time_ms'),
    rollbackAvailable: cell('rollback_available'),
    success: cell('success'),
    errorMessage: cell('error_message'),
  };
}

function toVersionRow(row: Row) {
  const cell = cellsOf('schema_version', row);
  return {
    id: String(row['id']),
    migrationNumber: cell('migration_number'),
    version: cell('version'),
    checksum: cell('checksum'),
    backendVersion: cell('backend_version'),
  };
}
