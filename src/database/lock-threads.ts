/** The connections of a lock's holder as the server sees them, and how they are ended. */
import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from './connect.ts';
import type { LockFacts } from './lock-table.ts';
import { isKillDenied, isNoSuchThread } from './server-errors.ts';

/** What is known of the threads of a holder whose lease has expired. */
export type HolderThreads = {
  /** `unknown`: the account may not see it (another account's thread, no PROCESS right). */
  readonly working: 'idle' | 'busy' | 'unknown';
  /** A connection of the holder besides the working one is still open. */
  readonly othersOpen: boolean;
};

/** Looks at the threads of the holder. Sees those of other accounts only with the PROCESS right. */
export async function readHolderThreads(db: Db, facts: LockFacts): Promise<HolderThreads> {
  const commands = await readCommands(db, [facts.connectionId, ...facts.otherConnections]);
  const working = commands.get(facts.connectionId);
  return {
    working: working === undefined ? 'unknown' : working === 'Sleep' ? 'idle' : 'busy',
    othersOpen: facts.otherConnections.some((id) => commands.has(id)),
  };
}

/** Those of the given connections that are still there, as far as the account may see them. */
export async function stillOpen(db: Db, ids: readonly number[]): Promise<number[]> {
  return [...(await readCommands(db, ids)).keys()];
}

/**
 * Ends connections. One that is gone already is fine: connection numbers are not used twice while
 * the server runs. Needs no right for the account's own connections, for those of others
 * CONNECTION ADMIN.
 *
 * @param statement another than KILL CONNECTION, for an account that may not
 * @returns those that this account may not end
 */
export async function killConnections(
  db: Db,
  ids: readonly number[],
  statement: (id: number) => Sql = (id) => sql`KILL CONNECTION ${id}`,
): Promise<number[]> {
  const denied: number[] = [];
  for (const id of new Set(ids)) {
    if (id === db.id || id <= 0) continue;
    try {
      await db.run(statement(id));
    } catch (error) {
      if (isKillDenied(error)) denied.push(id);
      else if (!isNoSuchThread(error)) throw error;
    }
  }
  return denied;
}

/** What an administrator has to run when this account may not. */
export function killStatements(ids: readonly number[]): string[] {
  return ids.map((id) => `KILL CONNECTION ${id};`);
}

async function readCommands(db: Db, ids: readonly number[]): Promise<Map<number, string>> {
  const others = ids.filter((id) => id !== db.id);
  if (others.length === 0) return new Map();
  const rows = await db.query<{ id: string; command: string }>(
    sql`SELECT id AS id, command AS command FROM information_schema.processlist WHERE id IN (${join(others)})`,
  );
  return new Map(rows.map(({ id, command }) => [Number(id), command]));
}
