/**
 * The two ways to keep accounts out: with rights of this account, of which CREATE USER is as good as
 * root, or by the procedures of docker/db/fence.sql, for which EXECUTE is enough. The procedures
 * know only the accounts that an administrator has named in `deploy_fence.accounts`.
 */
import sql, { join, raw } from 'sql-template-tag';
import type { Db } from './connect.ts';
import type { FencedAccount } from './fence.ts';
import { type MissingRight, missingRights, needsOfFence } from './grants.ts';
import { killConnections } from './lock-threads.ts';
import { readRights, type ServerFacts } from './server.ts';
import { isMissingRight } from './server-errors.ts';

/** The account of the server, and whether it is locked now. */
type AccountState = {
  readonly user: string;
  readonly host: string;
  readonly locked: string | null;
};
type Name = Pick<FencedAccount, 'user' | 'host'>;

/** How the fence speaks to the server. What is refused rejects with the server's own error. */
export type FenceWay = {
  /** Accounts with one of the names, on all their hosts; roles are none. */
  list(db: Db, users: readonly string[]): Promise<AccountState[]>;
  switch(db: Db, account: Name, to: 'LOCK' | 'UNLOCK'): Promise<void>;
  /** Whether `sessions` shows those of others: the process list has no error for a missing right. */
  seesSessions(db: Db): Promise<boolean>;
  /** Connections of the users, without this one. */
  sessions(db: Db, users: readonly string[]): Promise<number[]>;
  /** Ends connections, and gives those that may not be ended. */
  kill(db: Db, ids: readonly number[]): Promise<number[]>;
};

/** The rights that neither way has; empty when one of them is there. */
export async function missingFenceRights(
  db: Db,
  server: Pick<ServerFacts, 'grants' | 'currentUser' | 'serverVersion'>,
): Promise<MissingRight[]> {
  const missing = missingRights(server, needsOfFence());
  return missing.length > 0 && (await hasProcedures(db)) ? [] : missing;
}

/** The way for this account. Without rights for either the first: its errors name what is missing. */
export async function findFenceWay(db: Db): Promise<FenceWay> {
  const missing = missingRights(await readRights(db), needsOfFence());
  return missing.length > 0 && (await hasProcedures(db)) ? byProcedures : byRights;
}

/** With rights of this account (grants.ts `needsOfFence`). */
export const byRights: FenceWay = {
  list: (db, users) =>
    // The column also holds password hashes: only the one flag is read.
    db.query<AccountState>(
      sql`SELECT user, host, JSON_VALUE(priv, '$.account_locked') AS locked FROM mysql.global_priv
          WHERE user IN (${join([...users])}) AND JSON_VALUE(priv, '$.is_role') IS NULL
          ORDER BY user, host`,
    ),
  switch: async (db, account, to) =>
    void (await db.run(sql`ALTER USER ${raw(accountText(account))} ACCOUNT ${raw(to)}`)),
  async seesSessions(db) {
    try {
      // This table has an error for the right.
      await db.query('SELECT trx_id FROM information_schema.innodb_trx LIMIT 1');
      return true;
    } catch (error) {
      if (isMissingRight(error)) return false;
      throw error;
    }
  },
  async sessions(db, users) {
    const rows = await db.query<{ id: string }>(
      sql`SELECT id FROM information_schema.processlist
          WHERE user IN (${join([...users])}) AND id <> CONNECTION_ID()`,
    );
    return rows.map(({ id }) => Number(id));
  },
  // By number: KILL USER without the right reports success and kills nobody.
  kill: (db, ids) => killConnections(db, ids),
};

const byProcedures: FenceWay = {
  async list(db, users) {
    const rows = await db.query<AccountState>('CALL deploy_fence.list_accounts()');
    return rows.filter(({ user }) => users.includes(user));
  },
  switch: async (db, { user, host }, to) =>
    void (await db.run(sql`CALL deploy_fence.switch_account(${user}, ${host}, ${to})`)),
  seesSessions: async () => true,
  async sessions(db, users) {
    const rows = await db.query<{ id: string; user: string }>('CALL deploy_fence.list_sessions()');
    return rows.filter(({ user }) => users.includes(user)).map(({ id }) => Number(id));
  },
  kill: (db, ids) => killConnections(db, ids, (id) => sql`CALL deploy_fence.kill_session(${id})`),
};

/** The server shows a routine only to who may run it. */
async function hasProcedures(db: Db): Promise<boolean> {
  const names = ['list_accounts', 'switch_account', 'list_sessions', 'kill_session'];
  const rows = await db.query(
    sql`SELECT routine_name FROM information_schema.routines
        WHERE routine_schema = 'deploy_fence' AND routine_name IN (${join(names)})`,
  );
  return rows.length === names.length;
}

/** An account as backtick names: unlike string literals these mean the same in every sql_mode. */
export function accountText({ user, host }: Name): string {
  const quote = (part: string) => `\`${part.replaceAll('`', '``')}\``;
  return `${quote(user)}@${quote(host)}`;
}
