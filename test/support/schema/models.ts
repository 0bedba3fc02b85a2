/** Small models for tests that need no server. */
import type {
  Column,
  Index,
  SchemaModel,
  SchemaObject,
  StoredObject,
  Table,
} from '../../../src/schema/model.ts';

export function columnOf(name: string, type: string, more: Partial<Column> = {}): Column {
  return {
    name,
    type,
    nullable: true,
    default: 'NULL',
    extra: '',
    charset: null,
    collation: null,
    generated: null,
    comment: '',
    ...more,
  };
}

export function indexOf(
  name: string,
  columns: readonly string[],
  more: Partial<Index> = {},
): Index {
  return { name, unique: false, kind: 'BTREE', columns, ignored: false, comment: '', ...more };
}

export function tableOf(name: string, more: Partial<Table> = {}): Table {
  return {
    kind: 'table',
    name,
    engine: 'InnoDB',
    charset: 'utf8mb4',
    collation: 'utf8mb4_unicode_ci',
    comment: '',
    options: [],
    columns: [columnOf('id', 'bigint(20)', { nullable: false, default: null })],
    indexes: [indexOf('PRIMARY', ['id'], { unique: true })],
    foreignKeys: [],
    checks: [],
    partitioning: null,
    systemVersioned: false,
    ...more,
  };
}

export function codeOf(
  kind: StoredObject['kind'],
  name: string,
  definition: string,
  attributes: Readonly<Record<string, string>> = {},
): StoredObject {
  return { kind, name, definition, attributes };
}

export function modelOf(...objects: SchemaObject[]): SchemaModel {
  return {
    charset: 'utf8mb4',
    collation: 'utf8mb4_unicode_ci',
    objects: new Map(objects.map((object) => [`${object.kind}:${object.name}` as const, object])),
  };
}
