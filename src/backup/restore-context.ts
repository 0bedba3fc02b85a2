import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { connect, type Db } from '../database/connect.ts';
import { stagingSchemaName } from '../database/identifier.ts';
import type { Hold } from '../database/lock.ts';
import { stopReason, throwIfAborted } from './failures.ts';
import type { BackupSet } from './manifest.ts';
import type { OnProgress } from './progress.ts';
import type { RestoreState } from './restore-state.ts';

/** What every step of a restore is given. */
export type RestoreContext = {
  readonly hold: Hold;
  readonly address: ServerAddress;
  readonly database: string;
  /** Schema in which the set is loaded. */
  readonly stg: string;
  /** Schema into which the replaced tables go. */
  readonly old: string;
  readonly set: BackupSet;
  readonly log: Log;
  readonly onProgress: OnProgress;
  readonly save: (state: RestoreState) => Promise<void>;
  /** Heeded until the swap begins; from then on the restore goes to its end. */
  readonly signal: AbortSignal | undefined;
  /** See `RestoreOptions`. */
  readonly mayMoveAside: boolean;
  /** How long to try to get the tables for the swap. */
  readonly swapWaitMs: number;
};

/** The names of the two schemas of a restore. */
export function restoreSchemas(database: string): { readonly stg: string; readonly old: string } {
  return { stg: stagingSchemaName(database, 'stg'), old: stagingSchemaName(database, 'old') };
}

/** Runs `work` with a connection of its own; see `withWorkers`. */
export function withWorker<T>(
  context: Pick<RestoreContext, 'hold' | 'address'>,
  schema: string,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  return withWorkers(context, { schema, count: 1 }, ([db]) => work(db!));
}

/**
 * Runs `work` with connections of its own whose default database is `schema`. They are registered
 * with the lock before: a take-over ends them, and so does the loss of the lock.
 */
export async function withWorkers<T>(
  { hold, address }: Pick<RestoreContext, 'hold' | 'address'>,
  { schema, count }: { readonly schema: string; readonly count: number },
  work: (dbs: readonly Db[]) => Promise<T>,
): Promise<T> {
  const dbs: Db[] = [];
  const stop = () => {
    for (const db of dbs) db.destroy();
  };
  hold.signal.addEventListener('abort', stop, { once: true });
  try {
    while (dbs.length < count) {
      const db = await connect(address, { database: schema, sendsRows: true });
      dbs.push(db);
      await hold.register(db.id);
    }
    throwIfAborted(hold.signal);
    return await work(dbs);
  } catch (error) {
    if (hold.signal.aborted) throw stopReason(hold.signal);
    throw error;
  } finally {
    hold.signal.removeEventListener('abort', stop);
    await Promise.all(dbs.map((db) => db.close()));
  }
}
