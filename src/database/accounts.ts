import type { Db } from './connect.ts';
import { isMissingRight } from './server-errors.ts';

/**
 * Which of `accounts` (`name@host`, or the name of a role) the server does not have. Empty as well
 * when this account may not read the server's accounts: then nobody can tell. Reads only.
 */
export async function findMissingAccounts(db: Db, accounts: readonly string[]): Promise<string[]> {
  if (accounts.length === 0) return [];
  try {
    const rows = await db.query<{ account: string }>(
      "SELECT IF(host = '', user, CONCAT(user, '@', host)) AS account FROM mysql.global_priv",
    );
    const known = new Set(rows.map(({ account }) => account));
    return accounts.filter(
      (account) => !known.has(account) && !known.has(account.replace(/@$/, '')),
    );
  } catch (error) {
    if (isMissingRight(error)) return [];
    throw error;
  }
}
