import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { isDeployTable } from '../database/identifier.ts';

/** A stored column, as far as its values have to be written. */
export type StoredColumn = {
  readonly name: string;
  /** DATA_TYPE, e.g. `varchar`. */
  readonly dataType: string;
  readonly charset: string | null;
  /** COLUMN_TYPE, e.g. `enum('','a')`. */
  readonly type: string;
  /** Of a system-versioned table: what the server writes into it. */
  readonly role: 'value' | 'row start' | 'row end' | 'generated';
};

/**
 * Who writes the rows of a table. `mariadb-dump` is what every operator knows, and writes what it
 * can write without loss. It loses (tried on 10.11 and 11.8, each has a test):
 *
 * - FLOAT beyond six digits;
 * - text in a character set that does not go through utf8mb4 and back byte by byte;
 * - the invalid value of an ENUM that also has '' as a member;
 * - rows of a system-versioned table on a server where time ends later (MariaDB 11.5), which the
 *   scratch server may be;
 * - names with a line end in them, which would break its own comments.
 *
 * Dates out of range are lost by the session that loads them, not by the dump (`LOADING_SESSION`).
 * Pure.
 */
export function chooseWriter(
  table: { readonly name: string; readonly systemVersioned: boolean },
  columns: readonly StoredColumn[],
): 'mariadb-dump' | 'own' {
  if (table.systemVersioned) return 'own';
  const names = [table.name, ...columns.map(({ name }) => name)];
  if (names.some((name) => name.includes('\n'))) return 'own';
  return columns.some(isLostByDump) ? 'own' : 'mariadb-dump';
}

function isLostByDump({ dataType, charset, type }: StoredColumn): boolean {
  if (dataType === 'float') return true;
  if (charset !== null && !SAFE_CHARSETS.has(charset)) return true;
  // A quote within a member is doubled, so two quotes that follow `(` or `,` are a whole member.
  return dataType === 'enum' && /^enum\((?:'(?:[^']|'')+',)*''(?:,|\))/.test(type);
}

/** Those of which every stored text goes through utf8mb4 and back as it was. */
const SAFE_CHARSETS: ReadonlySet<string> = new Set([
  'utf8mb4',
  'utf8mb3',
  'utf8',
  'latin1',
  'ascii',
]);

/** The stored columns of all tables of a schema, by table. Generated ones are among them. */
export async function readStoredColumns(
  db: Db,
  schema: string,
): Promise<Map<string, StoredColumn[]>> {
  const rows = await db.query<{
    tableName: string;
    name: string;
    dataType: string;
    charset: string | null;
    type: string;
    generated: string;
    expression: string | null;
  }>(sql`
    SELECT table_name AS tableName, column_name AS name, LOWER(data_type) AS dataType,
      character_set_name AS charset, column_type AS type, is_generated AS generated,
      generation_expression AS expression
    FROM information_schema.columns WHERE table_schema = ${schema}
    ORDER BY table_name, ordinal_position`);
  const columns = rows.map(({ tableName, generated, expression, ...rest }) => {
    return { tableName, ...rest, role: roleOf(generated, expression) };
  });
  const byTable = Map.groupBy(columns, ({ tableName }) => tableName);
  return new Map([...byTable].filter(([name]) => !isDeployTable(name)));
}

function roleOf(generated: string, expression: string | null): StoredColumn['role'] {
  if (generated !== 'ALWAYS') return 'value';
  if (expression === 'ROW START') return 'row start';
  return expression === 'ROW END' ? 'row end' : 'generated';
}
