/**
 * Keeps the application's accounts out while the database changes: locks the accounts, ends their
 * sessions, and unlocks them again. Nothing on the server tells who locked an account, so the
 * caller records what `listAccounts` gave, committed, before it closes the fence.
 *
 * What a lock does not stop: views and routines whose definer is locked go on to work, and events
 * go on to fire (events.ts disables those), replication goes on to apply.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import sql from 'sql-template-tag';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { accountText, byRights, type FenceWay, findFenceWay } from './fence-way.ts';
import { killStatements } from './lock-threads.ts';
import { isMissingRight, isNoSuchAccount, toDeployError } from './server-errors.ts';

/** An account of FENCE_USERS: `'app'@'%'` and `'app'@'localhost'` are two. */
export type FencedAccount = {
  readonly user: string;
  readonly host: string;
  /** An administrator had locked it before: it stays locked. */
  readonly wasLocked: boolean;
};

/**
 * The accounts of the given user names, on all their hosts, with their present state. Roles are left
 * out: they cannot be locked and nobody logs in as one.
 *
 * @throws DeployError `RIGHT_MISSING` without SELECT on mysql.global_priv
 */
export async function listAccounts(db: Db, users: readonly string[]): Promise<FencedAccount[]> {
  if (users.length === 0) return [];
  try {
    const rows = await (await findFenceWay(db)).list(db, users);
    return rows.map(({ user, host, locked }) => ({ user, host, wasLocked: locked === '1' }));
  } catch (error) {
    throw toDeployError(error, 'the state of the accounts in FENCE_USERS could not be read');
  }
}

/**
 * Locks the accounts, one statement each (one statement for all would lock the first ones and then
 * fail), and kills their sessions until none is left. Safe to repeat. Sessions that were open are
 * cut off: what they had not committed is rolled back. An account that is gone by now is left out.
 *
 * @throws DeployError `RIGHT_MISSING`; `CONFIG_INVALID` when one of them is this program's own
 *   account; `QUERY_FAILED` when sessions are still there after `limitMs`
 */
export async function closeFence(
  db: Db,
  accounts: readonly FencedAccount[],
  options: { readonly limitMs?: number } = {},
): Promise<void> {
  if (accounts.length === 0) return;
  await refuseOwnAccount(db, accounts);
  const way = await findFenceWay(db);
  await assertSeesSessions(db, way);
  for (const account of accounts) {
    if (account.wasLocked) continue;
    try {
      await way.switch(db, account, 'LOCK');
    } catch (error) {
      if (isNoSuchAccount(error) && (await isGone(db, way, account))) continue;
      throw toDeployError(error, `the account ${words(account)} could not be locked`);
    }
  }
  await endSessions(db, way, accounts, options.limitMs ?? 60_000);
}

/**
 * Unlocks the accounts that the fence had locked; those an administrator had locked stay so. An
 * account that is gone by now is left out. Goes on after a failure and throws the first one.
 *
 * @throws DeployError `RIGHT_MISSING`, …
 */
export async function openFence(db: Db, accounts: readonly FencedAccount[]): Promise<void> {
  let first: DeployError | undefined;
  if (accounts.length === 0) return;
  const way = await findFenceWay(db);
  for (const account of accounts) {
    if (account.wasLocked) continue;
    try {
      await way.switch(db, account, 'UNLOCK');
    } catch (error) {
      if (isNoSuchAccount(error)) continue;
      first ??= notOpened(error, account, accounts);
    }
  }
  if (first !== undefined) throw first;
}

/** The server has one error for an account that is not there and for one that it could not change. */
async function isGone(db: Db, way: FenceWay, { user, host }: FencedAccount): Promise<boolean> {
  return !(await way.list(db, [user])).some((account) => account.host === host);
}

/** Without the right, an administrator has to let them in: the application is out until then. */
function notOpened(
  error: unknown,
  account: FencedAccount,
  accounts: readonly FencedAccount[],
): DeployError {
  const what = `the account ${words(account)} could not be unlocked`;
  if (!isMissingRight(error)) return toDeployError(error, what);
  const next = [
    `let an administrator run: ${unfenceStatements(accounts).join(' ')}`,
    'or give the right back that this account had when it locked them (docs/runbook.md, Fence)',
    'then: deploy up',
  ];
  return new DeployError('RIGHT_MISSING', what, { cause: error, next });
}

/** What `deploy unfence` does, as statements for an administrator. */
export function unfenceStatements(accounts: readonly FencedAccount[]): string[] {
  return accounts
    .filter(({ wasLocked }) => !wasLocked)
    .map((account) => `ALTER USER ${accountText(account)} ACCOUNT UNLOCK;`);
}

export type ForeignSession = {
  readonly id: number;
  readonly user: string;
  /** Without the port. */
  readonly host: string;
  /** e.g. `Sleep`, `Query`. */
  readonly command: string;
  /** In that state for so long. */
  readonly seconds: number;
};

/**
 * The sessions in the database that are not this program's, that is: not of this account from this
 * host. `unknown` when none is seen and the account could not see those of others (no PROCESS).
 */
export async function foreignSessions(
  db: Db,
  database: string,
): Promise<ForeignSession[] | 'unknown'> {
  const rows = await db.query<{
    id: string;
    user: string;
    host: string;
    command: string;
    seconds: string;
  }>(sql`SELECT other.id AS id, other.user AS user, SUBSTRING_INDEX(other.host, ':', 1) AS host,
      other.command AS command, other.time AS seconds
    FROM information_schema.processlist other
    JOIN information_schema.processlist own ON own.id = CONNECTION_ID()
    WHERE other.db = ${database} AND other.user NOT IN ('system user', 'event_scheduler')
      AND NOT (other.user = own.user
        AND SUBSTRING_INDEX(other.host, ':', 1) = SUBSTRING_INDEX(own.host, ':', 1))`);
  if (rows.length === 0 && !(await byRights.seesSessions(db))) return 'unknown';
  return rows.map((row) => ({ ...row, id: Number(row.id), seconds: Number(row.seconds) }));
}

async function refuseOwnAccount(db: Db, accounts: readonly FencedAccount[]): Promise<void> {
  const row = await db.one<{ account: string }>('SELECT CURRENT_USER() AS account');
  const own = accounts.find(({ user, host }) => `${user}@${host}` === row?.account);
  if (own === undefined) return;
  // Locked, it could open no further connection, and only root could unlock it.
  throw new DeployError(
    'CONFIG_INVALID',
    `FENCE_USERS names this program's own account ${words(own)}`,
    {
      next: ['give this program an account of its own, or take the name out of FENCE_USERS'],
    },
  );
}

async function assertSeesSessions(db: Db, way: FenceWay): Promise<void> {
  if (await way.seesSessions(db)) return;
  throw new DeployError(
    'RIGHT_MISSING',
    'the sessions of other accounts cannot be seen, so nobody knows whether they ended',
    { next: ['let an administrator run: GRANT PROCESS ON *.* TO the account of this program'] },
  );
}

async function endSessions(
  db: Db,
  way: FenceWay,
  accounts: readonly FencedAccount[],
  limitMs: number,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  const users = [...new Set(accounts.map(({ user }) => user))];
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const ids = await way.sessions(db, users);
    if (ids.length === 0) return;
    const denied = await way.kill(db, ids);
    if (denied.length > 0) {
      throw new DeployError('RIGHT_MISSING', 'sessions of the fenced accounts may not be ended', {
        next: [
          'let an administrator run: GRANT CONNECTION ADMIN ON *.* TO the account of this program',
        ],
        facts: { connectionIds: denied },
      });
    }
    if (performance.now() > deadline) {
      throw new DeployError('QUERY_FAILED', 'sessions of the fenced accounts do not end', {
        next: [`let an administrator end them: ${killStatements(ids).join(' ')}`],
        facts: { connectionIds: ids },
      });
    }
    await sleep(pauseMs);
  }
}

function words({ user, host }: FencedAccount): string {
  return `'${user}'@'${host}'`;
}
