/**
 * What a migration that is not critical must leave as it was when it is taken back (DESIGN §5):
 * the structure of the whole database, and the rows of all tables that it may have changed.
 */
import { hashTables } from '../database/value-hash.ts';
import type { ClassifiedStatement, Migration } from '../migrations/migration.ts';
import { touchedBy } from '../migrations/touched.ts';
import type { SchemaModel } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { openConnection, type RunContext } from './context.ts';
import { structureDigest } from './look.ts';

/**
 * Gives structure and rows as one text to compare. Rows are only read for a migration that may
 * change some: an index that is not critical costs no reading of its table. Reads only, on a
 * connection of its own.
 */
export async function readState(context: RunContext, migration: Migration): Promise<string> {
  const { name } = context.config.database;
  const reader = await openConnection(context);
  try {
    const model = await readSchema(reader, name);
    const hashes = await hashTables(reader, name, tablesWithRows(model, migration));
    return JSON.stringify([structureDigest(model), ...hashes]);
  } finally {
    await reader.close();
  }
}

/**
 * The tables whose rows the migration may change, by name: those that its files name, and with
 * them all that triggers, routines and foreign keys lead to. Errs towards too many. Pure.
 */
export function tablesWithRows(model: SchemaModel, migration: Migration): readonly string[] {
  const { up, down, data } = migration;
  const statements = [...up.statements, ...(down?.statements ?? [])];
  if (data === null && !statements.some(changesRows)) return [];
  const isHidden =
    data !== null || statements.some(({ classification }) => classification.class === 'opaque');
  let touched = isHidden
    ? model
    : touchedBy(
        model,
        statements.map(({ sql }) => sql),
      );
  // A cascade goes on from table to table.
  for (let size = 0; !isHidden && size < touched.objects.size; ) {
    size = touched.objects.size;
    touched = touchedBy(
      model,
      [...touched.objects.values()].map(({ name }) => name),
    );
  }
  const tables = [...touched.objects.values()].filter(({ kind }) => kind === 'table');
  return tables.map(({ name }) => name).sort();
}

function changesRows({ sql, classification }: ClassifiedStatement): boolean {
  const { class: kind, destroysData } = classification;
  if (kind === 'session') return false;
  // Tables that change their names or their partitions exchange their rows.
  return kind !== 'ddl' || destroysData || /\b(?:rename|exchange)\b/i.test(sql);
}
