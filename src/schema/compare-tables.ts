/** Compares two tables of one name by what they mean. Pure. */
import type { Column, ForeignKey, Index, ObjectKey, SchemaDifference, Table } from './model.ts';
import { withoutDisplayWidth } from './normalise.ts';

/** The differences of a table, one for each column, index or key; see compare.ts for what counts. */
export function compareTables(key: ObjectKey, wanted: Table, found: Table): SchemaDifference[] {
  const columns = compareColumns(wanted, found);
  const parts = [
    ...columns,
    ...compareSets(
      'index',
      describeAll(wanted.indexes, describeIndex),
      describeAll(found.indexes, describeIndex),
    ),
    ...compareForeignKeys(wanted, found),
    ...compareSets('check', clauses(wanted), clauses(found)),
    ...compareProperties(wanted, found, columns.length > 0),
  ];
  return parts.map(({ kind, text }) => ({
    key,
    kind,
    message: `table ${wanted.name}: ${text}`,
    additive: kind === 'extra',
  }));
}

type Part = { readonly kind: SchemaDifference['kind']; readonly text: string };

function different(text: string): Part {
  return { kind: 'different', text };
}

function compareColumns(wanted: Table, found: Table): Part[] {
  // Column names have no case: `ID` is `id` on every server.
  const names = (table: Table) => new Map(table.columns.map((c) => [c.name.toLowerCase(), c]));
  const wantedByName = names(wanted);
  const foundByName = names(found);
  const parts: Part[] = [];
  for (const [name, column] of wantedByName) {
    const other = foundByName.get(name);
    const expected = `column ${column.name} ${describeColumn(column)} expected`;
    if (other === undefined) parts.push({ kind: 'missing', text: `${expected}, missing` });
    else if (meaningOf(column) !== meaningOf(other))
      parts.push(different(`${expected}, ${describeColumn(other)} found`));
  }
  for (const [name, column] of foundByName)
    if (!wantedByName.has(name))
      parts.push({
        kind: 'extra',
        text: `column ${column.name} ${describeColumn(column)} not expected`,
      });
  return parts;
}

/** A column as an admin would write it, without its comment. */
export function describeColumn(column: Column): string {
  const { generated } = column;
  return [
    column.type,
    column.collation === null ? '' : `collate ${column.collation}`,
    generated === null
      ? ''
      : `as (${generated.expression}) ${generated.stored ? 'stored' : 'virtual'}`,
    column.nullable ? '' : 'not null',
    column.default === null || column.default === 'NULL' ? '' : `default ${column.default}`,
    // A nullable column without any default refuses an INSERT that leaves it out.
    column.nullable && column.default === null && generated === null ? 'without default' : '',
    column.extra,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function meaningOf(column: Column): string {
  return describeColumn({ ...column, type: withoutDisplayWidth(column.type) });
}

/** An index without its name: what it covers and how. */
export function describeIndex(index: Index): string {
  if (index.name === 'PRIMARY') return `primary key (${index.columns.join(', ')})`;
  const kind = index.kind === 'BTREE' ? '' : ` ${index.kind.toLowerCase()}`;
  const ignored = index.ignored ? ' ignored' : '';
  return `${index.unique ? 'unique ' : ''}(${index.columns.join(', ')})${kind}${ignored}`;
}

function clauses(table: Table): string[] {
  return table.checks.map(({ clause }) => `(${clause})`);
}

function describeAll<T>(values: readonly T[], describe: (value: T) => string): string[] {
  return values.map(describe);
}

/** Compares two lists as sets: doubles do not count. */
function compareSets(title: string, wanted: readonly string[], found: readonly string[]): Part[] {
  const [wantedSet, foundSet] = [new Set(wanted), new Set(found)];
  return [
    ...[...wantedSet.difference(foundSet)].map(
      (text): Part => ({ kind: 'missing', text: `${title} ${text} expected, missing` }),
    ),
    ...[...foundSet.difference(wantedSet)].map(
      (text): Part => ({ kind: 'extra', text: `${title} ${text} not expected` }),
    ),
  ];
}

function compareForeignKeys(wanted: Table, found: Table): Part[] {
  const wantedRules = rulesByKey(wanted.foreignKeys);
  const foundRules = rulesByKey(found.foreignKeys);
  const changed = [...wantedRules].flatMap(([key, rules]) => {
    const other = foundRules.get(key);
    if (other === undefined || other === rules) return [];
    return [different(`foreign key ${key} ${rules} expected, ${other} found`)];
  });
  return [
    ...compareSets('foreign key', [...wantedRules.keys()], [...foundRules.keys()]),
    ...changed,
  ];
}

/** What happens to the rows, by `(columns) → table (columns)`. Keys that are there twice count once. */
function rulesByKey(keys: readonly ForeignKey[]): Map<string, string> {
  const byKey = Map.groupBy(keys, describeForeignKey);
  const describe = (key: ForeignKey) =>
    `on delete ${rule(key.onDelete)} on update ${rule(key.onUpdate)}`;
  return new Map(
    [...byKey].map(([text, same]) => [text, [...new Set(same.map(describe))].sort().join(' and ')]),
  );
}

/** A foreign key without its name and rules: `(columns) → table (columns)`. */
export function describeForeignKey({ columns, references }: ForeignKey): string {
  const schema = references.schema === null ? '' : `${references.schema}.`;
  const target = `${schema}${references.table} (${references.columns.join(', ')})`;
  return `(${columns.join(', ')}) → ${target}`;
}

/** InnoDB checks at once in both cases: NO ACTION is RESTRICT. */
function rule(action: string): string {
  return action === 'NO ACTION' ? 'restrict' : action.toLowerCase();
}

function compareProperties(wanted: Table, found: Table, columnsDiffer: boolean): Part[] {
  const parts: Part[] = [];
  const add = (title: string, want: string, have: string) => {
    if (want !== have) parts.push(different(`${title} ${want} expected, ${have} found`));
  };
  add('engine', wanted.engine, found.engine);
  // The default is for columns to come; those that are there have their own.
  if (columnsDiffer) add('collation', wanted.collation ?? 'none', found.collation ?? 'none');
  add('options', wanted.options.join(' ') || 'none', found.options.join(' ') || 'none');
  add('partitioning', wanted.partitioning ?? 'none', found.partitioning ?? 'none');
  const versioning = (table: Table) => (table.systemVersioned ? 'on' : 'off');
  add('system versioning', versioning(wanted), versioning(found));
  return parts;
}
