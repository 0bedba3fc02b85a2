import type { ForeignKey, Table } from '../schema/model.ts';
import { type Check, type CheckInput, makeFinding } from './finding.ts';

const name = 'foreign-key-definition';

/** With foreign_key_checks=0 a table can be dropped or changed under the keys that point to it. */
export const foreignKeyDefinitionCheck: Check = {
  name,
  asks: 'Does every foreign key point to a table and to columns that exist?',
  run({ actual }) {
    return tablesOf(actual).flatMap((table) =>
      foreignKeysOf(table).flatMap((key) => {
        const problem = problemOf(key, actual);
        if (problem === null) return [];
        return makeFinding(name, 'error', {
          about: titleOf(table, key),
          message: `foreign key ${titleOf(table, key)}: ${problem}`,
          advice: 'bring the table or column back, or drop the key in a migration',
        });
      }),
    );
  },
};

/** Why the key leads nowhere; null when it leads somewhere, or into another database. */
export function problemOf({ references }: ForeignKey, actual: CheckInput['actual']): string | null {
  if (references.schema !== null) return null;
  const parent = actual.objects.get(`table:${references.table}`);
  if (parent?.kind !== 'table') return `there is no table ${references.table}`;
  const columns = new Set(parent.columns.map((column) => column.name.toLowerCase()));
  const missing = references.columns.find((column) => !columns.has(column.toLowerCase()));
  return missing === undefined ? null : `there is no column ${references.table}.${missing}`;
}

/** The tables of a schema. */
export function tablesOf({ objects }: CheckInput['actual']): Table[] {
  return [...objects.values()].filter((object): object is Table => object.kind === 'table');
}

/** The foreign keys of a table; those that say the same (Bamort: nine) are one. */
export function foreignKeysOf(table: Table): ForeignKey[] {
  const byTitle = new Map(table.foreignKeys.map((key) => [titleOf(table, key), key]));
  return [...byTitle.values()];
}

/** `child (columns) → parent (columns)`. */
export function titleOf(table: Table, { columns, references }: ForeignKey): string {
  const schema = references.schema === null ? '' : `${references.schema}.`;
  const target = `${schema}${references.table} (${references.columns.join(', ')})`;
  return `${table.name} (${columns.join(', ')}) → ${target}`;
}
