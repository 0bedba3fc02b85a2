import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { isDeployTable, qualified, quoteNameText } from '../database/identifier.ts';

/** What a schema stores rows in, by name, without the tables of this program itself. */
export type TableList = {
  readonly tables: readonly StoredTable[];
  readonly sequences: readonly string[];
};

export type StoredTable = {
  readonly name: string;
  readonly engine: string;
  /** The next value as text, or null when the table has no such column. */
  readonly autoIncrement: string | null;
  readonly systemVersioned: boolean;
  /** Of its rows without secondary keys, as the server estimates it. */
  readonly dataBytes: number;
};

export type SequenceState = { readonly name: string; readonly state: Record<string, string> };

/** Reads the base tables and sequences of `schema` in one query. Views are not among them. */
export async function readTableList(db: Db, schema: string): Promise<TableList> {
  const rows = await db.query<{
    name: string;
    type: string;
    engine: string;
    next: string | null;
    bytes: string | null;
  }>(
    sql`SELECT table_name AS name, table_type AS type, engine, auto_increment AS next,
          data_length AS bytes
        FROM information_schema.tables
        WHERE table_schema = ${schema} AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
        ORDER BY table_name`,
  );
  const own = rows.filter(({ name }) => !isDeployTable(name));
  return {
    tables: own
      .filter(({ type }) => type !== 'SEQUENCE')
      .map(({ name, type, engine, next, bytes }) => ({
        name,
        engine: engine ?? '',
        autoIncrement: next === null ? null : String(next),
        systemVersioned: type === 'SYSTEM VERSIONED',
        dataBytes: Number(bytes ?? 0),
      })),
    sequences: own.filter(({ type }) => type === 'SEQUENCE').map(({ name }) => name),
  };
}

/** The whole row of each sequence: what is handed out next, and how often it went round. */
export async function readSequenceStates(
  db: Db,
  schema: string,
  names: readonly string[],
): Promise<SequenceState[]> {
  const states: SequenceState[] = [];
  for (const name of names) {
    const row = await db.one(sql`SELECT * FROM ${qualified(schema, name)}`);
    const state = Object.entries(row ?? {}).map(([key, value]) => [key, String(value)]);
    states.push({ name, state: Object.fromEntries(state) });
  }
  return states;
}

/**
 * SHOW CREATE of one table or sequence. The connection's default database must be `schema`: only
 * then are foreign keys within it written without its name, and follow the table into another
 * schema and back.
 */
export async function readCreate(
  db: Db,
  kind: 'TABLE' | 'SEQUENCE',
  name: string,
): Promise<string> {
  const row = await db.one(`SHOW CREATE ${kind} ${quoteNameText(name)}`);
  return String(row?.['Create Table']);
}

/** What a schema gives to tables that say nothing else, and its comment. */
export type SchemaDefaults = {
  readonly charset: string;
  readonly collation: string;
  readonly comment: string;
};

/** The schema's own attributes; undefined when it does not exist. */
export function readSchemaDefaults(db: Db, schema: string): Promise<SchemaDefaults | undefined> {
  return db.one<SchemaDefaults>(
    sql`SELECT default_character_set_name AS charset, default_collation_name AS collation,
          schema_comment AS comment
        FROM information_schema.schemata WHERE schema_name = ${schema}`,
  );
}

/**
 * `CHARACTER SET … COLLATE … COMMENT …` for CREATE DATABASE and ALTER DATABASE, in a session in which
 * a backslash escapes. The server takes no other literal than a string here. Pure.
 */
export function schemaAttributes({ charset, collation, comment }: SchemaDefaults): string {
  const text = comment.replaceAll('\\', '\\\\').replaceAll("'", "''");
  return `CHARACTER SET ${charset} COLLATE ${collation} COMMENT '${text}'`;
}
