/** Makes tables of the model from rows of information_schema. Pure. */
import type { Check, Column, ForeignKey, Index, Table } from './model.ts';
import {
  isBinaryType,
  normaliseBinaryDefault,
  normaliseCharset,
  normaliseDefault,
  normaliseExtra,
  normaliseOptions,
  normaliseType,
  withoutOwnSchema,
} from './normalise.ts';
import { isCommonEngine } from './show-create.ts';
import type {
  CheckRow,
  ColumnRow,
  ForeignKeyColumnRow,
  IndexRow,
  TableRow,
  TableRows,
} from './table-rows.ts';

/** The rows of one table. */
type OwnRows = {
  columns: ColumnRow[];
  indexes: IndexRow[];
  foreignKeyColumns: ForeignKeyColumnRow[];
  foreignKeyRules: Map<string, { onUpdate: string; onDelete: string }>;
  checks: CheckRow[];
};

/** Makes the base tables among the rows, as far as information_schema describes them. */
export function makeTables(rows: TableRows, schema: string): Table[] {
  const own = new Map<string, OwnRows>();
  for (const row of rows.tables.filter(isBaseTable))
    own.set(row.name, {
      columns: [],
      indexes: [],
      foreignKeyColumns: [],
      foreignKeyRules: new Map(),
      checks: [],
    });
  for (const row of rows.columns) own.get(row.tableName)?.columns.push(row);
  for (const row of rows.indexes) own.get(row.tableName)?.indexes.push(row);
  for (const row of rows.foreignKeyColumns) own.get(row.tableName)?.foreignKeyColumns.push(row);
  for (const row of rows.foreignKeyRules)
    own.get(row.tableName)?.foreignKeyRules.set(row.name, row);
  for (const row of rows.checks) own.get(row.tableName)?.checks.push(row);
  return rows.tables
    .filter(isBaseTable)
    .map((row) => makeTable(row, own.get(row.name) as OwnRows, schema));
}

function isBaseTable(row: TableRow): boolean {
  return row.type === 'BASE TABLE' || row.type === 'SYSTEM VERSIONED';
}

function makeTable(row: TableRow, own: OwnRows, schema: string): Table {
  const collation = normaliseCharset(row.collation);
  return {
    kind: 'table',
    name: row.name,
    engine: row.engine ?? '',
    charset: collation?.replace(/_.*$/, '') ?? null,
    collation,
    comment: row.comment,
    options: normaliseOptions(row.createOptions ?? ''),
    columns: own.columns
      .toSorted((a, b) => Number(a.position) - Number(b.position))
      .map((column) => makeColumn(column, schema)),
    indexes: makeIndexes(own.indexes),
    foreignKeys: makeForeignKeys(own, schema),
    checks: own.checks.map((check) => makeCheck(check, schema)).sort(byName),
    partitioning: null,
    systemVersioned: row.type === 'SYSTEM VERSIONED',
  };
}

function makeColumn(row: ColumnRow, schema: string): Column {
  const generated = row.generated === 'ALWAYS' && row.expression !== null;
  return {
    name: row.name,
    type: normaliseType(row.type),
    nullable: row.nullable === 'YES',
    default: generated ? null : makeDefault(row, schema),
    extra: normaliseExtra(row.extra),
    charset: normaliseCharset(row.charset),
    collation: normaliseCharset(row.collation),
    generated: generated
      ? {
          expression: withoutOwnSchema(row.expression ?? '', schema),
          stored: /STORED|PERSISTENT/i.test(row.extra),
        }
      : null,
    comment: row.comment,
  };
}

function makeDefault(row: ColumnRow, schema: string): string | null {
  const text = normaliseDefault(row.defaultText, schema);
  return text !== null && isBinaryType(row.type) ? normaliseBinaryDefault(text) : text;
}

function makeIndexes(rows: readonly IndexRow[]): Index[] {
  const byIndex = Map.groupBy(rows, (row) => row.name);
  return [...byIndex.values()].map(makeIndex).sort(byName);
}

function makeIndex(rows: readonly IndexRow[]): Index {
  const [first] = rows as readonly [IndexRow];
  return {
    name: first.name,
    unique: Number(first.nonUnique) === 0,
    kind: first.kind,
    columns: rows
      .toSorted((a, b) => Number(a.position) - Number(b.position))
      .map((row) => {
        // A spatial key always covers the whole box; its 32 bytes are no prefix.
        const isPrefix = row.length !== null && first.kind !== 'SPATIAL';
        const column = (row.columnName ?? '') + (isPrefix ? `(${row.length})` : '');
        return row.direction === 'D' ? `${column} desc` : column;
      }),
    ignored: first.ignored === 'YES',
    comment: first.comment,
  };
}

function makeForeignKeys(own: OwnRows, schema: string): ForeignKey[] {
  const byKey = Map.groupBy(own.foreignKeyColumns, (row) => row.name);
  return [...byKey.entries()]
    .map(([name, unsorted]) => {
      const rows = unsorted.toSorted((a, b) => Number(a.position) - Number(b.position));
      const [first] = rows as [ForeignKeyColumnRow];
      const rule = own.foreignKeyRules.get(name);
      return {
        name,
        columns: rows.map((row) => row.columnName),
        references: {
          schema: first.referencedSchema === schema ? null : first.referencedSchema,
          table: first.referencedTable,
          columns: rows.map((row) => row.referencedColumn),
        },
        onUpdate: rule?.onUpdate ?? '',
        onDelete: rule?.onDelete ?? '',
      };
    })
    .sort(byName);
}

/** A check of a column has the column's name; another one may have the same, so it gets a mark. */
function makeCheck(row: CheckRow, schema: string): Check {
  const mark = row.level.toLowerCase() === 'column' ? 'column ' : '';
  return { name: mark + row.name, clause: withoutOwnSchema(row.clause, schema) };
}

function byName(a: { name: string }, b: { name: string }): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

/** True when only SHOW CREATE TABLE describes the table in full. */
export function needsShowCreate(table: Table, row: TableRow): boolean {
  return (
    !isCommonEngine(table.engine) ||
    /\bpartitioned\b/.test(row.createOptions ?? '') ||
    table.indexes.some(({ kind }) => kind === 'VECTOR') ||
    // MariaDB: an application period shows up as a check of its two columns only (10.11).
    table.checks.some(({ clause }) => /^`(?:[^`]|``)+` < `(?:[^`]|``)+`$/.test(clause)) ||
    expressionsOf(table).some((text) => text.includes('????'))
  );
}

function expressionsOf(table: Table): string[] {
  return [
    ...table.checks.map(({ clause }) => clause),
    ...table.columns.flatMap((column) => [
      column.default ?? '',
      column.generated?.expression ?? '',
    ]),
  ];
}

/**
 * Columns whose default is a literal with a `?`: the server's own texts are utf8mb3, so that may
 * stand for a byte or a character that they cannot hold.
 */
export function columnsWithDoubtfulDefault(table: Table): Column[] {
  return table.columns.filter(
    (column) => column.default?.startsWith("'") === true && column.default.includes('?'),
  );
}
