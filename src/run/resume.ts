/**
 * Where a run that was cut off between its first change and its last goes on (the table of DESIGN
 * §5a): decided from its plan, its journal and the structure. Reads only.
 */
import { findReusableSet } from '../backup/reuse.ts';
import type { Db } from '../database/connect.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import type { RunRow } from '../history/runs.ts';
import { compareVersions } from '../history/versions.ts';
import { type Action, digestWork, statementsOf } from '../migrations/actions.ts';
import type { Counters } from '../migrations/counters.ts';
import { isTransactional } from '../migrations/group.ts';
import { migrationsByNumber } from '../migrations/install.ts';
import type { Migration } from '../migrations/migration.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { type JournalRow, readJournal } from '../statements/journal.ts';
import { canResume, decideInDoubt, matchStructure } from '../statements/recover.ts';
import { compareIds, readTableIds } from '../statements/table-ids.ts';
import { openConnection, type RunContext } from './context.ts';
import type { StoredPlan } from './cycle.ts';
import { spareStored } from './existed.ts';
import type { Facts } from './facts.ts';

/** Where an unfinished run goes on, or that it is put back and why. */
export type Resume =
  | {
      readonly kind: 'go-on';
      readonly fromSeq: number;
      readonly done: readonly Action[];
      /** What the journal noted of the action at `fromSeq`. */
      readonly counters: Counters | null;
    }
  | {
      readonly kind: 'put-back';
      readonly why: string;
      /** True when a person who knows whether the statement took effect could decide it. */
      readonly inDoubt?: true;
    };

/** What a person says of a statement of which nobody can tell whether it took effect. */
export type InDoubtAnswer = 'run' | 'done';

/**
 * Finds where a run that is *changing* goes on. `answer` decides the statement in doubt where its
 * structure does not. Reads only, needs no lock.
 */
export async function findResume(
  context: RunContext,
  db: Db,
  facts: Facts,
  run: RunRow,
  answer: InDoubtAnswer | null = null,
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
  const journal = await readJournal(db, database, run.runId).catch((error: unknown) => {
    if (!isDeployError(error, 'HISTORY_UNREADABLE')) throw error;
    return error.message;
  });
  if (typeof journal === 'string') return { kind: 'put-back', why: journal };
  const last = journal.at(-1);
  if (last === undefined) return beginAgain(context, run, stored);
  const written = new Set(journal.map(({ seq }) => seq));
  const isLost = ({ seq, class: kind }: Action) => kind !== 'session' && !written.has(seq);
  if (stored.actions.slice(0, last.seq).some(isLost))
    return { kind: 'put-back', why: 'entries are gone from its journal' };
  const reader = await openConnection(context);
  try {
    return await decide(reader, database, { actions: stored.actions, migrations, last, answer });
  } finally {
    await reader.close();
  }
}

/** An empty journal says that nothing was begun, or that somebody emptied it: the set knows which. */
async function beginAgain(
  { config, log }: RunContext,
  run: RunRow,
  { actions }: StoredPlan,
): Promise<Resume> {
  const begin: Resume = { kind: 'go-on', fromSeq: 0, done: [], counters: null };
  // Master data alone is not journalled: it is one transaction, and safe to repeat.
  if (actions.length === 0) return begin;
  const equal = await findReusableSet({
    ...{ address: config.database, database: config.database.name, dir: config.backupDir, log },
  });
  if (equal?.name === run.backupSet) return { kind: 'go-on', fromSeq: 0, done: [], counters: null };
  return {
    kind: 'put-back',
    why: 'its journal is empty, and the database is not what its backup set holds',
  };
}

/** The migrations of the run by number, if the files here are the ones that it ran; else null. */
function sameFiles(
  facts: Facts,
  run: RunRow,
  stored: StoredPlan,
): ReadonlyMap<number, Migration> | null {
  const files = migrationsByNumber(facts.folder);
  const find = (numbers: readonly number[]) => numbers.map((number) => files.get(number));
  const [adopt, migrations] = [find(stored.adopt), find(stored.migrations)];
  const present = (list: readonly (Migration | undefined)[]): list is Migration[] =>
    !list.includes(undefined);
  if (!present(adopt) || !present(migrations)) return null;
  const spared = spareStored(migrations, stored);
  if (spared === null) return null;
  const digest = digestWork({ adopt, migrations: spared, direction: stored.direction });
  return digest === run.planDigest ? files : null;
}

async function decide(
  reader: Db,
  database: string,
  state: {
    readonly actions: readonly Action[];
    readonly migrations: ReadonlyMap<number, Migration>;
    readonly last: JournalRow;
    readonly answer: InDoubtAnswer | null;
  },
): Promise<Resume> {
  const { actions, migrations, last, answer } = state;
  const action = actions[last.seq];
  if (action === undefined || action.hash !== last.hash) {
    return { kind: 'put-back', why: 'its journal does not fit its plan' };
  }
  let fromSeq = last.seq + 1;
  let done: readonly Action[] = [];
  if (last.state === 'intent' && isTransactional(action) && last.counters !== null) {
    fromSeq = last.seq;
  } else if (last.state === 'intent') {
    if (action.kind !== 'statement') {
      return {
        kind: 'put-back',
        why: `migration ${action.migration} had failed and was being taken back`,
      };
    }
    const told = await decideAction(reader, database, { action, migrations, last });
    const verdict = told === 'put-back' ? (answer ?? told) : told;
    if (verdict === 'put-back') {
      return {
        kind: 'put-back',
        inDoubt: true,
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
    : { kind: 'go-on', fromSeq, done, counters: fromSeq === last.seq ? last.counters : null };
}

async function decideAction(
  reader: Db,
  database: string,
  doubt: {
    readonly action: Action;
    readonly migrations: ReadonlyMap<number, Migration>;
    readonly last: JournalRow;
  },
) {
  const { action, last } = doubt;
  const migration = doubt.migrations.get(action.migration)!;
  const script = action.direction === 'up' ? migration.up : migration.down!;
  const { classification } = script.statements[action.statement - 1]!;
  const live = fingerprintSchema(await readSchema(reader, database));
  return decideInDoubt({
    class: classification.class,
    repeatable: classification.repeatable,
    invisible: classification.invisible,
    rerunnable: script.rerunnable,
    changesStructure: action.changes.length > 0,
    ids: classification.invisible
      ? compareIds(last.tableIds, await readTableIds(reader, database, classification.tables ?? []))
      : 'unknown',
    live: matchStructure(action.changes, live as ReadonlyMap<ObjectKey | string, string>),
  });
}

/** Whether going on at `fromSeq` begins in the middle of a file whose session cannot be made again. */
export function entersDependentFile(
  actions: readonly Action[],
  migrations: ReadonlyMap<number, Migration>,
  fromSeq: number,
): boolean {
  const next = actions[fromSeq];
  if (next?.kind !== 'statement' || next.statement === 1) return false;
  const statements = statementsOf(migrations.get(next.migration)!, next.direction);
  return !canResume(statements.map(({ classification }) => classification));
}
