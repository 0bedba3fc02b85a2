/** `deploy restore`: brings the database to the contents of a backup set. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describeDifferences } from '../backup/differences.ts';
import { findSet } from '../backup/list.ts';
import type { BackupSet } from '../backup/manifest.ts';
import type { BeforeSwap } from '../backup/restore.ts';
import type { RestoreState } from '../backup/restore-state.ts';
import { verifySet } from '../backup/verify.ts';
import { findMissingAccounts } from '../database/accounts.ts';
import { heldNames } from '../database/events.ts';
import { missingRights, needsOfStaging } from '../database/grants.ts';
import type { Hold } from '../database/lock.ts';
import { setFreshSession } from '../database/session.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { openRun, type RunRow, updateRun } from '../history/runs.ts';
import type { SchemaModel } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { backUp } from './back-up.ts';
import { openConnection, type RunContext, throwIfStopped } from './context.ts';
import { type Facts, readFacts } from './facts.ts';
import { fenceOut, letIn } from './fence.ts';
import { noteLongWork } from './long-work.ts';
import { step } from './report.ts';
import { assertCanPutBack } from './restorable.ts';
import { settle } from './settle.ts';

/** What `deploy_run.plan` holds of a restore. */
type StoredRestore = { readonly set: string; readonly how?: 'staged' | 'in place' };

/** Asks with what would happen, in lines; throws when nobody wants it. */
export type ConfirmRestore = (lines: readonly string[]) => Promise<void>;

const IN_PLACE_WARNING =
  'WARNING: this account may not make a schema for a staging, so the tables are replaced where they are. Until that has ended the database is neither old nor new; after a crash, deploy up goes on.';

/** Finds a set by its name in BACKUP_DIR or by its path, and verifies it in full. */
export async function openSet(
  { config }: Pick<RunContext, 'config'>,
  nameOrPath: string,
): Promise<BackupSet> {
  const dir = nameOrPath.includes('/')
    ? path.resolve(nameOrPath)
    : path.join(config.backupDir, nameOrPath);
  await readdir(dir).catch((cause: unknown) => {
    throw new DeployError('BACKUP_SET_INVALID', `there is no backup set ${nameOrPath}`, {
      where: dir,
      cause,
    });
  });
  return verifySet(dir);
}

/**
 * Restores `set`: staged load, comparison, what would be different, confirmation, fence, backup of
 * what is there now, swap, comparison. Needs the lock. Until the backup is proven the run is
 * *locked*: nothing of the live schema was touched. Ends with the run closed and the fence open.
 *
 * DATA LOSS: what the database holds now is replaced; it is in the backup set taken before.
 *
 * @throws SettledError which says where the database is.
 */
export async function restore(
  context: RunContext,
  hold: Hold,
  set: BackupSet,
  confirm: ConfirmRestore,
): Promise<void> {
  const { config, report } = context;
  const facts: Facts = await readFacts(hold.db, config, context.folder);
  const staging = missingRights(facts.server, needsOfStaging(config.database.name));
  const how = staging.length > 0 ? 'in place' : 'staged';
  if (how === 'in place') {
    report.warnings.push(`restored in place: run ${staging[0]!.grant} for an atomic restore`);
  }
  const run = await openRun(hold, {
    ...{ runId: report.run_id, planDigest: set.manifest.name, mode: 'restore', direction: 'up' },
    ...{
      from: facts.resolution.actualVersion,
      to: set.manifest.schemaVersion,
      plan: { set: set.dir, how } satisfies StoredRestore,
    },
  });
  let changing = run;
  try {
    await loadAndSwap(context, hold, run, async (staged) => {
      await askWithDifferences(context, { set, facts, staged: staged.schema, confirm });
      throwIfStopped(context);
      const fenced = await step(report, 'fence', () =>
        fenceOut(context, hold, facts, run, (recorded) => {
          changing = { ...run, ...recorded };
        }),
      );
      const heldEvents = heldNames(fenced.disabledEvents);
      throwIfStopped(context);
      const before = await step(report, 'backup', () =>
        backUp(context, hold, facts, { mode: 'restore', heldEvents }),
      );
      throwIfStopped(context);
      await assertCanPutBack(context, before, how);
      changing = { ...changing, state: 'changing', backupSet: before.name };
      await updateRun(hold, run.runId, { state: 'changing', backupSet: before.name });
    });
  } catch (error) {
    throw await settle(context, hold, changing, error);
  }
}

/**
 * Goes on with a restore that was confirmed, from where it stopped. Needs the lock.
 *
 * @throws DeployError `RESTORE_FAILED` when nothing is swapped yet and the database is no longer what
 *   was confirmed and backed up: the application may have worked since then, and what it wrote is
 *   in no backup. A person has to ask for the restore again.
 */
export function resumeRestore(context: RunContext, hold: Hold, run: RunRow): Promise<void> {
  return loadAndSwap(context, hold, run, () => assertUnchanged(context, hold, run));
}

async function assertUnchanged({ config, log }: RunContext, hold: Hold, run: RunRow) {
  const { manifest, name } = await findSet(config.backupDir, run.backupSet!);
  const { findChanges } = await import('../backup/reuse.ts');
  const changes = await findChanges(manifest, {
    ...{ address: config.database, database: hold.database, onProgress: noteLongWork(log) },
    registerConnection: (connectionId) => hold.register(connectionId),
  });
  if (changes.length === 0) return;
  const what = `${hold.database} changed after the restore was confirmed and ${name} was taken: ${describeDifferences(changes)}`;
  const { set } = run.plan as StoredRestore;
  const wanted = path.dirname(set) === path.resolve(config.backupDir) ? path.basename(set) : set;
  throw new DeployError('RESTORE_FAILED', what, {
    where: hold.database,
    facts: { differences: changes.map(({ message }) => message) },
    next: [`deploy restore --backup ${wanted} says what goes, and asks again`],
  });
}

/** Removes what a restore that was not confirmed yet left in the staging. Needs the lock. */
export async function discardStaging(
  { log }: Pick<RunContext, 'log'>,
  hold: Hold,
  run: RunRow,
): Promise<void> {
  if (run.restoreState === null) return;
  const { abandonRestore } = await import('../backup/restore.ts');
  const saved = run.restoreState as RestoreState;
  await abandonRestore({ hold, database: hold.database, log, saved });
}

async function askWithDifferences(
  context: RunContext,
  asked: {
    readonly set: BackupSet;
    readonly facts: Facts;
    /** Null for a restore in place. */
    readonly staged: string | null;
    readonly confirm: ConfirmRestore;
  },
): Promise<void> {
  const { report, config, log } = context;
  const { manifest, name } = asked.set;
  const { describeRowDifferences, readDifferenceFromManifest, readRowDifferences } = await import(
    '../backup/row-differences.ts'
  );
  const database = config.database.name;
  const { differences, going, missing } = await step(report, 'compare', async () => {
    const reader = await openConnection(context);
    try {
      return {
        differences:
          asked.staged === null
            ? await readDifferenceFromManifest(reader, database, manifest)
            : await readRowDifferences(reader, { live: database, staged: asked.staged }),
        going: listGoing(await readSchema(reader, database), manifest),
        missing: await findMissingAccounts(reader, manifest.definers),
      };
    } finally {
      await reader.close();
    }
  });
  report.row_differences = differences.map((each) => ({
    ...{ table: each.table, key: each.key, live_rows: each.liveRows, backup_rows: each.backupRows },
    ...{ only_live: each.onlyLive, only_backup: each.onlyBackup, differing: each.differing },
  }));
  const lines = describeRowDifferences(differences);
  if (going.length > 0) lines.push(`not in the backup, so they go: ${going.join(', ')}`);
  if (missing.length > 0) {
    lines.push(`accounts that objects run as and this server lacks: ${missing.join(', ')}`);
    report.warnings.push(`this server lacks accounts that objects run as: ${missing.join(', ')}`);
  }
  for (const line of lines) log.info(line);
  const at = asked.facts.resolution.actualVersion ?? 'no version';
  await asked.confirm([
    `${database} is at ${at}. It becomes what backup set ${name} holds: version ${manifest.schemaVersion ?? 'none'}, ${manifest.tables.length} tables, of ${manifest.createdAt}.`,
    ...lines.map((line) => `  ${line}`),
    ...(asked.staged === null ? [IN_PLACE_WARNING] : []),
    'What is there now is backed up and proven before.',
  ]);
}

/** Objects of the live schema that the set does not have, e.g. `procedure p`. */
function listGoing({ objects }: SchemaModel, manifest: BackupSet['manifest']): string[] {
  const kept = new Set<string>([
    ...manifest.tables.map(({ name }) => `table:${name}`),
    ...manifest.objects.map(({ key }) => key),
  ]);
  return [...objects.keys()].filter((key) => !kept.has(key)).map((key) => key.replace(':', ' '));
}

async function loadAndSwap(
  context: RunContext,
  hold: Hold,
  run: RunRow,
  beforeSwap: BeforeSwap,
): Promise<void> {
  const { config, report, log } = context;
  const database = config.database.name;
  const dir = (run.plan as StoredRestore).set;
  const set = await findSet(path.dirname(dir), path.basename(dir));
  await setFreshSession(hold.db, { collation: set.manifest.collation });
  const { restoreSet } = await import('../backup/restore.ts');
  const how = (run.plan as StoredRestore).how ?? 'staged';
  await step(report, 'restore', () =>
    restoreSet({
      ...{ hold, address: config.database, database, set, log, onProgress: noteLongWork(log) },
      saved: run.restoreState as RestoreState | null,
      save: (restoreState) => updateRun(hold, run.runId, { restoreState }),
      ...{ beforeSwap, how },
    }),
  );
  await letIn(context, hold, run);
  report.database.after = run.to;
  report.database.state = 'as_required';
  report.database.statement = `${database} is at ${run.to ?? 'no version'}: restored from ${set.name} and compared`;
  await updateRun(hold, run.runId, {
    state: 'closed',
    outcome: 'done',
    exitCode: 0,
    report: JSON.stringify(report),
  });
}
