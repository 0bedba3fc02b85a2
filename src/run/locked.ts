/** Holds the deploy lock around a command, and turns the wish to stop into an end in time. */
import { withConnection } from '../database/connect.ts';
import { type Hold, holdLock } from '../database/lock.ts';
import { ensureRunTable } from '../history/runs.ts';
import { ensureJournalTable } from '../statements/journal.ts';
import { openConnection, type RunContext } from './context.ts';
import { step } from './report.ts';

/**
 * Runs `work` while holding the deploy lock, with this program's own tables in place.
 * The lock belongs to the connection: if the process dies, the server frees it.
 *
 * When the process is told to stop, a statement that still runs after STOP_GRACE_SECONDS is
 * ended with KILL QUERY: the server undoes it, and the journal knows that it was begun.
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
    holdLock(() => openConnection(context), {
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

function watchStop({ config, stop, log }: RunContext, hold: Hold): { end(): void } {
  let timer: NodeJS.Timeout | undefined;
  const killQuery = () =>
    withConnection(config.database, {}, (db) => db.run(`KILL QUERY ${hold.db.id}`)).catch(
      (error: unknown) => log.warn({ err: error }, 'the running statement could not be ended'),
    );
  const onStop = () => {
    log.warn(
      `told to stop: ending after the current statement, or in ${config.stopGraceMs / 1000} s`,
    );
    timer = setTimeout(killQuery, config.stopGraceMs);
  };
  stop.addEventListener('abort', onStop, { once: true });
  return {
    end() {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
    },
  };
}
