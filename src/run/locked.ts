/** Holds the deploy lock around a command, and turns the wish to stop into an end in time. */
import { connect } from '../database/connect.ts';
import { type Hold, holdLock } from '../database/lock.ts';
import { ensureRunTable } from '../history/runs.ts';
import { ensureJournalTable } from '../statements/journal.ts';
import type { RunContext } from './context.ts';
import { step } from './report.ts';
import { watchStop } from './watch-stop.ts';

/**
 * Runs `work` while holding the deploy lock, with this program's own tables in place.
 * The lock belongs to the connection: if the process dies, the server frees it.
 * When the process is told to stop it ends in time (watch-stop.ts).
 *
 * @throws DeployError `LOCK_HELD` after LOCK_WAIT_SECONDS, naming the holder.
 */
export async function withLock<T>(
  context: RunContext,
  work: (hold: Hold, lock: { readonly waited: boolean }) => Promise<T>,
): Promise<T> {
  const { config, report, log, stop } = context;
  context.keepLog();
  const { hold, waited } = await step(report, 'lock', () =>
    holdLock(() => connect(config.database, { database: config.database.name }), {
      ...{
        database: config.database.name,
        waitMs: config.lockWaitMs,
        runId: report.run_id,
        log,
        signal: stop,
      },
    }),
  );
  const watch = watchStop(context, hold);
  try {
    await ensureRunTable(hold.db);
    await ensureJournalTable(hold);
    return await work(hold, { waited });
  } finally {
    watch.end();
    await hold.release();
  }
}
