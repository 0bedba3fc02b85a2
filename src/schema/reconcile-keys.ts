/** Plans missing foreign keys: after all tables, columns and indexes. Pure. */
import { quoteNameText } from '../database/identifier.ts';
import { describeForeignKey } from './compare-tables.ts';
import type { ForeignKey, ObjectKey, Table } from './model.ts';
import { type Draft, refuse } from './reconcile-draft.ts';
import { otherColumn } from './reconcile-tables.ts';
import { foreignKeyText } from './reconcile-text.ts';

/** Adds the missing foreign keys of all expected tables to the draft. */
export function planForeignKeys(draft: Draft): void {
  // InnoDB: the name of a foreign key belongs to the whole schema.
  const taken = new Set(
    [...draft.tables.values()].flatMap(({ foreignKeys }) =>
      foreignKeys.map(({ name }) => name.toLowerCase()),
    ),
  );
  for (const [key, wanted] of draft.expected.objects)
    if (wanted.kind === 'table')
      for (const foreignKey of wanted.foreignKeys)
        planForeignKey({ draft, key, wanted, taken }, foreignKey);
}

type About = {
  readonly draft: Draft;
  readonly key: ObjectKey;
  readonly wanted: Table;
  readonly taken: Set<string>;
};

function planForeignKey({ draft, key, wanted, taken }: About, foreignKey: ForeignKey): void {
  const title = describeForeignKey(foreignKey);
  const what = `table ${wanted.name}: foreign key ${title}`;
  const has = (table: Table) =>
    table.foreignKeys.some((other) => describeForeignKey(other) === title);
  const change = (table: Table) => ({
    ...table,
    foreignKeys: [...table.foreignKeys, foreignKey],
  });
  const found = draft.tables.get(key);
  if (found !== undefined && has(found)) return;
  const inFull = draft.complete.get(key) as Table;
  if (!has(inFull)) draft.complete.set(key, change(inFull));
  // A table that could not be created was refused as a whole.
  if (found === undefined) return;
  const why = reason(draft, foreignKey, wanted, found);
  if (why !== null) {
    refuse(draft, key, what, why);
    return;
  }
  const name = taken.has(foreignKey.name.toLowerCase()) ? null : foreignKey.name;
  if (name !== null) taken.add(name.toLowerCase());
  const sql = `ALTER TABLE ${quoteNameText(wanted.name)} ADD ${foreignKeyText(foreignKey, name)}`;
  draft.additions.push({ key, what, sql, rowsDecide: true, code: null });
  draft.tables.set(key, change(found));
}

/** Why the server would refuse the key whatever the rows are; null when it would not. */
function reason(draft: Draft, key: ForeignKey, wanted: Table, found: Table): string | null {
  const { schema, table, columns } = key.references;
  const own = otherColumn(key.columns, wanted, found);
  if (own !== null || schema !== null) return own;
  const parentKey: ObjectKey = `table:${table}`;
  const parent = draft.tables.get(parentKey);
  const expectedParent = draft.expected.objects.get(parentKey);
  if (parent === undefined || expectedParent?.kind !== 'table')
    return `the table ${table} is missing`;
  const other = otherColumn(columns, expectedParent, parent);
  if (other !== null) return other;
  // Other engines take a foreign key and forget it.
  const plain = [found, parent].find(({ engine }) => engine !== 'InnoDB');
  if (plain !== undefined) return `the engine of the table ${plain.name} is ${plain.engine}`;
  const isIndexed = parent.indexes.some(({ columns: indexed }) =>
    columns.every((column, at) => indexed[at]?.toLowerCase() === column.toLowerCase()),
  );
  return isIndexed ? null : `the table ${table} has no index on (${columns.join(', ')})`;
}
