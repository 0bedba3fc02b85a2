/**
 * A schema as text, for `schema dump`: the same structure is always the same text, whatever the
 * order in which it was made. What moves by itself (AUTO_INCREMENT, statistics) is not in it. Pure.
 */
import type { Column, ForeignKey, Index, SchemaModel, StoredObject, Table } from './model.ts';
import { withoutDefaultWidth } from './normalise.ts';

/** One block of lines for each object, in the order of their keys. Ends with a newline. */
export function renderSchema(model: SchemaModel): string {
  const { charset, collation, comment = '' } = model;
  const blocks = [...model.objects]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, object]) => (object.kind === 'table' ? renderTable(object) : renderCode(object)));
  const head = [`database ${charset} ${collation}${noteOf(comment)}`];
  return [head, ...blocks].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

function renderTable(table: Table): string[] {
  const facts = [
    table.engine,
    table.collation ?? '',
    ...table.options.toSorted(),
    table.systemVersioned ? 'system versioned' : '',
  ].filter((fact) => fact !== '');
  const parts = [
    `  ${facts.join(', ')}${noteOf(table.comment)}`,
    // The order of columns is structure: SELECT * and INSERT without names depend on it.
    ...table.columns.map(renderColumn),
    ...table.indexes.map(renderIndex).sort(),
    ...table.foreignKeys.map(renderForeignKey).sort(),
    ...table.checks.map(({ name, clause }) => `  check ${name} (${clause})`).sort(),
    ...(table.partitioning === null ? [] : [`  ${table.partitioning}`]),
  ];
  return [`table ${table.name}`, ...parts.map(onOneLine)];
}

function renderColumn(column: Column): string {
  const { generated } = column;
  const parts = [
    withoutDefaultWidth(column.type),
    column.collation ?? '',
    column.nullable ? 'null' : 'not null',
    column.default === null ? '' : `default ${column.default}`,
    generated === null
      ? ''
      : `${generated.stored ? 'stored' : 'virtual'} as (${generated.expression})`,
    column.extra,
  ].filter((part) => part !== '');
  return `  column ${column.name} ${parts.join(' ')}${noteOf(column.comment)}`;
}

function renderIndex({ name, unique, kind, columns, ignored, comment }: Index): string {
  const marks = `${unique ? 'unique ' : ''}${kind.toLowerCase()}${ignored ? ' ignored' : ''}`;
  return `  index ${name} ${marks} (${columns.join(', ')})${noteOf(comment)}`;
}

function renderForeignKey({ name, columns, references, onUpdate, onDelete }: ForeignKey): string {
  const { schema, table } = references;
  const target = schema === null ? table : `${schema}.${table}`;
  const rules = `on update ${onUpdate.toLowerCase()} on delete ${onDelete.toLowerCase()}`;
  return `  foreign key ${name} (${columns.join(', ')}) to ${target} (${references.columns.join(', ')}) ${rules}`;
}

function renderCode({ kind, name, definition, attributes }: StoredObject): string[] {
  const facts = Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([attribute, value]) => onOneLine(`  ${attribute} ${value}`));
  const text = definition.split(/\r\n|\r|\n/).map((line) => `  | ${line}`.trimEnd());
  return [`${kind} ${name}`, ...facts, ...text];
}

function noteOf(comment: string): string {
  return comment === '' ? '' : ` comment ${JSON.stringify(comment)}`;
}

function onOneLine(text: string): string {
  return text.replaceAll(/\r\n|\r|\n/g, '\\n');
}
