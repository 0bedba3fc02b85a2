/** Turns the wish to stop (SIGTERM, SIGINT) into an end in time. */
import sql from 'sql-template-tag';
import { type Db, withConnection } from '../database/connect.ts';
import { type Hold, readLock } from '../database/lock.ts';
import { killConnections } from '../database/lock-threads.ts';
import type { RunContext } from './context.ts';

/** Docker waits ten seconds by default, two more than STOP_GRACE_SECONDS. */
const LAST_RESORT_MS = 1_500;

/**
 * While the lock is held: when the process was told to stop and is not at its end after
 * STOP_GRACE_SECONDS, what still runs on the server is ended there. A statement on the
 * working connection is undone by the server (KILL QUERY), and the journal knows that it was
 * begun; other connections of the run are killed. A little later the working connection is, too:
 * what nobody foresaw then ends as after a crash, and no statement goes on unknown.
 */
export function watchStop(context: RunContext, hold: Hold): { end(): void } {
  const { config, stop, log } = context;
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, work: (db: Db) => Promise<unknown>) => {
    const run = () =>
      withConnection(config.database, {}, work).catch((error: unknown) =>
        log.warn({ err: error }, 'what runs on the server could not be ended'),
      );
    timers.push(setTimeout(run, ms));
  };
  const onStop = () => {
    log.warn(
      `told to stop: ending after the current statement, or in ${config.stopGraceMs / 1000} s`,
    );
    after(config.stopGraceMs, (db) => endStatements(db, context, hold));
    after(config.stopGraceMs + LAST_RESORT_MS, (db) => killConnections(db, [hold.db.id]));
  };
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  return {
    end() {
      for (const timer of timers) clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
    },
  };
}

async function endStatements(db: Db, { readers }: RunContext, hold: Hold): Promise<void> {
  // The lock is gone: the server may have restarted, and the numbers mean other connections.
  if (hold.signal.aborted) return;
  const lock = await readLock(db, hold.database);
  const registered = lock?.epoch === hold.epoch ? lock.otherConnections : [];
  // In this order: what the others are waited for with then ends the run in an orderly way.
  await db.run(sql`KILL QUERY ${hold.db.id}`);
  await killConnections(db, [...readers, ...registered]);
}
