/**
 * What this program's own tables know about the history, to be held against the version tables:
 * rows that somebody removed by hand would otherwise look like work to be done a second time.
 */
import sql, { type Sql } from 'sql-template-tag';
import type { Db, Row } from '../database/connect.ts';
import { qualified } from '../database/identifier.ts';
import { isMissingTable, isUnknownColumn } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';

export type Traces = {
  /** Migrations that a run has applied and none has taken back since: number → run id. */
  readonly applied: ReadonlyMap<number, string>;
  /** The last run that went up with each migration, whatever happened since: number → run id. */
  readonly lastUp: ReadonlyMap<number, string>;
  /** Runs that the journal knows and `deploy_run` does not. */
  readonly strayRuns: readonly string[];
};

/** One ended run, as far as it says what it applied. */
export type EndedRun = {
  readonly runId: string;
  readonly mode: string;
  readonly direction: string;
  readonly outcome: string;
  readonly numbers: readonly number[];
};

/**
 * Reads the traces in two queries. Reads only, needs no lock.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a table has other columns.
 */
export async function readTraces(db: Db, schema: string): Promise<Traces> {
  const run = qualified(schema, 'deploy_run');
  const journal = qualified(schema, 'deploy_journal');
  const rows = await rowsOf(
    db,
    sql`SELECT run_id, mode, direction, outcome, JSON_EXTRACT(plan, '$.adopt') AS adopt,
        JSON_EXTRACT(plan, '$.migrations') AS migrations
      FROM ${run} WHERE outcome IN ('done', 'left') ORDER BY id`,
  );
  // The journal's key begins with the run: this reads one entry for each of them.
  const journalled = await rowsOf(db, sql`SELECT DISTINCT run_id FROM ${journal}`);
  const known = await rowsOf(db, sql`SELECT run_id FROM ${run}`);
  const ids = new Set(known.map((row) => row['run_id']));
  const stray = journalled.map((row) => String(row['run_id'])).filter((id) => !ids.has(id));
  const runs = rows.map(toEndedRun);
  return { applied: foldRuns(runs), lastUp: lastUps(runs), strayRuns: stray };
}

/** Of each migration the last run that went up with it. Pure. */
export function lastUps(runs: readonly EndedRun[]): ReadonlyMap<number, string> {
  const ups = runs.filter(({ direction }) => direction === 'up');
  return new Map(ups.flatMap(({ runId, numbers }) => numbers.map((number) => [number, runId])));
}

/** What the runs, in their order, have left applied. Pure. */
export function foldRuns(runs: readonly EndedRun[]): ReadonlyMap<number, string> {
  const applied = new Map<number, string>();
  for (const { runId, mode, direction, outcome, numbers } of runs) {
    // A restored history is that of the set; what a person accepted is said by the history alone.
    if (mode === 'restore') applied.clear();
    for (const number of numbers) {
      if (direction === 'up' && outcome === 'done') applied.set(number, runId);
      else applied.delete(number);
    }
  }
  return applied;
}

async function rowsOf(db: Db, query: Sql): Promise<Row[]> {
  try {
    return await db.query(query);
  } catch (cause) {
    if (isMissingTable(cause)) return [];
    if (!isUnknownColumn(cause)) throw cause;
    throw new DeployError('HISTORY_UNREADABLE', 'a table of this program has other columns', {
      where: 'deploy_run, deploy_journal',
      cause,
    });
  }
}

function toEndedRun(row: Row): EndedRun {
  const text = (column: string) => String(row[column] ?? '');
  return {
    runId: text('run_id'),
    mode: text('mode'),
    direction: text('direction'),
    outcome: text('outcome'),
    numbers: [...numbersOf(row['adopt']), ...numbersOf(row['migrations'])],
  };
}

function numbersOf(json: unknown): number[] {
  const list: unknown = typeof json === 'string' ? JSON.parse(json) : [];
  return Array.isArray(list) ? list.filter((one) => typeof one === 'number') : [];
}
