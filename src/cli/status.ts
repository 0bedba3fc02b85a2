import { waitForServer } from '../database/wait.ts';
import { compareVersions } from '../history/versions.ts';
import { showNumber } from '../migrations/install-number.ts';
import { readStatus, type Status } from '../run/status.ts';
import { type CommonOptions, inspect, type World } from './invoke.ts';

/** `deploy status`: exit code 0 as required, 30 pending, 31 database ahead. */
export async function statusCommand(world: World, flags: CommonOptions): Promise<number> {
  return inspect(world, flags, async (context) => {
    const { config, log, stop } = context;
    const options = { waitMs: config.dbWaitMs, log, signal: stop, database: config.database.name };
    const db = await waitForServer(config.database, options);
    try {
      const status = await readStatus(context, db);
      return {
        value: status,
        text: renderStatus(config.database.name, status),
        exitCode: exitCodeOf(status),
      };
    } finally {
      await db.close();
    }
  });
}

function exitCodeOf({
  actual_db_version: actual,
  required_db_version: required,
  ...status
}: Status): number {
  if (actual !== null && compareVersions(actual, required) > 0) return 31;
  // Only a part of a newer version is there.
  const isRunOpen = status.unfinished_run !== null;
  if (!status.compatible && !status.migration_needed && !isRunOpen) return 31;
  return status.migration_needed || isRunOpen ? 30 : 0;
}

function renderStatus(database: string, status: Status): string {
  const lines = [
    `${database}: ${status.compatibility_reason}`,
    `  database  ${status.actual_db_version ?? 'no version'} (required: ${status.required_db_version})`,
    `  backend   ${status.backend_version ?? 'not told (BACKEND_VERSION)'}`,
    `  applied   ${status.applied.length}, pending ${status.pending.length}, failed ${status.failed.length}`,
  ];
  for (const { number, version, description } of status.pending) {
    lines.push(`  pending   ${showNumber(number)} ${description} (${version})`);
  }
  for (const { number, version, description } of status.failed) {
    lines.push(`  failed    ${showNumber(number)} ${description} (${version})`);
  }
  const { last_migration: last, unfinished_run: unfinished, lock, last_backup: backup } = status;
  if (last !== null)
    lines.push(
      `  last      ${showNumber(last.number)} ${last.description}, ${last.applied_at ?? 'time not known'}, by ${last.applied_by ?? 'unknown'}`,
    );
  if (unfinished !== null)
    lines.push(
      `  run       ${unfinished.run_id} is ${unfinished.state} since ${unfinished.started_at}: deploy up finishes it or puts it back`,
    );
  if (lock?.held) lines.push(`  lock      held by ${lock.owner} since ${lock.since}`);
  lines.push(
    backup === null
      ? '  backup    none'
      : `  backup    ${backup.name} of ${backup.created_at}, proven`,
  );
  for (const problem of status.problems) lines.push(`  note      ${problem}`);
  return `${lines.join('\n')}\n`;
}
