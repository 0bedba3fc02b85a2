/** A restore, as a whole: set, rights, lock, staging, what would be different, confirmation, swap. */

import { openForChange } from './back.ts';
import type { RunContext } from './context.ts';
import { readFacts } from './facts.ts';
import { withLock } from './locked.ts';
import { recoverUnfinished } from './recover.ts';
import { throwIfRefused } from './refuse.ts';
import { type ConfirmRestore, openSet, restore } from './restore.ts';

/**
 * Carries a restore out; the set is verified in full before anything else. An unfinished run is
 * ended first, which has to be confirmed as well.
 *
 * @throws SettledError which says where the database is; DeployError before any change.
 */
export async function runRestore(
  context: RunContext,
  nameOrPath: string,
  confirm: ConfirmRestore,
): Promise<void> {
  const set = await openSet(context, nameOrPath);
  const { report, config, folder } = context;
  report.mode = 'restore';
  const db = await openForChange(context);
  try {
    const facts = await readFacts(db, config, folder);
    const { unfinished } = facts;
    report.database.before = facts.resolution.actualVersion;
    report.database.after = report.database.before;
    const missing = facts.missingRights.map(({ right, why, grant }) => ({
      ...{
        code: 'RIGHT_MISSING' as const,
        message: `${facts.server.currentUser} has not ${right}: ${why}`,
        next: [grant],
      },
    }));
    throwIfRefused({ refusals: missing });
    if (unfinished !== null) {
      await confirm([
        `Run ${unfinished.runId} of ${config.database.name} did not end (${unfinished.state}): it is ended or put back before the restore.`,
      ]);
    }
    await withLock(context, async (hold) => {
      await recoverUnfinished(context, hold, await readFacts(hold.db, config, folder));
      await restore(context, hold, set, confirm);
    });
  } finally {
    await db.close();
  }
}
