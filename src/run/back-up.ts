import type { IsOver } from '../backup/folder.ts';
import type { BackupSet } from '../backup/manifest.ts';
import { findReusableSet } from '../backup/reuse.ts';
import { takeBackup } from '../backup/take.ts';
import type { RowFormat } from '../backup/write-rows.ts';
import { heldNames } from '../database/events.ts';
import type { Hold } from '../database/lock.ts';
import { hasRun } from '../history/read-runs.ts';
import { formatBytes, type RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import { noteLongWork } from './long-work.ts';
import type { ReportBackup } from './report.ts';

/**
 * Gives a proven set that equals the database now: the newest one when it still does (a retry
 * loop does not fill the disk), else a new one (promise P2). Changes nothing in the database.
 *
 * @throws DeployError `BACKUP_FAILED`, `BACKUP_NOT_PROVEN`, `SPACE_SHORT`, `SCRATCH_FAILED`, `RIGHT_MISSING`
 */
export async function backUp(
  context: RunContext,
  hold: Hold | null,
  facts: Facts,
  reason: {
    readonly mode: string;
    readonly heldEvents?: readonly string[];
    /** Asked for by name, so an equal set of another format does not do. */
    readonly format?: RowFormat;
  },
): Promise<BackupSet> {
  const { config, log, report } = context;
  const database = config.database.name;
  const common = {
    address: config.database,
    database,
    dir: config.backupDir,
    log,
    onProgress: noteLongWork(log),
    ...(hold === null
      ? {}
      : {
          registerConnection: (connectionId: number) => hold.register(connectionId),
          isOver: knowsOver(context, hold),
        }),
  };
  const reusable = reason.format === 'json' ? null : await findReusableSet(common);
  const set =
    reusable ??
    (await takeBackup({
      ...common,
      scratchDir: config.scratchDir,
      scratchVariables: facts.server.variables,
      scratch: await context.scratch.get(facts.server.variables),
      schemaVersion: facts.resolution.actualVersion ?? facts.adoption?.version ?? null,
      migrationNumber: facts.resolution.applied.at(-1)?.number ?? null,
      runId: report.run_id,
      reason: reason.mode,
      ...(reason.format === undefined ? {} : { format: reason.format }),
      // Those of a run that was cut off are not enabled either.
      heldEvents: reason.heldEvents ?? heldNames(facts.unfinished?.disabledEvents ?? []),
      signal: hold === null ? context.stop : AbortSignal.any([context.stop, hold.signal]),
    }));
  const summary = summarise(set, reusable !== null);
  report.backups.push(summary);
  report.backup = summary;
  const verb = summary.reused
    ? 'is still equal to the database and used again'
    : 'taken and proven';
  log.info(
    { set: set.name, sizeBytes: summary.size_bytes, tables: summary.tables, rows: summary.rows },
    `backup ${set.name} ${verb}: ${summary.tables} tables, ${summary.rows} rows, ${formatBytes(summary.size_bytes)}`,
  );
  return set;
}

/** Runs of this database that had the deploy lock, which is ours now. */
export function knowsOver({ report }: Pick<RunContext, 'report'>, { db, database }: Hold): IsOver {
  return async (runId) => runId !== report.run_id && hasRun(db, database, runId);
}

/** What reports and lists say about a set. */
export function summarise({ name, manifest }: BackupSet, reused: boolean): ReportBackup {
  return {
    name,
    size_bytes: manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    tables: manifest.tables.length,
    rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
    proven: manifest.proof !== null,
    proven_at: manifest.proof?.at ?? null,
    reused,
  };
}
