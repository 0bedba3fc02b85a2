/** Which tables the database has, as far as it matters here: what is there can be read in one query. */
import sql, { join } from 'sql-template-tag';
import type { Db } from '../src/database/connect.ts';
import { DEPLOY_TABLES } from '../src/database/identifier.ts';
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
 * Reads what is there in one query; in two when the version tables came or went, or were not
 * looked into for a minute.
 *
 * @throws DeployError `HISTORY_UNREADABLE` when a version table lacks a column.
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
  return { own, hasOthers, types, readAt: now };
}

/** True when nothing can come that is not there yet: then it need not be read with each look. */
export function isComplete(tables: Tables): boolean {
  return isYoung(tables) && ownTables.every((name) => tables.own.has(name));
}

function isYoung({ readAt }: Tables): boolean {
  return performance.now() - readAt < typesLifeMs;
}
