/**
 * SQL for tables of the model and their parts, as the safety net adds them. Pure. Each function
 * gives null for what the model does not describe in full: SQL that means something else must not
 * be run. To be run in the application's database, without ANSI_QUOTES or NO_BACKSLASH_ESCAPES.
 */
import { quoteNameText } from '../database/identifier.ts';
import type { Check, Column, ForeignKey, Index, Table } from './model.ts';
import { isCommonEngine } from './show-create.ts';

/** A column as CREATE TABLE and ALTER TABLE take it, with the checks that belong to it. */
export function columnText(column: Column, checks: readonly Check[] = []): string | null {
  const extra = extraText(column.extra);
  const isGeneratedNotNull = column.generated !== null && !column.nullable;
  if (extra === null || isGeneratedNotNull || !hasPlainCollation(column)) return null;
  const own = checks.filter(({ name }) => name === `column ${column.name}`);
  return [
    quoteNameText(column.name),
    column.type,
    column.charset === null ? '' : `CHARACTER SET ${column.charset}`,
    column.collation === null ? '' : `COLLATE ${column.collation}`,
    column.generated === null ? valueText(column) : generatedText(column.generated),
    extra,
    column.comment === '' ? '' : `COMMENT ${textLiteral(column.comment)}`,
    ...own.map(({ clause }) => `CHECK (${clause})`),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** Names of character sets and collations stand bare in SQL. */
function hasPlainCollation({ charset, collation }: Pick<Column, 'charset' | 'collation'>): boolean {
  return /^\w*$/.test(charset ?? '') && /^\w*$/.test(collation ?? '');
}

function valueText(column: Column): string {
  const nullable = column.nullable ? 'NULL' : 'NOT NULL';
  if (column.default === null) return nullable;
  const isPlain = PLAIN_DEFAULT.test(column.default);
  return `${nullable} DEFAULT ${isPlain ? column.default : `(${column.default})`}`;
}

/** Literals and the current time; everything else is an expression, which needs brackets. */
const PLAIN_DEFAULT =
  /^(?:NULL|[-+]?[\d.]+(?:e[-+]?\d+)?|(?:_\w+ )?[xbn]?'(?:[^'\\]|\\[\s\S]|'')*'|current_timestamp\(\d*\))$/i;

function generatedText({ expression, stored }: NonNullable<Column['generated']>): string {
  return `GENERATED ALWAYS AS (${expression}) ${stored ? 'STORED' : 'VIRTUAL'}`;
}

function extraText(extra: string): string | null {
  const parts = extra === '' ? [] : extra.split(', ');
  return parts.every((part) => KNOWN_EXTRA.test(part)) ? parts.join(' ') : null;
}

const KNOWN_EXTRA = /^(?:auto_increment|invisible|on update current_timestamp\(\d*\))$/i;

/** An index as CREATE TABLE takes it, and ALTER TABLE after ADD. */
export function indexText(index: Index, table: Table, name: string = index.name): string | null {
  const kind = INDEX_KINDS[index.kind.toUpperCase()];
  if (kind === undefined) return null;
  const isPrimary = index.name === 'PRIMARY';
  const known = new Set(table.columns.map((column) => column.name));
  return [
    isPrimary ? 'PRIMARY KEY' : `${kind || (index.unique ? 'UNIQUE' : '')} KEY`.trimStart(),
    isPrimary ? '' : quoteNameText(name),
    `(${index.columns.map((column) => indexColumnText(column, known)).join(', ')})`,
    // Only there the kind can be chosen; InnoDB makes HASH out of a unique key that is too long.
    /^memory$/i.test(table.engine) ? `USING ${index.kind}` : '',
    index.comment === '' ? '' : `COMMENT ${textLiteral(index.comment)}`,
    index.ignored ? 'IGNORED' : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

const INDEX_KINDS: Readonly<Record<string, string>> = {
  BTREE: '',
  HASH: '',
  FULLTEXT: 'FULLTEXT',
  SPATIAL: 'SPATIAL',
};

function indexColumnText(text: string, known: ReadonlySet<string>): string {
  const { name, rest } = splitIndexColumn(text, known);
  return quoteNameText(name) + rest;
}

/** `name(10) desc` as name and rest; a column may itself be called `a(10)`. */
export function splitIndexColumn(
  text: string,
  known: ReadonlySet<string>,
): { readonly name: string; readonly rest: string } {
  if (known.has(text)) return { name: text, rest: '' };
  const [, name = text, rest = ''] = /^([\s\S]+?)((?:\(\d+\))?(?: desc)?)$/.exec(text) ?? [];
  return { name, rest };
}

/** A foreign key as ALTER TABLE takes it after ADD; without a name the server gives it one. */
export function foreignKeyText(key: ForeignKey, name: string | null): string {
  const { schema, table, columns } = key.references;
  const list = (names: readonly string[]) => `(${names.map(quoteNameText).join(', ')})`;
  const target = `${schema === null ? '' : `${quoteNameText(schema)}.`}${quoteNameText(table)}`;
  return [
    name === null ? '' : `CONSTRAINT ${quoteNameText(name)} `,
    `FOREIGN KEY ${list(key.columns)} REFERENCES ${target} ${list(columns)}`,
    key.onDelete === '' ? '' : ` ON DELETE ${key.onDelete}`,
    key.onUpdate === '' ? '' : ` ON UPDATE ${key.onUpdate}`,
  ].join('');
}

/** A check of the table as CREATE TABLE takes it, and ALTER TABLE after ADD. */
export function checkText(check: Check, name: string | null): string {
  return `${name === null ? '' : `CONSTRAINT ${quoteNameText(name)} `}CHECK (${check.clause})`;
}

/** CREATE TABLE without its foreign keys: they are added when all tables are there. */
export function createTableText(table: Table): string | null {
  if (table.systemVersioned || !isCommonEngine(table.engine) || !hasPlainCollation(table))
    return null;
  if (!table.options.every((option) => /^\w+=\w+$/.test(option))) return null;
  const lines = [
    ...table.columns.map((column) => columnText(column, table.checks)),
    ...table.indexes.map((index) => indexText(index, table)),
    ...table.checks
      .filter(({ name }) => !isColumnCheck(name, table))
      .map((check) => checkText(check, check.name)),
  ];
  if (lines.includes(null)) return null;
  const options = [
    `ENGINE=${table.engine}`,
    table.collation === null ? '' : `CHARACTER SET=${table.charset} COLLATE=${table.collation}`,
    ...table.options.map((option) => option.toUpperCase()),
    table.comment === '' ? '' : `COMMENT=${textLiteral(table.comment)}`,
    table.partitioning ?? '',
  ].filter((part) => part !== '');
  return `CREATE TABLE ${quoteNameText(table.name)} (\n  ${lines.join(',\n  ')}\n) ${options.join(' ')}`;
}

/** True when a check is written in its column's definition. */
export function isColumnCheck(name: string, table: Table): boolean {
  return table.columns.some((column) => name === `column ${column.name}`);
}

/** A comment as SQL; valid unless NO_BACKSLASH_ESCAPES is set. */
function textLiteral(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
