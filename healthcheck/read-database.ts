/** One look at the database. Reads only, takes no lock, waits for none, and never rejects. */
import type { Config } from '../src/config/config.ts';
import type { Log } from '../src/config/log.ts';
import {
  isAccessDenied,
  isConnectionLost,
  isConnectionRefused,
  isDatabaseAccessDenied,
  isMissingRight,
  isNodeNotReady,
  isTooManyConnections,
  isUnknownDatabase,
} from '../src/database/server-errors.ts';
import { within } from '../src/database/within.ts';
import type { DatabaseFacts, Reading, Trouble } from './facts.ts';
import { makeLink } from './link.ts';
import { makeFactsReader } from './read-facts.ts';

/** Longer than the server's own limits: its answer says more than ours. */
const lookLimitMs = 2_500;

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
  const facts = makeFactsReader(database.name, log);

  async function read(limit: AbortSignal): Promise<DatabaseFacts> {
    const { db, isNew } = await link.use();
    if (isNew) facts.forget();
    try {
      return await facts.read(db);
    } catch (error) {
      // The server may have closed a connection that was idle, or was restarted: that is no trouble.
      if (isNew || limit.aborted || !isConnectionLost(error)) throw error;
      link.drop();
      facts.forget();
      return facts.read((await link.use()).db);
    }
  }

  return {
    async look() {
      const limit = new AbortController();
      try {
        return { trouble: null, database: await within(lookLimitMs, read(limit.signal)) };
      } catch (error) {
        limit.abort();
        const trouble = classifyTrouble(error);
        // A whole connection is kept: a server in trouble is not bothered with logins, too.
        const isWhole = trouble === 'unreadable' || isMissingRight(error);
        if (!isWhole) link.drop();
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
  if (isAccessDenied(error) || isMissingRight(error)) return 'access_denied';
  const isAway = [isConnectionLost, isConnectionRefused, isTooManyConnections, isNodeNotReady];
  return isAway.some((is) => is(error)) ? 'unreachable' : 'unreadable';
}
