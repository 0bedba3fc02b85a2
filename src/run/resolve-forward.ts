/**
 * Whether and how a run that did not end can go on forward when a person wants it to. `up` goes on
 * only with exactly the files that the run had; a person may also have corrected the statement
 * that failed: what has taken effect must be the same, what follows may be new.
 */
import type { BackupSet } from '../backup/manifest.ts';
import { loadSetStructure } from '../backup/set-structure.ts';
import { type Db, withConnection } from '../database/connect.ts';
import { serverText } from '../database/server-errors.ts';
import { describeCauses } from '../errors/chain.ts';
import type { RunRow } from '../history/runs.ts';
import { compareVersions } from '../history/versions.ts';
import { type Action, digestWork, makeActions, type Work } from '../migrations/actions.ts';
import type { Counters } from '../migrations/counters.ts';
import { isTransactional } from '../migrations/group.ts';
import { migrationsByNumber } from '../migrations/install.ts';
import type { Migration } from '../migrations/migration.ts';
import { runStructurally, type StructuralRun } from '../migrations/structural-run.ts';
import { createSchema } from '../schema/copy.ts';
import type { ObjectKey } from '../schema/model.ts';
import { type JournalRow, readJournal } from '../statements/journal.ts';
import { matchStructure } from '../statements/recover.ts';
import type { RunContext } from './context.ts';
import type { StoredPlan } from './cycle.ts';
import { type StoredExisted, spareStored } from './existed.ts';
import type { Facts } from './facts.ts';
import { expectedChanges, expectedWrites } from './look.ts';
import { refuseStatements, refuseStructure } from './refusals.ts';
import { entersDependentFile, findResume, type InDoubtAnswer, type Resume } from './resume.ts';

/** Why nothing but the end of accepting is possible once the history says what is. */
export const ACCEPTED = 'the database was taken as it is: --accept or the next up closes the run';

/** How the run goes on, or why it cannot. */
export type Forward =
  | { readonly kind: 'close' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'restore' }
  | { readonly kind: 'resume'; readonly resume: Extract<Resume, { kind: 'go-on' }> }
  | { readonly kind: 'edited'; readonly edited: EditedRun }
  | { readonly kind: 'no'; readonly why: string };

/** A run whose files were corrected: its new plan, and where it goes on. */
export type EditedRun = {
  readonly actions: readonly Action[];
  readonly planDigest: string;
  /** What existed before its migrations, as the corrected files ask for it. */
  readonly existed: StoredExisted;
  readonly fromSeq: number;
  readonly done: readonly Action[];
  /** AUTO_INCREMENT counters that the journal noted before the statement that is replaced. */
  readonly counters: Counters | null;
  /** The failed statement that the journal must forget, because its text is another now. */
  readonly forget: number | null;
};

/**
 * The migrations of a run as the files here have them; null when one has no file, or its down file
 * cannot keep what the run keeps.
 */
export function workOf(facts: Facts, stored: StoredPlan): Work | null {
  const files = migrationsByNumber(facts.folder);
  const find = (numbers: readonly number[]) => numbers.flatMap((number) => files.get(number) ?? []);
  const [adopt, migrations] = [find(stored.adopt), find(stored.migrations)];
  const complete =
    adopt.length + migrations.length === stored.adopt.length + stored.migrations.length;
  const spared = complete ? spareStored(migrations, stored) : null;
  return spared === null ? null : { adopt, migrations: spared, direction: stored.direction };
}

/** Runs the migrations of an unfinished run on the structure that its backup set holds. */
export async function tryOnSet(
  context: RunContext,
  db: Db,
  facts: Facts,
  set: BackupSet,
  work: Work,
): Promise<StructuralRun> {
  const scratch = await context.scratch.get(facts.server.variables);
  const { database, charset, collation, comment } = set.manifest;
  return runStructurally({
    ...{ db, database, scratch, collation, migrations: work.migrations },
    direction: work.direction,
    make: async (admin) => {
      await createSchema(admin, database, { charset, collation, comment });
      await withConnection(scratch.address, { database }, (copy) => loadSetStructure(copy, set));
    },
  });
}

/** Decides about going on. Reads only, needs no lock. `trial` is what `tryOnSet` gave. */
export async function planForward(
  context: RunContext,
  db: Db,
  facts: Facts,
  run: RunRow,
  known: {
    readonly trial: StructuralRun | null;
    readonly live: ReadonlyMap<ObjectKey, string>;
    readonly answer: InDoubtAnswer | null;
  },
): Promise<Forward> {
  const no = (why: string): Forward => ({ kind: 'no', why });
  if (run.outcome === 'done') return { kind: 'close' };
  if (run.outcome === 'left') return no(ACCEPTED);
  if (run.mode === 'restore') return { kind: 'restore' };
  if (run.state === 'locked') return no('nothing was changed yet: deploy up plans anew');
  if (run.state === 'putting_back' && run.restoreState !== null)
    return no('it is being put back already, and that only goes on');
  if (run.state === 'changed') return { kind: 'finish' };
  const stored = run.plan as StoredPlan;
  const work = workOf(facts, stored);
  if (work === null) return no('a migration of that run has no file in this image');
  if (digestWork(work) === run.planDigest) {
    const resume = await findResume(context, db, facts, run, known.answer);
    if (resume.kind === 'go-on') return { kind: 'resume', resume };
    const hint = resume.inDoubt
      ? '; --in-doubt run or --in-doubt done says whether it is run (again) or taken for done'
      : '';
    return no(`${resume.why}${hint}`);
  }
  const refused = refuseEdited(facts, run, work, known.trial);
  if (refused !== null) return no(refused);
  const actions = makeActions(work, expectedChanges(known.trial), expectedWrites(known.trial));
  const journal = await readJournal(db, context.config.database.name, run.runId);
  const edited = continueEdited(stored.actions, actions, journal.at(-1) ?? null, known);
  if (typeof edited === 'string') return no(edited);
  if (entersDependentFile(actions, migrationsByNumber(facts.folder), edited.fromSeq))
    return no(
      'the file it stopped in uses user variables and cannot be gone on with in its middle',
    );
  const existed = work.direction === 'up' ? [...known.trial!.existed] : (stored.existed ?? []);
  const planDigest = digestWork(work);
  return { kind: 'edited', edited: { ...edited, actions, planDigest, existed } };
}

function refuseEdited(
  facts: Facts,
  run: RunRow,
  work: Work,
  trial: StructuralRun | null,
): string | null {
  const { to } = run;
  if (trial === null) return 'its backup set cannot be read, so the new files cannot be tried';
  if (to !== null && compareVersions(to, facts.requiredVersion) > 0)
    return `it goes to ${to}, and ${facts.requiredVersion} is required here`;
  const mine = new Set([...work.adopt, ...work.migrations].map(({ number }) => number));
  const other = (migration: Migration) =>
    to !== null && compareVersions(migration.version, to) <= 0 && !mine.has(migration.number);
  const extra = work.direction === 'up' ? facts.resolution.pending.filter(other) : [];
  if (extra.length > 0)
    return `migration ${extra[0]!.number} ${extra[0]!.name} is new in ${to}: the run does not have it`;
  const cycles = [
    { ...work, mode: 'update', from: run.from, to, masterdata: null, digest: '' } as const,
  ];
  const tried = { ...facts, structural: trial };
  const [refusal] = [...refuseStatements(cycles), ...refuseStructure(tried, cycles)];
  if (refusal === undefined) return null;
  const cause = describeCauses(new Error('', { cause: refusal.cause }), serverText);
  return [refusal.message, refusal.where, cause].filter((part) => part != null).join(': ');
}

/** Finds the place of the journal in the new list of actions; a sentence when there is none. Pure. */
export function continueEdited(
  before: readonly Action[],
  now: readonly Action[],
  last: Pick<JournalRow, 'seq' | 'state' | 'counters'> | null,
  known: {
    readonly live: ReadonlyMap<ObjectKey, string>;
    readonly answer: InDoubtAnswer | null;
  },
): Omit<EditedRun, 'actions' | 'planDigest' | 'existed'> | string {
  const same = (seq: number) => {
    const [old, fresh] = [before[seq], now[seq]];
    return old?.hash === fresh?.hash && old?.migration === fresh?.migration;
  };
  const firstOther = before.findIndex((_, seq) => !same(seq));
  const takenEffect = (end: number) => firstOther !== -1 && firstOther < end;
  const changed = (seq: number) =>
    `statement ${before[seq]!.statement} of migration ${before[seq]!.migration} took effect, and the file has another text for it now`;
  const at = (fromSeq: number) => ({ fromSeq, done: [], counters: null, forget: null });
  if (last === null) return at(0);
  if (takenEffect(last.seq)) return changed(firstOther);
  if (last.state === 'done') {
    if (!same(last.seq)) return changed(last.seq);
    return at(last.seq + 1);
  }
  const doubtful = before[last.seq]!;
  const again = { ...at(last.seq), counters: last.counters, forget: last.seq };
  // Its transaction never ended, so that it took no effect.
  if (isTransactional(doubtful) && last.counters !== null) return again;
  if (doubtful.kind !== 'statement')
    return `migration ${doubtful.migration} had failed and was being taken back`;
  const { changes } = doubtful;
  const told = changes.length === 0 ? 'neither' : matchStructure(changes, known.live);
  const answers = { before: 'run', expected: 'done', neither: known.answer } as const;
  const verdict = answers[told];
  if (verdict === null)
    return `whether statement ${doubtful.statement} of migration ${doubtful.migration} took effect cannot be told; --in-doubt run or --in-doubt done says it`;
  if (verdict === 'run') return again;
  if (!same(last.seq)) return changed(last.seq);
  return { ...at(last.seq + 1), done: [doubtful] };
}
