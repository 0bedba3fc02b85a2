/** Plans missing tables, and missing columns, indexes and checks of tables that are there. Pure. */
import { quoteNameText } from '../database/identifier.ts';
import { describeColumn, describeIndex } from './compare-tables.ts';
import type { Check, Column, Index, ObjectKey, Table } from './model.ts';
import { withoutDisplayWidth } from './normalise.ts';
import { type Addition, type Draft, refuse } from './reconcile-draft.ts';
import {
  checkText,
  columnText,
  createTableText,
  indexText,
  isColumnCheck,
  splitIndexColumn,
} from './reconcile-text.ts';

/** Adds to the draft what the tables need, without foreign keys. */
export function planTables(draft: Draft): void {
  const wanted = [...draft.expected.objects].filter(
    (entry): entry is [ObjectKey, Table] => entry[1].kind === 'table',
  );
  const missing = wanted.filter(([key]) => !draft.complete.has(key));
  // The server's own texts have foreign keys in them: what they point to comes before.
  const [own = [], shown = []] = [true, false].map((isOwn) =>
    missing.filter(([, table]) => (createTableText(table) !== null) === isOwn),
  );
  for (const [key, table] of [...own, ...shown]) planTable(draft, key, table);
  for (const [key, table] of wanted) {
    const found = draft.tables.get(key);
    if (found !== undefined && found !== table) planParts(draft, key, table);
  }
}

function planTable(draft: Draft, key: ObjectKey, table: Table): void {
  const ownText = createTableText(table);
  const sql = ownText ?? draft.definitionOf(key);
  draft.complete.set(key, table);
  if (sql === undefined) {
    draft.incomplete.add(key);
    refuse(draft, key, `table ${table.name}`, 'it has options that need its own CREATE TABLE');
    return;
  }
  const what = `table ${table.name}`;
  draft.additions.push({ key, what, sql, rowsDecide: false, code: null });
  // The text of the server has the foreign keys in it, the one of the model has not.
  draft.tables.set(key, ownText === null ? table : { ...table, foreignKeys: [] });
  if (ownText === null) return;
  for (const column of table.columns.filter(hasNoDefaultAtAll))
    draft.additions.push(dropDefault(key, table, column));
}

/** `id int NULL` gets a default of NULL; a column without any needs a statement of its own. */
function hasNoDefaultAtAll(column: Column): boolean {
  return column.nullable && column.default === null && column.generated === null;
}

function dropDefault(key: ObjectKey, table: Table, column: Column): Addition {
  const what = `table ${table.name}: column ${column.name} without default`;
  const sql = `ALTER TABLE ${quoteNameText(table.name)} ALTER COLUMN ${quoteNameText(column.name)} DROP DEFAULT`;
  return { key, what, sql, rowsDecide: false, code: null };
}

function planParts(draft: Draft, key: ObjectKey, wanted: Table): void {
  const has = (name: string) => draft.tables.get(key)?.columns.some(named(name)) === true;
  const missing = wanted.columns.filter(({ name }) => !has(name));
  // An expression may use every column of the table, so columns with one come last.
  for (const column of missing.filter(({ generated }) => generated === null))
    planColumn(draft, key, wanted, column);
  for (const column of missing.filter(({ generated }) => generated !== null))
    planColumn(draft, key, wanted, column);
  for (const index of wanted.indexes) planIndex(draft, key, wanted, index);
  for (const check of wanted.checks) planCheck(draft, key, wanted, check);
}

function named(name: string): (other: { readonly name: string }) => boolean {
  return (other) => other.name.toLowerCase() === name.toLowerCase();
}

/** Changes a table after the additions, and the one in which nothing is missing, alike. */
function grow(draft: Draft, key: ObjectKey, change: (table: Table) => Table): void {
  draft.tables.set(key, change(draft.tables.get(key) as Table));
}

function complete(draft: Draft, key: ObjectKey, change: (table: Table) => Table): void {
  draft.complete.set(key, change(draft.complete.get(key) as Table));
}

/** Why a table as it is takes no further part without a decision; null when it does. */
function closedReason(table: Table): string | null {
  return table.systemVersioned ? 'the table is system-versioned, its history would change' : null;
}

function planColumn(draft: Draft, key: ObjectKey, wanted: Table, column: Column): void {
  const what = `table ${wanted.name}: column ${column.name} ${describeColumn(column)}`;
  const found = draft.tables.get(key) as Table;
  const change = (table: Table) => ({ ...table, columns: [...table.columns, column] });
  complete(draft, key, change);
  const text = columnText(column, wanted.checks);
  const why = closedReason(found) ?? columnReason(column, text);
  if (why !== null) {
    draft.incomplete.add(key);
    refuse(draft, key, what, why);
    return;
  }
  const sql = `ALTER TABLE ${quoteNameText(wanted.name)} ADD COLUMN ${text} ${positionText(wanted, found, column)}`;
  const checks = wanted.checks.filter(({ name }) => name === `column ${column.name}`);
  draft.additions.push({ key, what, sql, rowsDecide: checks.length > 0, code: null });
  if (hasNoDefaultAtAll(column)) draft.additions.push(dropDefault(key, wanted, column));
  grow(draft, key, (table) => ({ ...change(table), checks: [...table.checks, ...checks] }));
  complete(draft, key, (table) => ({ ...table, checks: [...table.checks, ...checks] }));
}

function columnReason(column: Column, text: string | null): string | null {
  if (text === null) return 'it has attributes that need a migration of their own';
  if (/\bauto_increment\b/i.test(column.extra)) return 'it would number the existing rows';
  if (!column.nullable && column.default === null)
    return 'it is not null without default, and nobody knows its value in existing rows';
  return null;
}

/** Behind the nearest column before it that is there, so that the order is the expected one. */
function positionText(wanted: Table, found: Table, column: Column): string {
  const before = wanted.columns.slice(0, wanted.columns.indexOf(column));
  const neighbour = before.findLast(({ name }) => found.columns.some(named(name)));
  return neighbour === undefined ? 'FIRST' : `AFTER ${quoteNameText(neighbour.name)}`;
}

function planIndex(draft: Draft, key: ObjectKey, wanted: Table, index: Index): void {
  const found = draft.tables.get(key) as Table;
  const isSame = (other: Index) => describeIndex(other) === describeIndex(index);
  if (found.indexes.some(isSame)) return;
  const what = `table ${wanted.name}: index ${describeIndex(index)}`;
  const change = (table: Table) => ({ ...table, indexes: [...table.indexes, index] });
  complete(draft, key, change);
  const name = freeName(index.name, found.indexes);
  const text = indexText(index, wanted, name);
  const known = new Set(wanted.columns.map((column) => column.name));
  const columns = index.columns.map((column) => splitIndexColumn(column, known).name);
  const why = closedReason(found) ?? indexReason({ index, text, columns, wanted, found });
  if (why !== null) {
    refuse(draft, key, what, why);
    return;
  }
  const sql = `ALTER TABLE ${quoteNameText(wanted.name)} ADD ${text}`;
  draft.additions.push({ key, what, sql, rowsDecide: index.unique, code: null });
  grow(draft, key, change);
}

function indexReason(about: {
  readonly index: Index;
  readonly text: string | null;
  readonly columns: readonly string[];
  readonly wanted: Table;
  readonly found: Table;
}): string | null {
  const { index, text, columns, wanted, found } = about;
  if (text === null) return `an index of the kind ${index.kind} needs a migration of its own`;
  if (index.name === 'PRIMARY' && found.indexes.some(({ name }) => name === 'PRIMARY'))
    return 'the table has another primary key';
  return otherColumn(columns, wanted, found);
}

/** Names the first column that is missing or of another type than expected; null when there is none. */
export function otherColumn(names: readonly string[], wanted: Table, found: Table): string | null {
  for (const name of names) {
    const [want, have] = [wanted.columns.find(named(name)), found.columns.find(named(name))];
    if (have === undefined) return `the column ${found.name}.${name} is missing`;
    if (want === undefined || storageOf(want) !== storageOf(have))
      return `the column ${found.name}.${name} is of another type than expected`;
  }
  return null;
}

function storageOf({ type, collation, nullable }: Column): string {
  return `${withoutDisplayWidth(type)} ${collation} ${nullable}`;
}

/** The name, or one like it that nothing in the list has. */
function freeName(name: string, taken: readonly { readonly name: string }[]): string {
  if (name === 'PRIMARY' || !taken.some(named(name))) return name;
  for (let nth = 2; ; nth++) {
    const other = `${name.slice(0, 60)}_${nth}`;
    if (!taken.some(named(other))) return other;
  }
}

function planCheck(draft: Draft, key: ObjectKey, wanted: Table, check: Check): void {
  const found = draft.tables.get(key) as Table;
  if (found.checks.some(({ clause }) => clause === check.clause)) return;
  const what = `table ${wanted.name}: check (${check.clause})`;
  const change = (table: Table) => ({ ...table, checks: [...table.checks, check] });
  complete(draft, key, change);
  const lacks = wanted.columns.find(
    ({ name }) => check.clause.includes(quoteNameText(name)) && !found.columns.some(named(name)),
  );
  const why = closedReason(found) ?? (lacks && `the column ${found.name}.${lacks.name} is missing`);
  if (why) {
    refuse(draft, key, what, why);
    return;
  }
  const hasName = !isColumnCheck(check.name, wanted) && !found.checks.some(named(check.name));
  const sql = `ALTER TABLE ${quoteNameText(wanted.name)} ADD ${checkText(check, hasName ? check.name : null)}`;
  draft.additions.push({ key, what, sql, rowsDecide: true, code: null });
  grow(draft, key, change);
}
