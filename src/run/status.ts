/** What is: versions, migrations, lock, unfinished run, last backup. Reads only, takes no lock. */
import { listSets } from '../backup/list.ts';
import type { Db } from '../database/connect.ts';
import { readLock } from '../database/lock.ts';
import { compareVersions, compatibility } from '../history/versions.ts';
import { versionBeyond } from '../migrations/resolve.ts';
import type { RunContext } from './context.ts';
import { readFacts } from './facts.ts';

type MigrationLine = {
  readonly number: number;
  readonly version: string;
  readonly description: string;
};

/** The document of `status --json`; fields may be added. */
export type Status = {
  readonly backend_version: string | null;
  readonly required_db_version: string;
  readonly actual_db_version: string | null;
  /** No table of the application: no version means "nothing there" then, and "not adopted" otherwise. */
  readonly database_empty: boolean;
  readonly compatible: boolean;
  readonly migration_needed: boolean;
  readonly compatibility_reason: string;
  readonly applied: readonly MigrationLine[];
  readonly pending: readonly MigrationLine[];
  readonly failed: readonly MigrationLine[];
  readonly last_migration:
    | (MigrationLine & { readonly applied_at: string | null; readonly applied_by: string | null })
    | null;
  readonly unfinished_run: {
    readonly run_id: string;
    readonly state: string;
    readonly started_at: string;
    readonly backup: string | null;
  } | null;
  readonly lock: {
    readonly held: boolean;
    readonly owner: string | null;
    readonly since: string | null;
  } | null;
  readonly last_backup: {
    readonly name: string;
    readonly created_at: string;
    readonly proven: boolean;
  } | null;
  readonly problems: readonly string[];
};

/** Reads the status of the database and of the backup folder. */
export async function readStatus(context: RunContext, db: Db): Promise<Status> {
  const { config } = context;
  const facts = await readFacts(db, config, context.folder);
  const { resolution, history, unfinished, requiredVersion } = facts;
  const actual = resolution.actualVersion;
  // Half of a newer version is ahead, too, as `up` has it.
  const verdict = compatibility(
    requiredVersion,
    versionBeyond(resolution, requiredVersion) ?? actual,
  );
  const pending = resolution.pending.filter(
    (migration) => compareVersions(migration.version, requiredVersion) <= 0,
  );
  const last = history.applied.toSorted((a, b) => a.number - b.number).at(-1);
  const lock = await readLock(db, config.database.name);
  const sets = await listSets(config.backupDir).catch(() => []);
  const newest = sets.find(
    (set) => set.manifest?.proof && set.manifest.database === config.database.name,
  );
  return {
    backend_version: config.backendVersion,
    required_db_version: requiredVersion,
    actual_db_version: actual,
    database_empty: facts.relations.length === 0,
    compatible: verdict.compatible && unfinished === null,
    migration_needed: verdict.migrationNeeded,
    compatibility_reason:
      unfinished === null
        ? verdict.reason
        : `Run ${unfinished.runId} is not ended (${unfinished.state})`,
    applied: history.applied.map(line),
    pending: pending.map(line),
    failed: history.failed.map(line),
    last_migration:
      last === undefined
        ? null
        : { ...line(last), applied_at: last.appliedAt, applied_by: last.appliedBy },
    unfinished_run:
      unfinished === null
        ? null
        : {
            run_id: unfinished.runId,
            state: unfinished.state,
            started_at: unfinished.startedAt,
            backup: unfinished.backupSet,
          },
    lock:
      lock === null
        ? null
        : {
            held: lock.held,
            owner: lock.held ? lock.owner : null,
            since: lock.held ? lock.acquiredAt : null,
          },
    last_backup:
      newest === undefined
        ? null
        : { name: newest.name, created_at: newest.manifest!.createdAt, proven: true },
    problems: history.problems,
  };
}

function line({ number, version, description }: MigrationLine): MigrationLine {
  return { number, version, description };
}
