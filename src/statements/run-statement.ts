import type { Db, Row } from '../database/connect.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { ENCODING_REASON } from './classify-set.ts';
import type { Classification } from './statement.ts';

const ENCODING = /char(?:acter[\s_]+set|set)|collation_connection/i;
const MAINTENANCE = /^(?:ANALYZE|CHECK|OPTIMIZE|REPAIR) TABLE$/;

/**
 * Runs one statement of a file and gives the number of rows that it affected.
 *
 * @throws the server's error; also the one that OPTIMIZE TABLE and its like only tell in a row of
 *   their result, while the statement itself counts as successful; DeployError `STATEMENT_FORBIDDEN`
 *   when a SET took another encoding than utf8mb4 from a variable
 */
export async function runStatement(
  db: Db,
  { sql, classification }: { readonly sql: string; readonly classification: Classification },
): Promise<number> {
  if (!MAINTENANCE.test(classification.verb)) {
    const { affectedRows } = await db.run(sql);
    if (classification.verb === 'SET' && ENCODING.test(sql)) await assertEncoding(db);
    return affectedRows;
  }
  const rows = await db.query(sql);
  const failed = rows.find((row) => /^error$/i.test(text(row, 'Msg_type')));
  if (failed !== undefined) throw toServerError(text(failed, 'Msg_text'));
  return 0;
}

/** The next statement would be sent in that encoding, with `?` for what it has not. */
async function assertEncoding(db: Db): Promise<void> {
  const now = await db.one<Record<string, string | null>>(
    'SELECT @@character_set_client AS sent, @@character_set_connection AS meant, @@character_set_results AS got',
  );
  const isOther = (name: string | null | undefined) => name != null && name !== 'utf8mb4';
  if (Object.values(now ?? {}).some(isOther))
    throw new DeployError('STATEMENT_FORBIDDEN', `SET: ${ENCODING_REASON}`);
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
