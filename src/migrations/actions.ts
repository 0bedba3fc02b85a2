/**
 * What a run does to the database, as one flat list: every statement, data function and history
 * row of the migrations in the order in which they take effect. Pure. The list is written to
 * `deploy_run` before the first change, so that another process can go on with it.
 */
import { createHash } from 'node:crypto';
import type { JournalEntry } from '../statements/journal.ts';
import type { Direction } from '../statements/statement.ts';
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
};

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

/** What a cycle does: `adopt` is only recorded, `migrations` are run in the given order. */
export type Work = {
  readonly adopt: readonly Migration[];
  readonly migrations: readonly Migration[];
  readonly direction: Direction;
};

/**
 * Lists the actions of a cycle. Going up the data function comes after the statements, going
 * down before them; the history row is always the last of its migration.
 */
export function makeActions(work: Work, expected: ExpectedChanges): readonly Action[] {
  const { direction } = work;
  const actions: Action[] = work.adopt.map((migration, seq) => ({
    ...{ seq, migration: migration.number, direction, statement: 0, hash: migration.checksum },
    ...{ class: 'record', kind: 'record', of: 0, changes: [], before: '', expected: '' },
  }));
  for (const migration of work.migrations) {
    const statements = statementsOf(migration, direction);
    const of = statements.length + (migration.data === null ? 0 : 1);
    const add = (kind: Action['kind'], statement: number, more: Pick<Action, 'hash' | 'class'>) => {
      const changes =
        kind === 'statement' ? (expected.get(changesKey(migration.number, statement)) ?? []) : [];
      const digest = (side: 'before' | 'after') => digestChanges(changes, side);
      actions.push({
        seq: actions.length,
        migration: migration.number,
        direction,
        statement,
        kind,
        of,
        changes,
        before: digest('before'),
        expected: digest('after'),
        ...more,
      });
    };
    const data = () => {
      if (migration.data !== null)
        add('data', statements.length + 1, { hash: migration.checksum, class: 'data' });
    };

    if (direction === 'down') data();
    for (const statement of statements) {
      add('statement', statement.number, {
        hash: statement.hash,
        class: statement.classification.class,
      });
    }
    if (direction === 'up') data();
    add('record', statements.length + 2, { hash: migration.checksum, class: 'record' });
  }
  return actions;
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
