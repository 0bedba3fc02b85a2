/** A restore, as a whole: set, rights, lock, staging, what would be different, confirmation, swap. */

import { openForChange } from './back.ts';
import type { RunContext } from './context.ts';
import { readFacts } from './facts.ts';
import { findDump, importDump } from './import-dump.ts';
import { withLock } from './locked.ts';
import { recoverUnfinished } from './recover.ts';
import { throwIfRefused } from './refuse.ts';
import { type ConfirmRestore, openSet, restore } from './restore.ts';

/**
 * Carries a restore out. A set is verified in full before anything else; a dump file becomes a set
 * first. An unfinished run is ended before, which has to be confirmed as well.
 *
 * @throws SettledError which says where the database is; DeployError before any change.
 */
export async function runRestore(
  context: RunContext,
  nameOrPath: string,
  confirm: ConfirmRestore,
): Promise<void> {
  const dump = await findDump(context, nameOrPath);
  const given = dump === null ? await openSet(context, nameOrPath) : null;
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
    const { set, lines } =
      given === null ? await importDump(context, facts, dump!) : { set: given, lines: [] };
    await withLock(context, async (hold) => {
      await recoverUnfinished(context, hold, await readFacts(hold.db, config, folder));
      await restore(context, hold, set, (more) => confirm([...lines, ...more]));
    });
  } finally {
    await db.close();
  }
}
