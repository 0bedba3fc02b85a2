/** Pure: what the endpoints answer. The names are public: fields may be added, never removed. */
import type { Config } from '../src/config/config.ts';
import type { Health } from './decide-health.ts';
import type { ClosedRun, OpenRun, RunRecords } from './facts.ts';
import type { Sample } from './sampler.ts';

/** What is known before the database is asked. */
export type About = {
  readonly config: Pick<Config, 'backendVersion' | 'backendCommit' | 'backendBuildDate'>;
  readonly toolVersion: string;
  /** Of this image, as its labels have them; null when nobody told. */
  readonly toolRelease: string | null;
  readonly toolCommit: string | null;
  readonly toolBuildDate: string | null;
  readonly nodeVersion: string;
};

/** The body of `/api/system/health`. */
export function healthBody(
  { config }: About,
  { value, ageMs, isStale }: Sample<Health>,
  now: Date,
) {
  const { lastMigration } = value;
  return {
    status: value.status,
    state: value.state,
    backend_version: config.backendVersion,
    required_db_version: value.requiredVersion,
    actual_db_version: value.actualVersion,
    db_version: value.actualVersion,
    migrations_pending: value.pending.length > 0,
    pending_count: value.pending.length,
    pending_migrations: value.pending,
    failed_migrations: value.failed,
    compatible: value.ready,
    migration_needed: value.migrationNeeded,
    compatibility_reason: value.reason,
    last_migration:
      lastMigration === null
        ? null
        : {
            number: lastMigration.number,
            description: lastMigration.description,
            applied_at: lastMigration.appliedAt,
          },
    deploying: value.state === 'deploying',
    run: value.openRun === null ? null : runBody(value.openRun),
    last_run: value.lastRun === null ? null : lastRunBody(value.lastRun, value.records),
    last_success_at: value.records?.lastSuccessAt ?? null,
    last_backup: lastBackupBody(value.records),
    database_size_bytes: value.records?.databaseSizeBytes ?? null,
    ...ageBody({ ageMs, isStale }),
    timestamp: now.toISOString(),
  };
}

/** The body of `/api/system/version`. */
export function versionBody(about: About, sample: Sample<Health>) {
  const { config } = about;
  const { value } = sample;
  const { lastMigration } = value;
  return {
    backend: {
      version: config.backendVersion,
      commit_hash: config.backendCommit,
      build_date: config.backendBuildDate,
    },
    deploy: {
      version: about.toolVersion,
      release: about.toolRelease,
      commit_hash: about.toolCommit,
      build_date: about.toolBuildDate,
      node_version: about.nodeVersion,
    },
    database: {
      version: value.actualVersion,
      migration_number: lastMigration?.number ?? null,
      last_migration:
        lastMigration === null
          ? null
          : {
              number: lastMigration.number,
              description: lastMigration.description,
              applied_at: lastMigration.appliedAt,
              applied_by: publicName(lastMigration.appliedBy),
            },
      total_migrations_available: value.migrationsAvailable,
    },
    compatibility: { compatible: value.ready, reason: value.reason },
    ...ageBody(sample),
  };
}

/** The body of `/readyz`. */
export function readyBody(sample: Sample<Health>) {
  const { ready, status, state } = sample.value;
  return { ready, status, state, ...ageBody(sample) };
}

/** How old what an answer says is. */
function ageBody({ ageMs, isStale }: Pick<Sample<Health>, 'ageMs' | 'isStale'>) {
  return { sample_age_seconds: Math.round(ageMs) / 1000, stale: isStale };
}

function runBody(run: OpenRun) {
  return {
    mode: run.mode,
    step: run.step ?? run.state,
    from: run.from,
    to: run.to,
    started_at: run.startedAt,
    progress: run.progress,
  };
}

/** The words of its error stay in the report: they may name tables and hosts. */
function lastRunBody(run: ClosedRun, records: RunRecords | null) {
  return {
    mode: run.mode,
    outcome: run.outcome,
    exit_code: run.exitCode,
    error_code: records?.errorCode ?? null,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
    duration_seconds: durationSeconds(run),
  };
}

/** How long a run took by the clock of the server; null when nobody wrote down its end. */
export function durationSeconds({ startedAt, finishedAt }: ClosedRun): number | null {
  if (finishedAt === null) return null;
  return (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
}

function lastBackupBody(records: RunRecords | null) {
  const backup = records?.backup ?? null;
  return backup === null ? null : { proven_at: backup.provenAt, size_bytes: backup.sizeBytes };
}

/** Other tools record their user and host; only `program 1.2.3` is fit for the public. */
function publicName(appliedBy: string | null): string | null {
  return appliedBy !== null && /^[a-z-]+ \d[\w.+-]*$/i.test(appliedBy) ? appliedBy : null;
}
