/**
 * What a session may have set that changes the text of SHOW CREATE and information_schema: a
 * migration may have left SET NAMES latin1 or ANSI_QUOTES on the connection that is read from.
 */
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';

/** Facts of the server that reading depends on. */
export type ReadingFacts = {
  readonly namesIgnoreCase: boolean;
  /** MariaDB 11.8 and later: parameters may have defaults, which only SHOW CREATE shows. */
  readonly parametersHaveDefaults: boolean;
};

/**
 * Runs `work` on a session whose settings cannot change what is read, and puts the settings back.
 * On a pinned session (connect()) that costs one small query.
 */
export async function withReadingSession<T>(
  db: Db,
  work: (facts: ReadingFacts) => Promise<T>,
): Promise<T> {
  const now = await db.one<SessionRow>(
    `SELECT @@sql_mode AS sql_mode, @@time_zone AS time_zone,
     @@sql_quote_show_create AS sql_quote_show_create,
     CAST(@@sql_select_limit AS CHAR) AS sql_select_limit,
     @@character_set_client AS character_set_client,
     @@character_set_results AS character_set_results,
     @@character_set_connection AS character_set_connection,
     @@collation_connection AS collation_connection,
     @@lower_case_table_names AS lower_case_table_names, @@version AS version`,
  );
  if (now === undefined) throw new Error('the server gave no session variables');
  const changes = sessionChanges(now);
  const [major = 0, minor = 0] = now.version.split('.').map((part) => Number.parseInt(part, 10));
  const facts = {
    namesIgnoreCase: Number(now.lower_case_table_names) !== 0,
    parametersHaveDefaults: major * 100 + minor >= 1108,
  };
  if (changes.length === 0) return await work(facts);
  try {
    for (const { set } of changes) await db.run(set);
    return await work(facts);
  } finally {
    // A lost connection has no settings to put back; the first error stays the failure.
    if (db.lost() === null) for (const { back } of changes.toReversed()) await db.run(back);
  }
}

type SessionRow = {
  readonly sql_mode: string;
  readonly time_zone: string;
  readonly sql_quote_show_create: number | string;
  readonly sql_select_limit: string;
  readonly character_set_client: string;
  readonly character_set_results: string | null;
  readonly character_set_connection: string;
  readonly collation_connection: string;
  readonly lower_case_table_names: number | string;
  readonly version: string;
};

type Change = { readonly set: Sql; readonly back: Sql };

const NO_LIMIT = '18446744073709551615';
const HARMLESS_MODE =
  /^(?:STRICT_\w+|ERROR_FOR_DIVISION_BY_ZERO|NO_ENGINE_SUBSTITUTION|NO_AUTO_CREATE_USER|NO_ZERO_\w+|NO_AUTO_VALUE_ON_ZERO|ONLY_FULL_GROUP_BY|ALLOW_INVALID_DATES|TIME_ROUND_FRACTIONAL|)$/;

function sessionChanges(now: SessionRow): Change[] {
  const changes: Change[] = [];
  if (!now.sql_mode.split(',').every((mode) => HARMLESS_MODE.test(mode)))
    changes.push({
      set: sql`SET sql_mode='NO_ENGINE_SUBSTITUTION'`,
      back: sql`SET sql_mode=${now.sql_mode}`,
    });
  if (now.time_zone !== '+00:00')
    changes.push({ set: sql`SET time_zone='+00:00'`, back: sql`SET time_zone=${now.time_zone}` });
  if (Number(now.sql_quote_show_create) !== 1)
    changes.push({
      set: sql`SET sql_quote_show_create=1`,
      back: sql`SET sql_quote_show_create=0`,
    });
  if (now.sql_select_limit !== NO_LIMIT)
    changes.push({
      set: sql`SET sql_select_limit=${raw(NO_LIMIT)}`,
      back: sql`SET sql_select_limit=${BigInt(now.sql_select_limit)}`,
    });
  const charsets = [
    now.character_set_client,
    now.character_set_results,
    now.character_set_connection,
  ];
  if (charsets.some((name) => name !== 'utf8mb4'))
    changes.push({
      set: sql`SET NAMES utf8mb4`,
      back: sql`SET character_set_client=${now.character_set_client},
        character_set_results=${now.character_set_results},
        collation_connection=${now.collation_connection}`,
    });
  return changes;
}
