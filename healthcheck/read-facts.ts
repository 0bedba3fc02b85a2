/** What is in the database, read with one query where nothing has changed since the last look. */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Log } from '../src/config/log.ts';
import type { Db, Row } from '../src/database/connect.ts';
import {
  isConnectionLost,
  isMissingTable,
  isUnknownColumn,
} from '../src/database/server-errors.ts';
import { historyOf, selectHistory } from '../src/history/read.ts';
import type { DatabaseFacts, RunRecords } from './facts.ts';
import { noRecords, readRecords } from './read-records.ts';
import { type Runs, runsOf, selectRuns } from './read-runs.ts';
import { isComplete, readTables, type Tables } from './read-tables.ts';

export type FactsReader = {
  /** Rejects with the server's error, or a DeployError `HISTORY_UNREADABLE`. */
  read(db: Db): Promise<DatabaseFacts>;
  /** For another connection, perhaps to another server. */
  forget(): void;
};

/**
 * MariaDB: limits for one statement. They are shorter than those of the session: after a wait for
 * a table that a run holds, there must be time to ask for the run.
 */
const briefly = raw('SET STATEMENT max_statement_time=1, lock_wait_timeout=1 FOR ');

/** What is known from the last look. */
type Known = {
  tables: Tables | null;
  /** There are applied migrations: then it does not matter which other tables there are. */
  hasHistory: boolean;
  records: {
    readonly mark: string;
    readonly value: RunRecords;
    /** By `performance.now()`; they are read again when `mark` is another, too. */
    readonly goodUntil: number;
  } | null;
};

/** After a failure. */
const recordsRetryMs = 60_000;

/** Gives what reads the facts of a database. */
export function makeFactsReader(database: string, log: Log): FactsReader {
  let known: Known = { tables: null, hasHistory: false, records: null };

  async function readAll(db: Db): Promise<DatabaseFacts> {
    if (known.tables === null || !known.hasHistory || !isComplete(known.tables)) {
      // Throws when this account may not see whether a run is under way.
      known.tables = await readTables(db, database, known.tables);
    }
    const { own, hasOthers, types } = known.tables;
    const hasRuns = own.has('deploy_run') && own.has('deploy_journal');
    const runs = selectRuns(database, own.has('deploy_lock'));
    const rows = await select(db, [selectHistory(database, types), hasRuns ? runs : null]);
    const history = historyOf(rows, types);
    known.hasHistory = history.applied.length > 0;
    const { openRun, lastRun, mark } = await settled(db, runs, runsOf(rows));
    if (hasRuns) await refreshRecords(db, mark, lastRun?.runId ?? null);
    const records = known.records?.value ?? noRecords;
    return { history, hasTables: hasOthers || known.hasHistory, openRun, lastRun, records };
  }

  /** The records are for people who look; that they cannot be read changes nothing about the state. */
  async function refreshRecords(db: Db, mark: string, runId: string | null): Promise<void> {
    const { records } = known;
    if (records?.mark === mark && performance.now() < records.goodUntil) return;
    try {
      const value = await readRecords(db, database, runId);
      known.records = { mark, value, goodUntil: Number.POSITIVE_INFINITY };
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      log.warn({ err: error }, 'what the runs wrote down cannot be read');
      // Those of the run before say nothing of the last one. Later, perhaps the server has time.
      const value = { ...(records?.value ?? noRecords), errorCode: null, steps: [] };
      known.records = { mark, value, goodUntil: performance.now() + recordsRetryMs };
    }
  }

  /** While a run swaps or locks tables, the history may be out of reach: the run is what counts then. */
  async function readBesideRun(db: Db, error: unknown): Promise<DatabaseFacts> {
    const runs = await readRuns(db, database).catch(() => null);
    if (runs === null || runs.openRun === null) throw error;
    log.debug({ err: error }, 'the history cannot be read while a run is under way');
    const records = known.records?.value ?? noRecords;
    return { history: null, hasTables: true, records, ...runs };
  }

  return {
    async read(db) {
      const mayBeOutdated = known.tables !== null;
      try {
        return await readAll(db);
      } catch (error) {
        known = { ...known, tables: null };
        if (isConnectionLost(error)) throw error;
        const isOutdated = mayBeOutdated && (isMissingTable(error) || isUnknownColumn(error));
        if (!isOutdated) return readBesideRun(db, error);
        return readAll(db).catch((second: unknown) => readBesideRun(db, second));
      }
    },
    forget() {
      known = { tables: null, hasHistory: false, records: null };
    },
  };
}

async function readRuns(db: Db, database: string): Promise<Runs> {
  // A run that has begun has taken the lock: its table is there.
  const runs = selectRuns(database, true);
  return settled(db, runs, runsOf(await select(db, [runs])));
}

/** The lock was read after the run: one that ended in between would look as if it was cut off. */
async function settled(db: Db, query: Sql, runs: Runs): Promise<Runs> {
  if (runs.openRun === null || runs.openRun.isAlive) return runs;
  const again = runsOf(await select(db, [query]));
  return again.openRun?.runId === runs.openRun.runId ? again : { ...again, openRun: null };
}

async function select(db: Db, selects: readonly (Sql | null)[]): Promise<Row[]> {
  const wanted = selects.filter((one) => one !== null);
  return wanted.length === 0 ? [] : db.query(sql`${briefly}${join(wanted, ' UNION ALL ')}`);
}
