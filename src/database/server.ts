/** What the server is and what it can do, read once and without changing anything. */
import sql, { join } from 'sql-template-tag';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { isMissingRight, toDeployError } from './server-errors.ts';

export type ServerFacts = {
  readonly flavor: 'mariadb' | 'mysql';
  /** Three numbers, e.g. `10.11.19`. */
  readonly serverVersion: string;
  /** VERSION() in full. */
  readonly versionText: string;
  /** The account that the server took, e.g. `deploy@%`. */
  readonly currentUser: string;
  readonly readOnly: boolean;
  /** The server replicates from another one. */
  readonly replica: boolean;
  readonly galera: boolean;
  readonly database: {
    readonly name: string;
    readonly charset: string;
    readonly collation: string;
  };
  /** Data and indexes of the database, as the server estimates them. */
  readonly sizeBytes: number;
  /** Variables on which it depends what a schema means: a scratch server must share them. */
  readonly variables: Readonly<Record<string, string>>;
  /** The lines of SHOW GRANTS, those of the enabled roles included. */
  readonly grants: readonly string[];
};

const VARIABLES = [
  'character_set_server',
  'collation_server',
  'character_set_collations',
  'sql_mode',
  'old_mode',
  'lower_case_table_names',
  'max_allowed_packet',
  'explicit_defaults_for_timestamp',
  'default_storage_engine',
  'innodb_strict_mode',
  'innodb_default_row_format',
  'innodb_page_size',
  'innodb_file_per_table',
  'innodb_ft_min_token_size',
  'innodb_ft_max_token_size',
  'ft_min_word_len',
  'group_concat_max_len',
  'time_zone',
  'system_time_zone',
  'event_scheduler',
  'sql_require_primary_key',
  'system_versioning_alter_history',
  'log_bin',
  'log_bin_trust_function_creators',
];

/**
 * Reads what must be known of the server before a plan can be made. Read-only, needs no lock.
 *
 * @throws DeployError `DATABASE_MISSING`
 */
export async function readServer(db: Db, database: string): Promise<ServerFacts> {
  const server = await db.one<{ version: string; account: string; read_only: number | string }>(
    `SELECT VERSION() AS version, CURRENT_USER() AS account, @@global.read_only AS read_only`,
  );
  const all = await readVariables(db);
  const known = VARIABLES.flatMap((name) => {
    const value = all.get(name);
    return value == null ? [] : [[name, value] as const];
  });
  const schema = await readDatabase(db, database);
  const versionText = server?.version ?? '';
  return {
    flavor: /mariadb/i.test(versionText) ? 'mariadb' : 'mysql',
    serverVersion: versionNumbers(versionText),
    versionText,
    currentUser: server?.account ?? '',
    readOnly: isOn(server?.read_only),
    replica: await isReplica(db),
    galera: isOn(all.get('wsrep_on')),
    database: { name: database, charset: schema.charset, collation: schema.collation },
    sizeBytes: Number(schema.size_bytes),
    variables: Object.fromEntries(known),
    grants: await readGrants(db),
  };
}

/** What the account may do, as `missingRights` takes it. */
export async function readRights(
  db: Db,
): Promise<Pick<ServerFacts, 'serverVersion' | 'currentUser' | 'grants'>> {
  const row = await db.one<{ version: string; account: string }>(
    'SELECT VERSION() AS version, CURRENT_USER() AS account',
  );
  return {
    serverVersion: versionNumbers(row?.version ?? ''),
    currentUser: row?.account ?? '',
    grants: await readGrants(db),
  };
}

/**
 * Refuses a server on which this program cannot keep its promises. Pure.
 *
 * @throws DeployError `SERVER_UNSUPPORTED`, `SERVER_READ_ONLY`
 */
export function assertUsable(facts: ServerFacts): void {
  const [major = 0, minor = 0] = facts.serverVersion.split('.').map(Number);
  // MariaDB: single DDL statements are atomic from 10.6 on; before, a crash can leave half a table.
  if (facts.flavor !== 'mariadb' || major < 10 || (major === 10 && minor < 6)) {
    throw new DeployError('SERVER_UNSUPPORTED', `the server is ${facts.versionText}`, {
      facts: { version: facts.versionText },
    });
  }
  if (facts.readOnly) throw new DeployError('SERVER_READ_ONLY', 'the server is read-only');
  if (facts.replica)
    throw new DeployError('SERVER_READ_ONLY', 'the server is a replica of another');
}

/** `10.11.19` of `10.11.19-MariaDB-0+deb12u1`, and of `5.5.5-10.6.24-MariaDB-1~jessie` what follows the prefix. */
export function versionNumbers(versionText: string): string {
  // MariaDB: replication clients of old once needed a version that begins with 5.5.5-.
  return /\d+\.\d+\.\d+/.exec(versionText.replace(/^5\.5\.5-/, ''))?.[0] ?? '0.0.0';
}

async function readVariables(db: Db): Promise<ReadonlyMap<string, string | null>> {
  const rows = await db.query<{ name: string; value: string | null }>(
    sql`SELECT LOWER(variable_name) AS name, global_value AS value
        FROM information_schema.system_variables WHERE variable_name IN (${join([...VARIABLES, 'wsrep_on'])})`,
  );
  return new Map(rows.map(({ name, value }) => [name, value]));
}

type SchemaRow = { charset: string; collation: string; size_bytes: string };

async function readDatabase(db: Db, database: string): Promise<SchemaRow> {
  const row = await db.one<SchemaRow>(sql`
    SELECT default_character_set_name AS charset, default_collation_name AS collation,
      (SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables
       WHERE table_schema = ${database}) AS size_bytes
    FROM information_schema.schemata WHERE schema_name = ${database}`);
  if (row !== undefined) return row;
  throw new DeployError('DATABASE_MISSING', `the server has no database ${database}`);
}

/** SHOW ALL SLAVES STATUS needs a right; the replication threads' status variable does not. */
async function isReplica(db: Db): Promise<boolean> {
  try {
    return (await db.query('SHOW ALL SLAVES STATUS')).length > 0;
  } catch (error) {
    if (!isMissingRight(error)) throw toDeployError(error, 'the replication could not be read');
  }
  const row = await db.one<{ value: string }>(
    `SELECT variable_value AS value FROM information_schema.global_status
     WHERE variable_name = 'SLAVE_RUNNING'`,
  );
  return isOn(row?.value ?? 'OFF');
}

/** Without FOR, SHOW GRANTS shows the account's own grants and those of the roles that are enabled. */
async function readGrants(db: Db): Promise<string[]> {
  const rows = await db.query<Record<string, string>>('SHOW GRANTS');
  return rows.map((row) => Object.values(row)[0] ?? '').map(withoutPassword);
}

/** SHOW GRANTS holds the hash of the account's password. */
export function withoutPassword(grant: string): string {
  return grant.replace(/ IDENTIFIED (?:BY|VIA) .*?(?= REQUIRE | WITH |$)/s, '');
}

function isOn(value: unknown): boolean {
  return value === 1 || value === '1' || value === 'ON';
}
