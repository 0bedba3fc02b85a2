import { compareVersions } from '../history/versions.ts';
import type { ObjectKey } from '../schema/model.ts';
import { type Check, type CheckInput, makeFinding } from './finding.ts';

const name = 'old-tables';

/** A table that a migration renamed or dropped and that is still there may hold rows that were left behind. */
export const oldTablesCheck: Check = {
  name,
  asks: 'Are there tables that no longer belong to this version?',
  run(input) {
    const { expected, actual } = input;
    const extra = [...actual.objects]
      .filter(([key, { kind }]) => kind === 'table' && !expected.objects.has(key as ObjectKey))
      .map(([, object]) => object.name);
    const formerly = tablesOfMigrations(input);
    return extra.map((table) => {
      const migration = formerly.get(table);
      if (migration === undefined)
        return makeFinding(name, 'info', {
          about: table,
          message: `table ${table} belongs to nothing that this version knows`,
          advice: 'nothing needs to be done: it is backed up and left alone',
        });
      return makeFinding(name, 'warning', {
        about: table,
        message: `table ${table} is still there, and this version has it no longer (migration ${migration})`,
        advice: 'see whether its rows were taken over; a migration can drop it',
      });
    });
  },
};

/** The last migration up to the required version that changes a table, by the table's name. */
function tablesOfMigrations({ folder, requiredVersion }: CheckInput): ReadonlyMap<string, number> {
  const tables = new Map<string, number>();
  for (const { number, version, up } of folder.migrations) {
    if (compareVersions(version, requiredVersion) > 0) continue;
    for (const { classification } of up.statements)
      for (const table of classification.tables ?? []) tables.set(table, number);
  }
  return tables;
}
