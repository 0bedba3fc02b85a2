import { setFreshSession } from '../database/session.ts';
import { type Action, statementsOf } from './actions.ts';
import type { ApplyOptions } from './apply.ts';
import { closeFile } from './close-file.ts';
import type { Migration } from './migration.ts';

/**
 * Gives a file the session that it may rely on, without what the file before left there. When a file is entered in its middle its session
 * statements before that place are repeated; `canResume` has seen to it that they suffice.
 *
 * Gives true when it looked at the lock in doing so, false when there was nothing to do.
 *
 * @throws DeployError `LOCK_LOST`
 */
export async function openFile(
  options: Pick<ApplyOptions, 'hold' | 'actions' | 'fromSeq' | 'collation' | 'migrations'>,
  action: Action,
  migration: Migration,
): Promise<boolean> {
  const { hold, collation } = options;
  const entered = action.seq === options.fromSeq;
  const previous = options.actions[action.seq - 1];
  const sameFile =
    previous?.kind === 'statement' &&
    action.kind === 'statement' &&
    previous.migration === action.migration;
  if (sameFile && !entered) return false;
  if (previous?.kind === 'statement' && !sameFile) {
    const before = options.migrations.get(previous.migration)!;
    await closeFile(hold.db, statementsOf(before, previous.direction));
  }
  await setFreshSession(hold.db, { collation, guard: hold.guard });
  if (!sameFile) return true;
  for (const statement of statementsOf(migration, action.direction).slice(
    0,
    action.statement - 1,
  )) {
    if (statement.classification.class === 'session') await hold.db.run(statement.sql);
  }
  return true;
}
