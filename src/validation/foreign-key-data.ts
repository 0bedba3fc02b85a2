import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified, quoteName } from '../database/identifier.ts';
import { isMissingRight, isMissingTable } from '../database/server-errors.ts';
import type { ForeignKey, Table } from '../schema/model.ts';
import { type Check, type CheckInput, type Finding, makeFinding } from './finding.ts';
import { foreignKeysOf, problemOf, tablesOf, titleOf } from './foreign-key-definition.ts';

const name = 'foreign-key-data';
const MOST_KEYS = 10;

/** Rows without parents come from foreign_key_checks=0: an import, a restore by hand. */
export const foreignKeyDataCheck: Check = {
  name,
  asks: 'Does every row that points to another row point to one that exists?',
  async run(input) {
    const findings: Finding[] = [];
    for (const table of tablesOf(input.actual)) {
      const valid = foreignKeysOf(table).filter((key) => problemOf(key, input.actual) === null);
      for (const key of valid) findings.push(...(await checkKey(input, table, key)));
    }
    return findings;
  },
};

async function checkKey(input: CheckInput, table: Table, key: ForeignKey): Promise<Finding[]> {
  const title = titleOf(table, key);
  try {
    const { count, keys } = await findOrphans(input.db, input.database, { table, key });
    if (count === 0) return [];
    return [
      makeFinding(name, 'error', {
        about: title,
        message: `foreign key ${title}: ${count} ${count === 1 ? 'row points' : 'rows point'} to nothing`,
        advice: `look at the rows of ${table.name} named here; delete them or bring back what they point to`,
        ...{ keys, count },
      }),
    ];
  } catch (error) {
    const isForeign = key.references.schema !== null;
    if (!isForeign || !(isMissingRight(error) || isMissingTable(error))) throw error;
    return [
      makeFinding(name, 'warning', {
        about: title,
        message: `foreign key ${title} cannot be checked: the account may not read the other database`,
        advice: `grant the account SELECT on ${key.references.schema}, or check the rows by hand`,
      }),
    ];
  }
}

type Orphans = { readonly count: number; readonly keys: readonly string[] };

/** One query: how many rows have no parent, and the first primary keys of them. */
async function findOrphans(
  db: Db,
  database: string,
  { table, key }: { readonly table: Table; readonly key: ForeignKey },
): Promise<Orphans> {
  const primary = primaryKeyOf(table);
  const { references } = key;
  const parent = qualified(references.schema ?? database, references.table);
  const pairs = key.columns.map(
    (column, at) =>
      sql`parent.${quoteName(references.columns[at] ?? column)} = child.${quoteName(column)}`,
  );
  // A key with a NULL in it points to nothing on purpose.
  const filled = key.columns.map((column) => sql`child.${quoteName(column)} IS NOT NULL`);
  const shown: Sql[] = primary.map(
    (column, at) => sql`CAST(child.${quoteName(column)} AS CHAR) AS ${raw(`k${at}`)}`,
  );
  const order = primary.map((column) => sql`child.${quoteName(column)}`);
  const rows = await db.query<Record<string, string | number | null>>(
    sql`SELECT COUNT(*) OVER () AS total, ${join([...shown, sql`1 AS one`])}
      FROM ${qualified(database, table.name)} AS child
      WHERE ${join(filled, ' AND ')}
        AND NOT EXISTS (SELECT 1 FROM ${parent} AS parent WHERE ${join(pairs, ' AND ')})
      ${order.length === 0 ? raw('') : sql`ORDER BY ${join(order)}`} LIMIT ${MOST_KEYS}`,
  );
  return {
    count: Number(rows[0]?.['total'] ?? 0),
    keys: primary.length === 0 ? [] : rows.map((row) => keyText(row, primary.length)),
  };
}

/** The columns of the primary key, without prefix lengths and directions; empty without one. */
function primaryKeyOf(table: Table): string[] {
  const names = new Set(table.columns.map((column) => column.name));
  const columns = table.indexes.find((index) => index.name === 'PRIMARY')?.columns ?? [];
  return columns.map((column) => {
    if (names.has(column)) return column;
    return column.replace(/ desc$/, '').replace(/\(\d+\)$/, '');
  });
}

const MOST_CHARACTERS = 60;

function keyText(row: Record<string, string | number | null>, length: number): string {
  const values = Array.from({ length }, (_, at) => {
    const text = String(row[`k${at}`]);
    return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  });
  return values.length === 1 ? (values[0] ?? '') : `(${values.join(', ')})`;
}
