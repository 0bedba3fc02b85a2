import type { Classification, StatementClass } from './statement.ts';

/** A classification of which only what differs from the usual is said. */
export type Draft = Partial<Classification> & {
  readonly class: StatementClass;
  readonly verb: string;
};

/** Fills in the usual: allowed, not repeatable, visible, keeps data, unknown tables. */
export function complete(draft: Draft): Classification {
  return {
    forbidden: null,
    repeatable: false,
    invisible: false,
    destroysData: false,
    sessionDependent: false,
    tables: null,
    drops: [],
    ...draft,
  };
}

/** A statement that may not stand in a migration, and why: one sentence about what it would do. */
export function forbid(verb: string, reason: string): Draft {
  return { class: 'opaque', verb, forbidden: reason };
}

/** Why statements are refused; each is used in more than one place. */
export const REASONS = {
  accounts: 'accounts and rights are outside the backup, so they could not be put back',
  server: 'it changes the whole server, which the backup does not hold and other databases share',
  transaction: 'this program opens and ends the transactions, together with its journal',
  otherSchema: 'it names another schema, which the backup does not hold; leave the schema name out',
  locks: 'it would end or block the locks that this program works under',
  files: 'it reads or writes files of the server, which the backup does not hold',
  replication: 'it changes replication, which is outside this database',
} as const;
