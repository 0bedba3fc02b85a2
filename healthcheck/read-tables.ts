/** Which tables the database has, as far as it matters here: what is there can be read in one query. */
import sql, { join } from 'sql-template-tag';
import type { Db } from '../src/database/connect.ts';
import { DEPLOY_TABLES, qualified } from '../src/database/identifier.ts';
import { isMissingTable } from '../src/database/server-errors.ts';
import { type AppliedAtTypes, readAppliedAtTypes } from '../src/history/read.ts';

export type Tables = {
  /** Those of `ownTables` that are there. */
  readonly own: ReadonlySet<string>;
  /** Tables or views besides them. */
  readonly hasOthers: boolean;
  readonly types: AppliedAtTypes;
  readonly readAt: number;
};

const ownTables = ['schema_version', 'migration_history', ...DEPLOY_TABLES];

/** Others change these tables, too: the backend may turn a column into another type. */
const typesLifeMs = 60_000;

/**
 * Reads what is there in one query; in some more when one of these tables came or went, or was not
 * looked into for a minute.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a version table lacks a column; the server's error
 * when the account may not read one of these tables, be it there or not.
 */
export async function readTables(db: Db, database: string, before: Tables | null): Promise<Tables> {
  const names = join(ownTables);
  const rows = await db.query<{ name: string | null }>(sql`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = ${database} AND table_name IN (${names})
    UNION ALL (SELECT NULL FROM information_schema.tables
      WHERE table_schema = ${database} AND table_name NOT IN (${names}) LIMIT 1)`);
  const own = new Set(rows.flatMap(({ name }) => (name === null ? [] : [name])));
  const hasOthers = rows.some(({ name }) => name === null);
  const now = performance.now();
  const isKnown =
    before !== null && isYoung(before) && before.own.symmetricDifference(own).size === 0;
  if (isKnown) return { ...before, own, hasOthers };
  const hasVersions = own.has('schema_version') || own.has('migration_history');
  const types = hasVersions
    ? await readAppliedAtTypes(db, database)
    : { schema_version: null, migration_history: null };
  const seen = new Set<string>(
    [...own].filter((name) => types[name as keyof AppliedAtTypes] !== null),
  );
  await assertNotDenied(
    db,
    database,
    ownTables.filter((name) => !seen.has(name)),
  );
  return { own, hasOthers, types, readAt: now };
}

/**
 * information_schema hides what the account has no right on: a table that is not there, and one with
 * a run that this account may not see, look alike. A SELECT tells them apart.
 */
async function assertNotDenied(db: Db, database: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    try {
      await db.query(sql`SELECT 1 FROM ${qualified(database, name)} LIMIT 0`);
    } catch (error) {
      if (!isMissingTable(error)) throw error;
    }
  }
}

/** True when nothing can come that is not there yet: then it need not be read with each look. */
export function isComplete(tables: Tables): boolean {
  return isYoung(tables) && ownTables.every((name) => tables.own.has(name));
}

function isYoung({ readAt }: Tables): boolean {
  return performance.now() - readAt < typesLifeMs;
}
