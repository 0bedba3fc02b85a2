/**
 * The record of every run in `deploy_run`, and with it what the next process must know about one
 * that was cut off. Every write is conditional on the deploy lock and its epoch: a run that was
 * taken over writes nothing, and finds out.
 */
import sql, { join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified } from '../database/identifier.ts';
import type { Hold } from '../database/lock.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { type RunRow, toRunRow } from './run-row.ts';

export type { RunMode, RunOutcome, RunRow, RunState } from './run-row.ts';

/**
 * Creates `deploy_run` in the connection's database if it is missing. Commits implicitly; needs
 * the lock. Rows are never removed: a run is small.
 */
export async function ensureRunTable(db: Db): Promise<void> {
  await db.run(`CREATE TABLE IF NOT EXISTS \`deploy_run\` (
  \`id\` bigint unsigned NOT NULL AUTO_INCREMENT,
  \`run_id\` varchar(64) NOT NULL,
  \`epoch\` bigint unsigned NOT NULL,
  \`plan_digest\` varchar(64) NOT NULL,
  \`mode\` varchar(20) NOT NULL,
  \`direction\` varchar(4) NOT NULL,
  \`from_version\` varchar(20) DEFAULT NULL,
  \`to_version\` varchar(20) DEFAULT NULL,
  \`state\` varchar(20) NOT NULL,
  \`step\` varchar(100) DEFAULT NULL,
  \`plan\` longtext NOT NULL,
  \`backup_set\` varchar(255) DEFAULT NULL,
  \`fenced_accounts\` longtext NOT NULL,
  \`disabled_events\` longtext NOT NULL,
  \`restore_state\` longtext DEFAULT NULL,
  \`started_at\` datetime(3) NOT NULL,
  \`finished_at\` datetime(3) DEFAULT NULL,
  \`outcome\` varchar(20) DEFAULT NULL,
  \`exit_code\` int DEFAULT NULL,
  \`report\` longtext DEFAULT NULL,
  \`masterdata_digest\` varchar(64) DEFAULT NULL,
  PRIMARY KEY (\`id\`),
  UNIQUE KEY \`run_id\` (\`run_id\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`);
}

/** What a run is when it begins. */
export type NewRun = Pick<
  RunRow,
  'runId' | 'planDigest' | 'mode' | 'direction' | 'from' | 'to' | 'plan'
>;

/** What changes about a run; `state: 'closed'` also sets the time of its end. */
export type RunPatch = Partial<Omit<RunRow, 'runId' | 'epoch' | 'startedAt' | 'finishedAt'>>;

/**
 * Writes a new run in state *locked* and gives it. Needs the lock.
 *
 * @throws DeployError `LOCK_LOST` when the lock or the epoch is no longer ours; then nothing is written.
 */
export async function openRun(hold: Hold, run: NewRun): Promise<RunRow> {
  const table = qualified(hold.database, 'deploy_run');
  const { affectedRows } = await hold.db.run(sql`
    INSERT INTO ${table}
      (run_id, epoch, plan_digest, mode, direction, from_version, to_version, state, plan,
       fenced_accounts, disabled_events, started_at)
    SELECT ${run.runId}, ${hold.epoch}, ${run.planDigest}, ${run.mode}, ${run.direction},
      ${run.from}, ${run.to}, 'locked', ${JSON.stringify(run.plan ?? null)},
      '[]', '[]', UTC_TIMESTAMP(3)
    FROM DUAL WHERE ${hold.guard}`);
  if (affectedRows === 0) throw lockLost(hold);
  const [row] = await hold.db.query(sql`SELECT * FROM ${table} WHERE run_id = ${run.runId}`);
  return toRunRow(row!);
}

/**
 * Notes a backup that was taken for its own sake, as a run that is closed: for those who watch.
 * For the next run it does not exist. Needs the lock.
 *
 * @throws DeployError `LOCK_LOST` when the lock or the epoch is no longer ours; then nothing is written.
 */
export async function recordBackupRun(
  hold: Hold,
  run: Pick<RunRow, 'runId' | 'from' | 'backupSet'> & { readonly report: string },
): Promise<void> {
  const { affectedRows } = await hold.db.run(sql`
    INSERT INTO ${qualified(hold.database, 'deploy_run')}
      (run_id, epoch, plan_digest, mode, direction, from_version, to_version, state, plan,
       backup_set, fenced_accounts, disabled_events, started_at, finished_at, outcome, exit_code,
       report)
    SELECT ${run.runId}, ${hold.epoch}, '', 'backup', 'up', ${run.from}, ${run.from}, 'closed',
      'null', ${run.backupSet}, '[]', '[]', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), 'done', 0,
      ${run.report}
    FROM DUAL WHERE ${hold.guard}`);
  if (affectedRows === 0) throw lockLost(hold);
}

/**
 * Writes a change of a run, under the present epoch. Needs the lock; commits unless the caller
 * has a transaction open.
 *
 * @throws DeployError `LOCK_LOST` when the lock or the epoch is no longer ours; then nothing is written.
 */
export async function updateRun(hold: Hold, runId: string, patch: RunPatch): Promise<void> {
  const sets = [sql`epoch = ${hold.epoch}`, ...assignments(patch)];
  if (patch.state === 'closed') sets.push(sql`finished_at = UTC_TIMESTAMP(3)`);
  // The connection reports matched rows, so a write that changes nothing still counts one.
  const { affectedRows } = await hold.db.run(
    sql`UPDATE ${qualified(hold.database, 'deploy_run')} SET ${join(sets)}
        WHERE run_id = ${runId} AND ${hold.guard}`,
  );
  if (affectedRows === 0) throw lockLost(hold);
}

function assignments(patch: RunPatch): Sql[] {
  const json = (value: unknown) =>
    value === null || value === undefined ? null : JSON.stringify(value);
  const columns: { readonly [Key in keyof RunPatch]-?: (value: RunPatch[Key]) => Sql } = {
    planDigest: (value) => sql`plan_digest = ${value}`,
    mode: (value) => sql`mode = ${value}`,
    direction: (value) => sql`direction = ${value}`,
    from: (value) => sql`from_version = ${value}`,
    to: (value) => sql`to_version = ${value}`,
    state: (value) => sql`state = ${value}`,
    step: (value) => sql`step = ${value}`,
    plan: (value) => sql`plan = ${JSON.stringify(value ?? null)}`,
    backupSet: (value) => sql`backup_set = ${value}`,
    fencedAccounts: (value) => sql`fenced_accounts = ${json(value)}`,
    disabledEvents: (value) => sql`disabled_events = ${json(value)}`,
    restoreState: (value) => sql`restore_state = ${json(value)}`,
    outcome: (value) => sql`outcome = ${value}`,
    exitCode: (value) => sql`exit_code = ${value}`,
    report: (value) => sql`report = ${value}`,
    masterdataDigest: (value) => sql`masterdata_digest = ${value}`,
  };
  const keys = Object.keys(columns) as (keyof RunPatch)[];
  return keys
    .filter((key) => patch[key] !== undefined)
    .map((key) => (columns[key] as (value: unknown) => Sql)(patch[key]));
}

function lockLost(hold: Hold): DeployError {
  const message = `the deploy lock of ${hold.database} is no longer held by this run`;
  return new DeployError('LOCK_LOST', message);
}
