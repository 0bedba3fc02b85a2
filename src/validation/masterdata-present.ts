import { findEmptyTables } from './empty-tables.ts';
import { type Check, makeFinding } from './finding.ts';

const name = 'masterdata';

/** Without its rules an application starts and works wrongly. A missing table is found by `structure`. */
export const masterdataCheck: Check = {
  name,
  asks: 'Does every table of master data have rows?',
  async run({ db, database, actual, masterdata }) {
    const present = masterdata.filter(({ table }) => actual.objects.has(`table:${table}`));
    const tables = present.map(({ table }) => table);
    const empty = await findEmptyTables(db, database, tables);
    return present
      .filter(({ table }) => empty.has(table))
      .map(({ table, entity }) =>
        makeFinding(name, 'error', {
          about: table,
          message: `table ${table} is empty: there are no ${entity}`,
          advice: 'deploy up syncs the master data (MASTERDATA=changed or always)',
        }),
      );
  },
};
