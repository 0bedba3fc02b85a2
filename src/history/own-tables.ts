/** Whether this program's own tables are still what they were made as: somebody may have changed them by hand. */
import sql, { join } from 'sql-template-tag';
import { DEPLOY_TABLES } from '../database/identifier.ts';
import type { Hold } from '../database/lock.ts';
import { DeployError } from '../errors/deploy-error.ts';

/** What every write and reading of the journal names. */
const JOURNAL_COLUMNS = `run_id seq epoch migration direction statement hash class structure_before
  structure_expected state begun_at ended_at counters table_ids`.split(/\s+/);

/**
 * Refuses tables in which a run could not be journalled exactly: an engine that cannot roll back
 * keeps an entry whose work is undone, and a column that is gone fails in the middle. Reads only.
 *
 * @throws DeployError `HISTORY_UNREADABLE` with what to do.
 */
export async function assertOwnTables({ db, database }: Hold): Promise<void> {
  const rows = await db.query<{ name: string; engine: string; columns: string }>(sql`
    SELECT t.table_name AS name, t.engine AS engine, GROUP_CONCAT(c.column_name) AS columns
    FROM information_schema.tables t
    JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name
    WHERE t.table_schema = ${database} AND t.table_name IN (${join([...DEPLOY_TABLES])})
    GROUP BY t.table_name, t.engine`);
  for (const { name, engine, columns } of rows) {
    if (engine !== 'InnoDB') {
      throw unreadable(database, name, `has the engine ${engine}, which cannot roll back`, [
        `ALTER TABLE ${name} ENGINE=InnoDB`,
        'then run the same command again',
      ]);
    }
    const present = new Set(columns.toLowerCase().split(','));
    const missing = JOURNAL_COLUMNS.filter((column) => !present.has(column));
    if (name === 'deploy_journal' && missing.length > 0) {
      throw unreadable(database, name, `has no column ${missing.join(', ')}`, [
        'DROP TABLE deploy_journal: it is made again, and a run that did not end is then put back',
        'then run the same command again',
      ]);
    }
  }
}

function unreadable(
  database: string,
  table: string,
  what: string,
  next: readonly string[],
): DeployError {
  return new DeployError('HISTORY_UNREADABLE', `the table ${table} ${what}`, {
    where: `${database}.${table}`,
    next,
  });
}
