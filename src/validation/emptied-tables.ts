import sql from 'sql-template-tag';
import { isDeployTable } from '../database/identifier.ts';
import { findEmptyTables } from './empty-tables.ts';
import { type Check, makeFinding } from './finding.ts';

const name = 'emptied-tables';

/**
 * An empty table whose next number is not the first had rows once. So 609 rows of Bamort went by
 * a cascade and nobody noticed.
 */
export const emptiedTablesCheck: Check = {
  name,
  asks: 'Is a table empty that once had rows?',
  async run({ db, database, masterdata }) {
    const rows = await db.query<{ name: string; next: string | number }>(
      sql`SELECT table_name AS name, auto_increment AS next FROM information_schema.tables
        WHERE table_schema = ${database} AND auto_increment > 1 ORDER BY table_name`,
    );
    const counted = rows.filter((row) => !isDeployTable(row.name));
    const tables = counted.map((row) => row.name);
    const empty = await findEmptyTables(db, database, tables);
    const isMasterdata = new Set(masterdata.map(({ table }) => table));
    return counted
      .filter((row) => empty.has(row.name))
      .map((row) =>
        makeFinding(name, isMasterdata.has(row.name) ? 'warning' : 'info', {
          about: row.name,
          message: `table ${row.name} is empty, and its next number is ${row.next}: it had rows once`,
          advice: 'see whether they were deleted on purpose; deploy backup list shows older sets',
        }),
      );
  },
};
