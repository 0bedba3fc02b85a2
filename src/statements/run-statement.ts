import type { Db, Row } from '../database/connect.ts';
import type { Classification } from './statement.ts';

const MAINTENANCE = /^(?:ANALYZE|CHECK|OPTIMIZE|REPAIR) TABLE$/;

/**
 * Runs one statement of a file and gives the number of rows that it affected.
 *
 * @throws the server's error; also the one that OPTIMIZE TABLE and its like only tell in a row of
 *   their result, while the statement itself counts as successful
 */
export async function runStatement(
  db: Db,
  { sql, classification }: { readonly sql: string; readonly classification: Classification },
): Promise<number> {
  if (!MAINTENANCE.test(classification.verb)) return (await db.run(sql)).affectedRows;
  const rows = await db.query(sql);
  const failed = rows.find((row) => /^error$/i.test(text(row, 'Msg_type')));
  if (failed !== undefined) throw toServerError(text(failed, 'Msg_text'));
  return 0;
}

function text(row: Row, column: string): string {
  const value = row[column];
  return Buffer.isBuffer(value) ? value.toString() : String(value ?? '');
}

/** The row has no number: only the two that matter are told by their words. */
function toServerError(message: string): Error {
  const known = /^Lock wait timeout exceeded/.test(message)
    ? { errno: 1205, code: 'ER_LOCK_WAIT_TIMEOUT' }
    : /^Deadlock found/.test(message)
      ? { errno: 1213, code: 'ER_LOCK_DEADLOCK' }
      : { code: 'ER_ADMIN_WRONG_RESULT' };
  return Object.assign(new Error(message), known);
}
