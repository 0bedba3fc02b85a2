import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import {
  readCreate,
  type SchemaDefaults,
  type SequenceState,
  schemaAttributes,
  type TableList,
} from './read-tables.ts';
import type { Section } from './section-file.ts';
import { splitTableText } from './table-text.ts';

/**
 * The session in which structure and rows are loaded: everything that could refuse or change
 * what the source has is off. Checks were made when the rows were first written.
 */
export const LOADING_SESSION: readonly string[] = [
  'SET NAMES utf8mb4',
  // Without ALLOW_INVALID_DATES, 2023-02-31 would become 0000-00-00.
  `SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone='+00:00',` +
    ' autocommit=1, foreign_key_checks=0, unique_checks=1, check_constraint_checks=0,' +
    ' innodb_strict_mode=0, auto_increment_increment=1, auto_increment_offset=1',
];

/** The sections of `structure.sql` and of `keys.sql`. */
export type Structure = { readonly tables: readonly Section[]; readonly keys: readonly Section[] };

/**
 * Reads the CREATE statements of all sequences and tables, and what is added to the tables when
 * their rows are there: `keys of:…` of each table, and the foreign keys of all after them. `db` must have
 * the schema as default database, and the tables must not change meanwhile (see `source.ts`).
 *
 * Sequences come first because defaults use them. Their state is written as a row, which also
 * carries the number of cycles; SETVAL can neither set that nor go down.
 */
export async function readStructure(
  db: Db,
  list: TableList,
  states: readonly SequenceState[],
): Promise<Structure> {
  const tables: Section[] = [];
  const keys: Section[] = [];
  const foreignKeys: Section[] = [];
  for (const { name, state } of states) {
    const values = Object.values(state).join(', ');
    const create = await readCreate(db, 'SEQUENCE', name);
    const fill = `INSERT INTO ${quoteNameText(name)} VALUES (${values})`;
    tables.push({ key: `sequence:${name}`, statements: [create, fill] });
  }
  for (const { name } of list.tables) {
    const text = splitTableText(name, await readCreate(db, 'TABLE', name));
    tables.push({ key: `table:${name}`, statements: [text.create] });
    if (text.addKeys !== null) keys.push({ key: `keys of:${name}`, statements: [text.addKeys] });
    if (text.addForeignKeys !== null) {
      foreignKeys.push({ key: `foreign keys of:${name}`, statements: [text.addForeignKeys] });
    }
  }
  return { tables, keys: [...keys, ...foreignKeys] };
}

/** What a stock client has to do before the sections: also gives the database its defaults. */
export function structurePrologue(defaults: SchemaDefaults): Section {
  return {
    key: null,
    statements: [...LOADING_SESSION, `ALTER DATABASE ${schemaAttributes(defaults)}`],
  };
}
