import type { Borrowed } from './borrowed-names.ts';
import type { Section } from './section-file.ts';

/**
 * How far a restore is. The run's record keeps it, written *before* what it allows, so that after
 * any death the next run knows what may have been done:
 *
 * - `staging`: nothing of the live schema was touched, but for placeholder sequences that are there
 *   while tables are loaded, and for the names of what stands where they have to be. Begins anew.
 * - `replacing`: a restore in place has dropped some of the tables, or all. Begins anew, only forward.
 * - `swapping`: triggers and events of the live schema may be gone; whether the tables are swapped
 *   is read from the server. Goes forward.
 * - `swapped`: the tables are the restored ones. Views, routines and triggers may be the old ones.
 * - `compared`: all but the events is restored and compared. The replaced tables may be dropped.
 */
export type RestoreState =
  | ({ readonly phase: 'staging'; readonly set: string } & Borrowed)
  | {
      readonly phase: 'swapping';
      readonly set: string;
      /** The live schema has tables, so that the schema of the replaced ones tells of the swap. */
      readonly hadTables: boolean;
      /** What makes the live triggers and events again when the swap has to be given up. */
      readonly triggers: readonly Section[];
      readonly events: readonly Section[];
    }
  | { readonly phase: 'replacing'; readonly set: string }
  | {
      readonly phase: 'swapped' | 'compared';
      readonly set: string;
      /** There are no other schemas to be dropped. */
      readonly inPlace?: true;
    };
