/**
 * What a run does to the database, as one flat list: every statement, data function and history
 * row of the migrations in the order in which they take effect. Pure. The list is written to
 * `deploy_run` before the first change, so that another process can go on with it.
 */
import { createHash } from 'node:crypto';
import type { JournalEntry } from '../statements/journal.ts';
import type { Direction } from '../statements/statement.ts';
import { INSTALL_NUMBER } from './install-number.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';

/** An object that a statement changed on the empty copy: fingerprints, null for absent. */
export type StructureChange = {
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
};

export type Action = JournalEntry & {
  readonly kind: 'statement' | 'data' | 'record';
  /** Number of actions of this migration that are statements or data functions. */
  readonly of: number;
  readonly changes: readonly StructureChange[];
  /**
   * Tables with AUTO_INCREMENT that a statement may write to, where code has a part in it: triggers,
   * views, functions. Missing where its text says it all, and in plans of older images.
   */
  readonly writes?: readonly string[];
};

/** The tables that statements write to through code, by migration and statement number. */
export type ExpectedWrites = ReadonlyMap<string, readonly string[]>;

/** The structure changes that the structural run saw, by migration and statement number. */
export type ExpectedChanges = ReadonlyMap<string, readonly StructureChange[]>;

/** Key of `ExpectedChanges`. */
export function changesKey(migration: number, statement: number): string {
  return `${migration}/${statement}`;
}

/** Statements of one migration in one direction; empty when it has no down file. */
export function statementsOf(
  migration: Migration,
  direction: Direction,
): readonly ClassifiedStatement[] {
  return (direction === 'up' ? migration.up : migration.down)?.statements ?? [];
}

/** The statement that an action stands for; undefined for data functions and history rows. */
export function statementOf(migration: Migration, action: Action): ClassifiedStatement | undefined {
  if (action.kind !== 'statement') return undefined;
  return statementsOf(migration, action.direction)[action.statement - 1];
}

/** Number of the last statement: more than there are when some are left out (existing.ts). */
export function lastNumberOf(statements: readonly ClassifiedStatement[]): number {
  return statements.at(-1)?.number ?? 0;
}

/** What a cycle does: `adopt` is only recorded, `migrations` are run in the given order. */
export type Work = {
  readonly adopt: readonly Migration[];
  readonly migrations: readonly Migration[];
  readonly direction: Direction;
};

/**
 * Lists the actions of a cycle: what `schema.sql` makes, the history rows of what is only
 * recorded, then each migration. Going up its data function comes after the statements, going
 * down before them; its history row is always the last.
 */
export function makeActions(
  work: Work,
  expected: ExpectedChanges,
  expectedWrites: ExpectedWrites = new Map(),
): readonly Action[] {
  const { direction } = work;
  const isInstall = ({ number }: Migration) => number === INSTALL_NUMBER;
  const parts: readonly ActionPart[] = [
    ...work.migrations
      .filter(isInstall)
      .flatMap((migration) => statementParts(migration, direction)),
    ...work.adopt.map((migration) => recordPart(migration, 0, 0)),
    ...work.migrations
      .filter((migration) => !isInstall(migration))
      .flatMap((migration) => partsOf(migration, direction)),
  ];
  return parts.map((part, seq) => {
    const key = changesKey(part.migration, part.statement);
    const changes = part.kind === 'statement' ? (expected.get(key) ?? []) : [];
    const [before, after] = [digestChanges(changes, 'before'), digestChanges(changes, 'after')];
    const writes = part.kind === 'statement' ? expectedWrites.get(key) : undefined;
    const action = { ...part, seq, direction, changes, before, expected: after };
    return writes === undefined ? action : { ...action, writes };
  });
}

type ActionPart = Pick<Action, 'migration' | 'kind' | 'statement' | 'of' | 'hash' | 'class'>;

function partsOf(migration: Migration, direction: Direction): ActionPart[] {
  const statements = statementParts(migration, direction);
  const last = lastNumberOf(statementsOf(migration, direction));
  const of = last + (migration.data === null ? 0 : 1);
  const { number, checksum: hash } = migration;
  const data: ActionPart[] =
    migration.data === null
      ? []
      : [{ migration: number, kind: 'data', statement: last + 1, of, hash, class: 'data' }];
  const work = direction === 'up' ? [...statements, ...data] : [...data, ...statements];
  return [...work, recordPart(migration, last + 2, of)];
}

function statementParts(migration: Migration, direction: Direction): ActionPart[] {
  const statements = statementsOf(migration, direction);
  const of = lastNumberOf(statements) + (migration.data === null ? 0 : 1);
  return statements.map(({ number: statement, hash, classification }) => ({
    ...{ migration: migration.number, kind: 'statement', statement, of, hash },
    class: classification.class,
  }));
}

function recordPart(
  { number, checksum: hash }: Migration,
  statement: number,
  of: number,
): ActionPart {
  return { migration: number, kind: 'record', statement, of, hash, class: 'record' };
}

function digestChanges(changes: readonly StructureChange[], side: 'before' | 'after'): string {
  if (changes.length === 0) return '';
  const text = changes.map((change) => `${change.key}=${change[side] ?? ''}`).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/**
 * Digest of what a run is going to do: the same files in the same order and direction have the
 * same digest, so that a later process knows whether it may go on with an unfinished run.
 */
export function digestWork({ adopt, migrations, direction }: Work): string {
  const adopted = adopt.map((migration) => [
    migration.number,
    migration.version,
    migration.checksum,
  ]);
  const parts = migrations.map((migration) => [
    migration.number,
    migration.version,
    migration.checksum,
    statementsOf(migration, direction).map((statement) => statement.hash),
  ]);
  return createHash('sha256')
    .update(JSON.stringify([direction, adopted, parts]))
    .digest('hex');
}
