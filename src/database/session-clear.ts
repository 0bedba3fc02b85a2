/** Takes out of a session what SQL left in it besides the variables that `setFreshSession` sets. */
import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Db } from './connect.ts';
import { quoteName } from './identifier.ts';

/** What SQL may have left in its session. Names that are not there do no harm. */
export type LeftBehind = {
  readonly tables: readonly string[];
  readonly sequences: readonly string[];
  readonly userVariables: readonly string[];
  /** Session variables of the server, in lower case. */
  readonly variables: readonly string[];
  readonly prepared: readonly string[];
};

/**
 * Removes temporary tables, user variables and prepared statements, and gives variables the server's own
 * value. Sends nothing when there is nothing to remove. No table of the database is touched, and
 * nothing commits.
 */
export async function clearSession(db: Db, left: LeftBehind): Promise<void> {
  const { tables, sequences, userVariables, variables, prepared } = left;
  const names = (list: readonly string[]) => join(list.map(quoteName));
  if (tables.length > 0) await db.run(sql`DROP TEMPORARY TABLE IF EXISTS ${names(tables)}`);
  if (sequences.length > 0)
    await db.run(sql`DROP TEMPORARY SEQUENCE IF EXISTS ${names(sequences)}`);
  const sets: Sql[] = [
    ...userVariables.map((name) => sql`@${quoteName(name)} = NULL`),
    ...variables
      .filter((name) => /^\w+$/.test(name) && !WITHOUT_DEFAULT.has(name))
      .map((name) => sql`SESSION ${raw(name)} = DEFAULT`),
  ];
  if (sets.length > 0) await db.run(sql`SET ${join(sets)}`);
  for (const name of prepared) {
    // Only a name that is there can be given up.
    await db.run(sql`PREPARE ${quoteName(name)} FROM 'DO 0'`);
    await db.run(sql`DEALLOCATE PREPARE ${quoteName(name)}`);
  }
}

/** They have no default, or one that the next statement must not be read with (`SET NAMES` sets it). */
const WITHOUT_DEFAULT: ReadonlySet<string> = new Set([
  'insert_id',
  'last_insert_id',
  'identity',
  'timestamp',
  'rand_seed1',
  'rand_seed2',
  'skip_parallel_replication',
  'default_master_connection',
  'character_set_client',
  'character_set_results',
  'character_set_connection',
  'collation_connection',
]);
