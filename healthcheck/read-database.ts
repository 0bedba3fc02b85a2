/** One look at the database. Reads only, takes no lock, waits for none, and never rejects. */
import sql, { join } from 'sql-template-tag';
import type { Config } from '../src/config/config.ts';
import type { Log } from '../src/config/log.ts';
import type { Db } from '../src/database/connect.ts';
import { DEPLOY_TABLES } from '../src/database/identifier.ts';
import {
  isAccessDenied,
  isConnectionLost,
  isConnectionRefused,
  isDatabaseAccessDenied,
  isNodeNotReady,
  isTooManyConnections,
  isUnknownDatabase,
} from '../src/database/server-errors.ts';
import { within } from '../src/database/within.ts';
import { type HistoryFacts, readHistory } from '../src/history/read.ts';
import type { DatabaseFacts, Reading, Trouble } from './facts.ts';
import { type Link, makeLink } from './link.ts';
import { readRuns } from './read-runs.ts';

/** Longer than the server's own limits: its answer says more than ours. */
const lookLimitMs = 2_500;

/** Leaves time for an answer within `lookLimitMs`. */
const besideRunLimitMs = 1_000;

export type DatabaseReader = {
  /** Looks once. Gives an answer within 2.5 s whatever the server does. */
  look(): Promise<Reading>;
  /** Cuts the connection. */
  close(): void;
};

/** Gives what looks at the database of the settings; it connects with the first look. */
export function makeDatabaseReader(
  { database }: Pick<Config, 'database'>,
  log: Log,
): DatabaseReader {
  const link = makeLink(database, database.name);
  return {
    async look() {
      try {
        const facts = await within(lookLimitMs, readFacts(link, database.name, log));
        return { trouble: null, database: facts };
      } catch (error) {
        link.drop();
        const trouble = classifyTrouble(error);
        log.debug({ err: error }, `the database could not be looked at: ${trouble}`);
        return { trouble };
      }
    },
    close: () => link.drop(),
  };
}

/** What an error means for those who ask. Pure. */
export function classifyTrouble(error: unknown): Trouble {
  if (isUnknownDatabase(error) || isDatabaseAccessDenied(error)) return 'database_missing';
  if (isAccessDenied(error)) return 'access_denied';
  const isAway = [isConnectionLost, isConnectionRefused, isTooManyConnections, isNodeNotReady];
  return isAway.some((is) => is(error)) ? 'unreachable' : 'unreadable';
}

async function readFacts(link: Link, database: string, log: Log): Promise<DatabaseFacts> {
  const { db, isNew } = await link.use();
  try {
    return await readWith(link, db, database, log);
  } catch (error) {
    // The server may have closed a connection that was idle, or was restarted: that is no trouble.
    if (isNew || !isConnectionLost(error)) throw error;
    link.drop();
    return readWith(link, (await link.use()).db, database, log);
  }
}

async function readWith(link: Link, db: Db, database: string, log: Log): Promise<DatabaseFacts> {
  const { openRun, lastRun } = await readRuns(db, database);
  const history =
    openRun === null
      ? await readHistory(db, database)
      : await readHistoryBesideRun(link, db, database, log);
  const isKnown = openRun !== null || (history?.applied.length ?? 0) > 0;
  const hasTables = isKnown || (await hasOtherTables(db, database, history));
  return { history, hasTables, openRun, lastRun };
}

/** While a run swaps tables its history may be out of reach; the run is what counts then. */
async function readHistoryBesideRun(
  link: Link,
  db: Db,
  database: string,
  log: Log,
): Promise<HistoryFacts | null> {
  try {
    return await within(besideRunLimitMs, readHistory(db, database));
  } catch (error) {
    // The connection may be waiting still: the next look must not queue behind it.
    link.drop();
    log.debug({ err: error }, 'the history cannot be read while a run is under way');
    return null;
  }
}

/** True when there is a table or view besides the version tables and this program's own. */
async function hasOtherTables(
  db: Db,
  database: string,
  history: HistoryFacts | null,
): Promise<boolean> {
  const row = await db.one<{ tables: string }>(sql`
    SELECT COUNT(*) AS tables FROM information_schema.tables
    WHERE table_schema = ${database} AND table_name NOT IN (${join([...DEPLOY_TABLES])})`);
  const { schemaVersion, migrationHistory } = history?.present ?? {};
  const own = Number(schemaVersion ?? false) + Number(migrationHistory ?? false);
  return Number(row?.tables ?? 0) > own;
}
