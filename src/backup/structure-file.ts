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

/**
 * The session in which structure and rows are loaded: everything that could refuse or change
 * what the source has is off. Checks were made when the rows were first written.
 */
export const LOADING_SESSION: readonly string[] = [
  'SET NAMES utf8mb4',
  `SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', time_zone='+00:00', foreign_key_checks=0,` +
    ' check_constraint_checks=0, innodb_strict_mode=0,' +
    ' auto_increment_increment=1, auto_increment_offset=1',
];

/**
 * Reads the CREATE statements of all sequences and tables. `db` must have the schema as default
 * database, and the tables must not change meanwhile (see `source.ts`).
 *
 * Sequences come first because defaults use them. Their state is written as a row, which also
 * carries the number of cycles; SETVAL can neither set that nor go down.
 */
export async function readStructureSections(
  db: Db,
  list: TableList,
  states: readonly SequenceState[],
): Promise<Section[]> {
  const sections: Section[] = [];
  for (const { name, state } of states) {
    const values = Object.values(state).join(', ');
    const create = await readCreate(db, 'SEQUENCE', name);
    const fill = `INSERT INTO ${quoteNameText(name)} VALUES (${values})`;
    sections.push({ key: `sequence:${name}`, statements: [create, fill] });
  }
  for (const { name } of list.tables) {
    sections.push({ key: `table:${name}`, statements: [await readCreate(db, 'TABLE', name)] });
  }
  return sections;
}

/** What a stock client has to do before the sections: also gives the database its defaults. */
export function structurePrologue(defaults: SchemaDefaults): Section {
  return {
    key: null,
    statements: [...LOADING_SESSION, `ALTER DATABASE ${schemaAttributes(defaults)}`],
  };
}
