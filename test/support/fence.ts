/** The procedures of docker/db/fence.sql on a test's server, and what the fence touches. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Db } from '../../src/database/connect.ts';
import type { TestServer } from './server.ts';

const file = path.resolve(import.meta.dirname, '../../docker/db/fence.sql');

/** Runs the file as an administrator does, with the server's own client. */
export function installFence(server: TestServer): void {
  const client = [`--socket=${server.address.socketPath}`, '--user=root'];
  execFileSync('mariadb', client, { input: readFileSync(file) });
}

/** Everything that the fence touches, as it is now: accounts whose names begin with `app`, and events. */
export async function readDoors(db: Db, database: string): Promise<Record<string, string>> {
  const accounts = await db.query<{ name: string; state: string }>(
    `SELECT CONCAT(user, '@', host) AS name, IFNULL(JSON_VALUE(priv, '$.account_locked'), '0') AS state
     FROM mysql.global_priv WHERE user LIKE 'app%' ORDER BY 1`,
  );
  const events = await db.query<{ name: string; state: string }>(
    `SELECT event_name AS name, CONCAT_WS(' ', status, definer, event_definition) AS state
     FROM information_schema.events WHERE event_schema = '${database}' ORDER BY 1`,
  );
  const states = [...accounts, ...events].map(({ name, state }) => [name, state]);
  return Object.fromEntries(states.map(([name, state]) => [name, state === '' ? '0' : state]));
}
