/**
 * What an `up` does about a run that did not end (the table of DESIGN §5a): finish it when it is
 * exactly what this image would do, else put the database back from that run's proven set.
 */
import { findSet } from '../backup/list.ts';
import type { Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { type RunRow, readUnfinishedRun, updateRun } from '../history/runs.ts';
import { compareVersions } from '../history/versions.ts';
import { type Action, digestWork, statementsOf } from '../migrations/actions.ts';
import { migrationsByNumber } from '../migrations/install.ts';
import type { Migration } from '../migrations/migration.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { advanceJournal, type JournalRow, readJournal } from '../statements/journal.ts';
import { canResume, decideInDoubt, matchStructure } from '../statements/recover.ts';
import { openConnection, type RunContext } from './context.ts';
import { movedOnlyBy, resetCounters, unwrittenBy } from './counters.ts';
import { change, close, finish, type StoredPlan } from './cycle.ts';
import type { Facts } from './facts.ts';
import { letIn } from './fence.ts';
import { resumeRestore } from './restore.ts';
import { putBack, settle } from './settle.ts';

/** Where an unfinished run goes on, or that it is put back and why. */
export type Resume =
  | { readonly kind: 'go-on'; readonly fromSeq: number; readonly done: readonly Action[] }
  | { readonly kind: 'put-back'; readonly why: string };

/**
 * Ends an unfinished run, if there is one, and says how. Needs the lock: while we hold it, no
 * statement of the earlier process is running any more.
 *
 * @throws SettledError when going on or putting back failed.
 */
export async function recoverUnfinished(
  context: RunContext,
  hold: Hold,
  facts: Facts,
): Promise<'none' | 'abandoned' | 'finished' | 'put back'> {
  const database = context.config.database.name;
  const run = await readUnfinishedRun(hold.db, database);
  if (run === null) return 'none';
  context.log.warn(
    { run: run.runId, state: run.state },
    `run ${run.runId} did not end (${run.state})`,
  );
  if (run.state === 'locked') {
    await letIn(hold, run);
    await updateRun(hold, run.runId, { state: 'closed', outcome: 'abandoned' });
    return 'abandoned';
  }
  context.report.database.before = run.from;
  try {
    return await endChangedRun(context, hold, facts, run);
  } catch (error) {
    throw await settle(context, hold, run, error);
  }
}

async function endChangedRun(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
): Promise<'finished' | 'put back'> {
  if (run.state === 'putting_back') {
    await putBack(context, hold, run, undecided(run));
    return 'put back';
  }
  if (run.mode === 'restore') {
    await resumeRestore(context, hold, run);
    return 'finished';
  }
  if (run.state === 'changed') {
    // The result is checked and recorded: the application may be in already, so never back.
    if (run.outcome === 'done') await close(hold, run);
    else await finish(context, hold, facts, run);
    return 'finished';
  }
  const resume = await findResume(context, hold, facts, run);
  if (resume.kind === 'put-back') {
    context.log.warn({ run: run.runId }, `run ${run.runId} is put back: ${resume.why}`);
    context.report.warnings.push(`run ${run.runId} was put back: ${resume.why}`);
    await putBack(context, hold, run, undecided(run));
    return 'put back';
  }
  await advanceJournal(hold, run.runId, { done: resume.done, intent: null });
  context.log.info({ run: run.runId, action: resume.fromSeq }, `going on with run ${run.runId}`);
  const { actions } = run.plan as StoredPlan;
  const set = await findSet(context.config.backupDir, run.backupSet!);
  const moved = movedOnlyBy(actions, resume.fromSeq, byNumber(facts));
  const synced = await unsyncedTables(context, facts, run);
  await resetCounters(hold, new Set([...moved, ...synced]), set.manifest);
  await change(context, hold, facts, run, actions, resume.fromSeq);
  return 'finished';
}

/** Tables of master data whose sync was rolled back, and that nothing else in the run writes to. */
async function unsyncedTables(
  context: RunContext,
  facts: Facts,
  run: RunRow,
): Promise<readonly string[]> {
  const { actions, masterdata } = run.plan as StoredPlan;
  if (masterdata === null || run.masterdataDigest !== null) return [];
  const known = await context.masterdata.get();
  const tables = known?.set.entities.entities.map(({ table }) => table) ?? [];
  return unwrittenBy(actions, tables, byNumber(facts));
}

function undecided(run: RunRow): DeployError {
  return new DeployError('RUN_UNDECIDED', `run ${run.runId} was cut off and has been put back`);
}

async function findResume(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
): Promise<Resume> {
  const database = context.config.database.name;
  const stored = run.plan as StoredPlan;
  const migrations = sameFiles(facts, run, stored);
  if (migrations === null)
    return { kind: 'put-back', why: 'the migrations of this image are not those of that run' };
  if (
    run.direction === 'up' &&
    run.to !== null &&
    compareVersions(run.to, facts.requiredVersion) > 0
  ) {
    return {
      kind: 'put-back',
      why: `it goes to ${run.to}, and ${facts.requiredVersion} is required here`,
    };
  }
  if (stored.masterdata !== null) {
    const masterdata = await context.masterdata.get();
    if (masterdata?.set.digest !== stored.masterdata) {
      return { kind: 'put-back', why: 'the master data of this image is not that of that run' };
    }
  }
  const journal = await readJournal(hold.db, database, run.runId);
  const last = journal.at(-1);
  if (last === undefined) return { kind: 'go-on', fromSeq: 0, done: [] };
  const reader = await openConnection(context);
  try {
    return await decide(reader, database, { actions: stored.actions, migrations, last });
  } finally {
    await reader.close();
  }
}

function byNumber({ folder }: Facts): ReadonlyMap<number, Migration> {
  return migrationsByNumber(folder);
}

/** The migrations of the run by number, if the files here are the ones that it ran; else null. */
function sameFiles(
  facts: Facts,
  run: RunRow,
  stored: StoredPlan,
): ReadonlyMap<number, Migration> | null {
  const files = byNumber(facts);
  const find = (numbers: readonly number[]) => numbers.map((number) => files.get(number));
  const [adopt, migrations] = [find(stored.adopt), find(stored.migrations)];
  const present = (list: readonly (Migration | undefined)[]): list is Migration[] =>
    !list.includes(undefined);
  if (!present(adopt) || !present(migrations)) return null;
  const digest = digestWork({ adopt, migrations, direction: stored.direction });
  return digest === run.planDigest ? files : null;
}

async function decide(
  reader: Db,
  database: string,
  state: {
    readonly actions: readonly Action[];
    readonly migrations: ReadonlyMap<number, Migration>;
    readonly last: JournalRow;
  },
): Promise<Resume> {
  const { actions, migrations, last } = state;
  const action = actions[last.seq];
  if (action === undefined || action.hash !== last.hash) {
    throw new DeployError(
      'HISTORY_UNREADABLE',
      `deploy_journal does not fit the plan of run ${last.runId}`,
    );
  }
  let fromSeq = last.seq + 1;
  let done: readonly Action[] = [];
  if (last.state === 'intent') {
    if (action.kind !== 'statement') {
      return {
        kind: 'put-back',
        why: `migration ${action.migration} had failed and was being taken back`,
      };
    }
    const verdict = await decideAction(reader, database, action, migrations.get(action.migration)!);
    if (verdict === 'put-back') {
      return {
        kind: 'put-back',
        why: `whether statement ${action.statement} of migration ${action.migration} took effect cannot be told`,
      };
    }
    if (verdict === 'run') fromSeq = last.seq;
    else done = [action];
  }
  return entersDependentFile(actions, migrations, fromSeq)
    ? {
        kind: 'put-back',
        why: 'the file it stopped in uses user variables and cannot be gone on with in its middle',
      }
    : { kind: 'go-on', fromSeq, done };
}

async function decideAction(reader: Db, database: string, action: Action, migration: Migration) {
  const script = action.direction === 'up' ? migration.up : migration.down!;
  const { classification } = script.statements[action.statement - 1]!;
  const live = fingerprintSchema(await readSchema(reader, database));
  return decideInDoubt({
    class: classification.class,
    repeatable: classification.repeatable,
    invisible: classification.invisible,
    destroysData: classification.destroysData,
    rerunnable: script.rerunnable,
    changesStructure: action.changes.length > 0,
    live: matchStructure(action.changes, live as ReadonlyMap<ObjectKey | string, string>),
  });
}

function entersDependentFile(
  actions: readonly Action[],
  migrations: ReadonlyMap<number, Migration>,
  fromSeq: number,
): boolean {
  const next = actions[fromSeq];
  if (next?.kind !== 'statement' || next.statement === 1) return false;
  const statements = statementsOf(migrations.get(next.migration)!, next.direction);
  return !canResume(statements.map(({ classification }) => classification));
}
