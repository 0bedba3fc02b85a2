/** Retention: what may go is decided from the sets and the history, and removed under the lock. */
import { listSets } from '../backup/list.ts';
import { pruneSets } from '../backup/prune.ts';
import { type Decision, decideRetention } from '../backup/retention.ts';
import type { Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import { readLastRuns, readUnfinishedRun } from '../history/read-runs.ts';
import { readRunTimes } from '../history/run-times.ts';
import type { RunRow } from '../history/runs.ts';
import type { RunContext } from './context.ts';
import { step } from './report.ts';

/**
 * Decides about every set in BACKUP_DIR. Reads only; needs no lock, but what is decided without it
 * must be decided again under it.
 *
 * @throws DeployError `BACKUP_FAILED` when the folder cannot be read, `HISTORY_UNREADABLE`
 */
export async function planPrune({ config, folder }: RunContext, db: Db): Promise<Decision[]> {
  const database = config.database.name;
  const [last] = await readLastRuns(db, database, 1);
  const unfinished = await readUnfinishedRun(db, database);
  const { now, runs } = await readRunTimes(db, database);
  return decideRetention(
    {
      ...{ database, sets: await listSets(config.backupDir), versions: folder.versions },
      now: new Date(),
      server: {
        ...{ now, runs },
        failure: failureOf(last ?? null),
        neededSet: unfinished?.backupSet ?? null,
      },
    },
    { retentionDays: config.backupRetentionDays, keepLast: config.backupKeepLast },
  );
}

/**
 * Removes the sets that may go, at most those of `confirmed` when it is given. Needs the lock.
 *
 * DATA LOSS: backup sets.
 *
 * @returns their names
 * @throws DeployError as `planPrune` and `pruneSets`
 */
export async function prune(
  context: RunContext,
  hold: Hold,
  confirmed: readonly string[] | null = null,
): Promise<string[]> {
  const { config, log, report } = context;
  const planned = await planPrune(context, hold.db);
  const decisions =
    confirmed === null
      ? planned
      : planned.map((decision) =>
          confirmed.includes(decision.set.name)
            ? decision
            : { ...decision, keptBecause: [...decision.keptBecause, 'not confirmed'] },
        );
  const options = { dir: config.backupDir, hold, database: config.database.name, decisions, log };
  return pruneSets({ ...options, wholeSet: report.backup?.name ?? null });
}

/**
 * The last step of a successful `up`. Never throws: that the run succeeded stays true when an old
 * set cannot be removed, so it is a warning.
 */
export async function pruneAfterRun(context: RunContext, hold: Hold): Promise<void> {
  const { report, log } = context;
  try {
    report.pruned = await step(report, 'prune', () => prune(context, hold));
  } catch (error) {
    log.warn({ err: error }, 'old backup sets could not be removed');
    report.warnings.push('old backup sets could not be removed; deploy backup prune says why');
  }
}

function failureOf(last: RunRow | null): string | null {
  if (last === null || last.outcome === 'done') return null;
  if (last.state !== 'closed') return `run ${last.runId} is not ended`;
  return `run ${last.runId} ended as ${last.outcome?.replace('_', ' ') ?? 'nobody knows'}`;
}
