/**
 * What a person needs to see of a run that did not end, before deciding about it: how far it got,
 * what differs from before and from what was to be, and which ways on there are. Reads only.
 */
import { findSet } from '../backup/list.ts';
import type { BackupSet } from '../backup/manifest.ts';
import type { RestoreState } from '../backup/restore-state.ts';
import { loadSetStructure } from '../backup/set-structure.ts';
import type { Db } from '../database/connect.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import type { RunRow } from '../history/runs.ts';
import { withScratchSchema } from '../migrations/scratch-schema.ts';
import type { StructuralRun } from '../migrations/structural-run.ts';
import { compareSchemas } from '../schema/compare.ts';
import { createSchema } from '../schema/copy.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { SchemaModel } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { readJournal } from '../statements/journal.ts';
import type { RunContext } from './context.ts';
import type { StoredPlan } from './cycle.ts';
import type { Facts } from './facts.ts';
import { ACCEPTED, type Forward, planForward, tryOnSet, workOf } from './resolve-forward.ts';
import type { InDoubtAnswer } from './resume.ts';
import { withoutVersionTables } from './schema-diff.ts';

export type ResolveChoice = 'continue' | 'put-back' | 'accept';

/** What a choice would do, or why it cannot be made. */
export type Option = { readonly possible: boolean; readonly text: string };

export type RunLook = {
  readonly run: RunRow;
  /** How far the run got, in a sentence. */
  readonly position: string;
  /** What the structure has otherwise than before the run; null when that is not known. */
  readonly sinceBefore: readonly string[] | null;
  /** What it has otherwise than the run was to make it; null when that is not known. */
  readonly untilExpected: readonly string[] | null;
  readonly forward: Forward;
  readonly options: Readonly<Record<ResolveChoice, Option>>;
};

/** Looks at an unfinished run. Uses the scratch server; needs no lock. */
export async function lookAtRun(
  context: RunContext,
  db: Db,
  facts: Facts,
  run: RunRow,
  answer: InDoubtAnswer | null,
): Promise<RunLook> {
  const live = await readSchema(db, context.config.database.name);
  const set = await openSet(context, run);
  const before = set === null ? null : await readSetModel(context, facts, set);
  const trial = set === null ? null : await tryRun(context, db, facts, run, set);
  const forward = await planForward(context, db, facts, run, {
    ...{ trial, live: fingerprintSchema(live), answer },
  });
  const expected = trial === null || trial.failure !== null ? null : trial.modelAfter;
  const words = (model: SchemaModel | null) =>
    model === null
      ? null
      : withoutVersionTables(compareSchemas(model, live)).map(({ message }) => message);
  return {
    ...{ run, forward, position: await describePosition(context, db, run) },
    ...{ sinceBefore: words(before), untilExpected: words(expected) },
    options: {
      continue: describeForward(run, forward),
      'put-back': canPutBack(run, set),
      accept: canAccept(run),
    },
  };
}

async function openSet({ config }: RunContext, run: RunRow): Promise<BackupSet | null> {
  if (run.backupSet === null || run.mode === 'restore') return null;
  try {
    return await findSet(config.backupDir, run.backupSet);
  } catch (error) {
    if (isDeployError(error, 'BACKUP_SET_INVALID')) return null;
    throw error;
  }
}

async function readSetModel(
  context: RunContext,
  facts: Facts,
  set: BackupSet,
): Promise<SchemaModel> {
  const scratch = await context.scratch.get(facts.server.variables);
  const { database } = set.manifest;
  const create = (admin: Db) => createSchema(admin, database, set.manifest);
  return withScratchSchema(scratch, database, create, async (db, reader) => {
    await loadSetStructure(db, set);
    return readSchema(reader, database);
  });
}

async function tryRun(
  context: RunContext,
  db: Db,
  facts: Facts,
  run: RunRow,
  set: BackupSet,
): Promise<StructuralRun | null> {
  const work = workOf(facts, run.plan as StoredPlan);
  return work === null ? null : tryOnSet(context, db, facts, set, work);
}

async function describePosition({ config }: RunContext, db: Db, run: RunRow): Promise<string> {
  if (run.mode === 'restore') {
    const phase = (run.restoreState as RestoreState | null)?.phase ?? 'not begun';
    return `restore: ${phase}`;
  }
  const { actions } = run.plan as StoredPlan;
  const journal = await readJournal(db, config.database.name, run.runId);
  const last = journal.at(-1);
  if (last === undefined) return `nothing of ${actions.length} steps was begun`;
  const action = actions[last.seq];
  const what =
    action?.kind === 'statement'
      ? `statement ${last.statement} of migration ${last.migration}`
      : `the end of migration ${last.migration}`;
  const of = `step ${last.seq + 1} of ${actions.length}`;
  return last.state === 'done'
    ? `${what} is done (${of})`
    : `${what} was begun, and its end is not recorded (${of})`;
}

function describeForward(run: RunRow, forward: Forward): Option {
  const to = run.to ?? 'no version';
  switch (forward.kind) {
    case 'no':
      return { possible: false, text: forward.why };
    case 'close':
      return { possible: true, text: `the run is complete: lets the application in and closes it` };
    case 'finish':
      return { possible: true, text: `everything is done: records ${to} and closes the run` };
    case 'restore':
      return { possible: true, text: 'goes on with the restore' };
    case 'resume':
      return {
        possible: true,
        text: `goes on at step ${forward.resume.fromSeq + 1} with the same files, to ${to}`,
      };
    case 'edited':
      return {
        possible: true,
        text: `goes on at step ${forward.edited.fromSeq + 1} with the corrected files, to ${to}; what took effect before is the same in them`,
      };
  }
}

function canPutBack(run: RunRow, set: BackupSet | null): Option {
  const no = (text: string): Option => ({ possible: false, text });
  if (run.outcome === 'done') return no('the run is complete, the application may be in');
  if (run.outcome === 'left') return no(ACCEPTED);
  if (run.mode === 'restore')
    return no('a restore goes on; afterwards: deploy restore --backup with another set');
  if (run.state === 'locked')
    return {
      possible: true,
      text: 'nothing was changed: closes the run and lets the application in',
    };
  if (set === null) return no(`the backup set ${run.backupSet ?? 'of the run'} cannot be read`);
  return {
    possible: true,
    text: `restores ${set.name}, taken ${set.manifest.createdAt}, and compares; DATA LOSS: rows written since then go`,
  };
}

function canAccept(run: RunRow): Option {
  const no = (text: string): Option => ({ possible: false, text });
  if (run.outcome === 'done') return no('the run is complete');
  if (run.mode === 'restore') return no('a restore cannot be left in its middle');
  if (run.state === 'locked') return no('nothing was changed: there is nothing to accept');
  if (run.restoreState !== null)
    return no('it is being put back already, and cannot be left in the middle of that');
  return {
    possible: true,
    text: 'leaves every table as it is, makes the history say which migrations took effect in full, closes the run',
  };
}
