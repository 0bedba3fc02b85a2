/** Everything that the plan is made from, read without a lock and without changing anything. */
import sql from 'sql-template-tag';
import type { Config } from '../config/config.ts';
import type { Db } from '../database/connect.ts';
import { listEvents } from '../database/events.ts';
import { listAccounts } from '../database/fence.ts';
import { missingFenceRights } from '../database/fence-way.ts';
import { type MissingRight, missingRights, needsOfEvents, needsOfRun } from '../database/grants.ts';
import { isDeployTable } from '../database/identifier.ts';
import { readServer, type ServerFacts } from '../database/server.ts';
import { VERSION_TABLES } from '../history/tables.ts';
import { readTraces, type Traces } from '../history/traces.ts';
import type { MigrationFolder } from '../migrations/files.ts';
import type { SchemaVersion } from '../migrations/migration.ts';
import type { StructuralRun } from '../migrations/structural-run.ts';
import type { SchemaDifference } from '../schema/model.ts';
import type { Masterdata } from './masterdata-source.ts';
import { readStateFacts, type StateFacts } from './state-facts.ts';

/** What an existing schema without history was found to be. */
export type Adoption = {
  /** Highest version whose structure the database has, or null for none. */
  readonly version: SchemaVersion | null;
  /** What the database has besides (version found), or what separates it from the nearest one. */
  readonly differences: readonly SchemaDifference[];
  readonly nearest: SchemaVersion | null;
};

export type Facts = StateFacts & {
  readonly server: ServerFacts;
  readonly missingRights: readonly MissingRight[];
  readonly missingFenceRights: readonly MissingRight[];
  /** Names of FENCE_USERS that no account has; empty where a right is missing: nobody can tell then. */
  readonly unknownFenceUsers: readonly string[];
  /** Tables and views of the application, without version tables and this program's own. */
  readonly relations: readonly string[];
  /** What this program's own tables say about the history; null when nothing is pending. */
  readonly traces: Traces | null;
  /** The master data that `up` syncs; null when there is none, none is asked for, or none has changed. */
  readonly masterdata: Masterdata | null;
  /** Null until somebody looked: it costs a scratch server. */
  readonly adoption: Adoption | null;
  /** Null until the pending migrations were tried on an empty copy. */
  readonly structural: StructuralRun | null;
};

/**
 * Reads the facts. Takes no lock, changes nothing; a handful of queries. `state`: what was read of
 * them before.
 *
 * @throws DeployError `HISTORY_UNREADABLE`; `NO_TARGET` when no migration folder has the required version.
 */
export async function readFacts(
  db: Db,
  config: Config,
  folder: MigrationFolder,
  state?: StateFacts,
): Promise<Facts> {
  const database = config.database.name;
  const server = await readServer(db, database);
  const known = state ?? (await readStateFacts(db, config, folder));
  return {
    ...known,
    server,
    missingRights: missingRights(server, needsOfRun(database)),
    ...(await readFenceFacts(db, config, server)),
    // With nothing pending nothing can be done twice.
    traces: known.resolution.pending.length === 0 ? null : await readTraces(db, database),
    relations: await readRelations(db, database),
    masterdata: null,
    adoption: null,
    structural: null,
  };
}

/** Events are looked at only where one that cannot be held refuses the plan; else `up` warns. */
async function readFenceFacts(
  db: Db,
  { fence, fenceUsers, database }: Config,
  server: ServerFacts,
): Promise<Pick<Facts, 'missingFenceRights' | 'unknownFenceUsers'>> {
  const missing = fenceUsers.length === 0 ? [] : await missingFenceRights(db, server);
  const isAsked = fence !== 'off' && missing.length === 0;
  const known = isAsked ? await listAccounts(db, fenceUsers) : null;
  const events =
    fence === 'require' ? needsOfEvents(await listEvents(db, database.name), server) : [];
  return {
    missingFenceRights: [...missing, ...missingRights(server, events)],
    unknownFenceUsers:
      known === null ? [] : fenceUsers.filter((name) => !known.some(({ user }) => user === name)),
  };
}

async function readRelations(db: Db, database: string): Promise<Facts['relations']> {
  const rows = await db.query<{ name: string }>(
    sql`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${database} ORDER BY table_name`,
  );
  const own = (name: string) =>
    isDeployTable(name) || VERSION_TABLES.some((table) => table === name);
  return rows.map(({ name }) => name).filter((name) => !own(name));
}
