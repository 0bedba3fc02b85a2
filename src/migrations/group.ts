/**
 * Which actions share one transaction. A commit waits for the disk, and most migrations are small:
 * so what can be rolled back takes the history row with it, and the intent of the statement that
 * comes next. All of it takes effect at once or not at all, so there is no new place to be cut off
 * at, only fewer of them. Pure.
 */
import { type Action, statementsOf } from './actions.ts';
import type { Migration } from './migration.ts';

export type Group = {
  /** At least one. */
  readonly actions: readonly Action[];
  /** The statement whose intent is committed with them; null when it is written by itself. */
  readonly intent: Action | null;
};

/** True for what shares its transaction with its journal row: it took effect when that says done. Pure. */
export function isTransactional(action: Action): boolean {
  return action.class === 'dml' || action.kind !== 'statement';
}

/**
 * The group that begins with the transactional action at `seq`: never more than one that changes
 * rows of the application, so that no transaction grows beyond what its file asks for.
 */
export function groupAt(
  seq: number,
  actions: readonly Action[],
  migrations: ReadonlyMap<number, Migration>,
): Group {
  const first = actions[seq]!;
  const migration = migrations.get(first.migration)!;
  const follower = actions[seq + 1];
  const takesRecord =
    first.kind === 'statement' &&
    follower?.kind === 'record' &&
    follower.migration === first.migration &&
    leavesSession(migration, first.direction);
  const members = takesRecord ? [first, follower] : [first];
  const next = actions[seq + members.length];
  return { actions: members, intent: canBeIntended(next, first, migrations) ? next : null };
}

/** A history row needs the session of a fresh file: nothing before it in its file may have changed that. */
function leavesSession(migration: Migration, direction: Action['direction']): boolean {
  return statementsOf(migration, direction).every(
    ({ classification: { class: kind, sessionDependent } }) =>
      ['ddl', 'ddl-not-atomic', 'dml'].includes(kind) && !sessionDependent,
  );
}

function canBeIntended(
  next: Action | undefined,
  first: Action,
  migrations: ReadonlyMap<number, Migration>,
): next is Action {
  // Whoever is stopped behind the commit leaves an intent that never began: the structure must tell.
  if (next?.class !== 'ddl' || next.changes.length === 0) return false;
  // What may fail is looked at before it begins.
  return next.migration === first.migration || migrations.get(next.migration)!.critical;
}
