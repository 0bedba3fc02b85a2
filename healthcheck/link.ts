/** The sidecar's connection: one at a time, read-only, with short time-outs, opened again when lost. */
import type { ServerAddress } from '../src/config/config.ts';
import { connect, type Db } from '../src/database/connect.ts';

export type Link = {
  /** Gives the open connection, or opens one. Rejects with the server's or the socket's error. */
  use(): Promise<{ readonly db: Db; readonly isNew: boolean }>;
  /** Cuts the connection, also one that is being opened: the next `use` opens another. */
  drop(): void;
};

const connectTimeoutMs = 2_000;

/** Gives a link that has opened nothing yet. At no time has it more than one connection. */
export function makeLink(address: ServerAddress, database: string): Link {
  let current: Db | null = null;
  let attempt = new AbortController();

  async function open(): Promise<Db> {
    const { signal } = attempt;
    const db = await connect(address, { database, connectTimeoutMs, signal });
    // The signal ends here, drop() goes on: so the connection is known before it is set up.
    if (signal.aborted) db.destroy();
    else current = db;
    try {
      await db.run(limits);
      return db;
    } catch (error) {
      // Without its limits it must not be used again.
      if (current === db) current = null;
      db.destroy();
      throw error;
    }
  }

  return {
    async use() {
      if (current !== null && current.lost() === null) return { db: current, isNew: false };
      return { db: await open(), isNew: true };
    },
    drop() {
      attempt.abort();
      attempt = new AbortController();
      current?.destroy();
      current = null;
    },
  };
}

/**
 * No look may block: neither behind a long ALTER nor behind a locked table. Read-only: whatever
 * the account may do, this session cannot write. A forgotten connection ends by itself.
 */
const limits = `SET SESSION max_statement_time=2, lock_wait_timeout=2, innodb_lock_wait_timeout=2,
 tx_read_only=1, wait_timeout=120`;
