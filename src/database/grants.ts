/**
 * Which rights the account lacks, from the lines of SHOW GRANTS. Pure.
 *
 * MariaDB: of several grants on databases whose names match, only the most specific one counts (tried on
 * 10.11: SELECT on `app%` and INSERT on `app` gives no SELECT on app). Grants of roles add to it.
 */
import { heldNames, type RecordedEvent } from './events.ts';
import { quoteNameText, stagingPrefix, stagingSchemaName } from './identifier.ts';
import type { ServerFacts } from './server.ts';

/** Rights that something needs, all on one kind of object. */
export type Need = {
  readonly rights: readonly string[];
  readonly on:
    | { readonly kind: 'global' }
    /** Each of `names` must be covered; `pattern` is how a GRANT names them. */
    | { readonly kind: 'database'; readonly names: readonly string[]; readonly pattern: string }
    | { readonly kind: 'table'; readonly database: string; readonly table: string };
  /** What the GRANT to suggest grants; the missing rights by default. */
  readonly grantAs?: string;
  readonly why: string;
};

export type MissingRight = {
  /** e.g. `CREATE, DROP on bamort_deploy_%`. */
  readonly right: string;
  readonly why: string;
  /** The exact statement for an administrator. */
  readonly grant: string;
};

const WORK = [
  'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, LOCK TABLES, CREATE VIEW',
  'SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EXECUTE, EVENT, TRIGGER',
].flatMap((line) => line.split(', '));

/** What every run needs: all on the database, and all on its staging schemas. */
export function needsOfRun(database: string): Need[] {
  return [...needsOfDatabase(database), ...needsOfStaging(database)];
}

/** All on the database itself. */
export function needsOfDatabase(database: string): Need[] {
  return [
    {
      rights: WORK,
      on: { kind: 'database', names: [database], pattern: escapePattern(database) },
      grantAs: 'ALL PRIVILEGES',
      why: 'a run backs up, changes and restores every kind of object of the database',
    },
  ];
}

/** All on the schemas in which a restore is staged. */
export function needsOfStaging(database: string): Need[] {
  return [
    {
      rights: WORK,
      on: {
        kind: 'database',
        names: [stagingSchemaName(database, 'stg'), stagingSchemaName(database, 'old')],
        pattern: `${escapePattern(stagingPrefix(database))}%`,
      },
      grantAs: 'ALL PRIVILEGES',
      why: 'a restore is loaded into a schema of its own and swapped in',
    },
  ];
}

/** What keeping FENCE_USERS out needs. CREATE USER is as good as root: docs say what to do instead. */
export function needsOfFence(): Need[] {
  const global = { kind: 'global' } as const;
  return [
    { rights: ['CREATE USER'], on: global, why: 'accounts are locked with ALTER USER' },
    { rights: ['CONNECTION ADMIN'], on: global, why: 'sessions of other accounts are ended' },
    { rights: ['PROCESS'], on: global, why: 'without it sessions of other accounts are invisible' },
    {
      rights: ['SELECT'],
      on: { kind: 'table', database: 'mysql', table: 'global_priv' },
      why: 'only there stands whether an account was locked before',
    },
  ];
}

/** What holding events needs: an account may switch its own with the EVENT right, which every run has. */
export function needsOfEvents(
  events: readonly RecordedEvent[],
  { currentUser }: Pick<ServerFacts, 'currentUser'>,
): Need[] {
  const foreign = heldNames(events.filter(({ definer }) => definer !== currentUser));
  if (foreign.length === 0) return [];
  const why = `events of other accounts are kept from firing: ${foreign.join(', ')}`;
  return [{ rights: ['SET USER'], on: { kind: 'global' }, why }];
}

/** The rights of `needs` that the account lacks, each with the GRANT to run. Empty when all are there. */
export function missingRights(
  facts: Pick<ServerFacts, 'grants' | 'currentUser' | 'serverVersion'>,
  needs: readonly Need[],
): MissingRight[] {
  const grants = facts.grants.map(parseGrant).filter((grant) => grant !== null);
  const superIsAll = Number(facts.serverVersion.split('.')[0]) < 11;
  return needs.flatMap((need) => {
    const missing = need.rights.filter((right) => !isCovered(right, need, grants, superIsAll));
    if (missing.length === 0) return [];
    const target = targetOf(need);
    const what = need.grantAs ?? missing.join(', ');
    return [
      {
        right: `${missing.join(', ')} on ${target.words}`,
        why: need.why,
        grant: `GRANT ${what} ON ${target.sql} TO ${accountSql(facts.currentUser)};`,
      },
    ];
  });
}

function isCovered(
  right: string,
  need: Need,
  grants: readonly Grant[],
  superIsAll: boolean,
): boolean {
  const gives = (grant: Grant) => grant.rights.has('ALL PRIVILEGES') || grant.rights.has(right);
  const isGlobal = (grant: Grant) => grant.database === null;
  if (grants.some((grant) => isGlobal(grant) && gives(grant))) return true;
  if (need.on.kind === 'global') {
    // MariaDB: until 10.11 SUPER includes these two.
    const bySuper = superIsAll && ['CONNECTION ADMIN', 'SET USER'].includes(right);
    return bySuper && grants.some((grant) => isGlobal(grant) && grant.rights.has('SUPER'));
  }
  const { on } = need;
  const names = on.kind === 'table' ? [on.database] : on.names;
  if (names.every((name) => onDatabase(name, grants).some(gives))) return true;
  if (on.kind !== 'table') return false;
  return grants.some(
    (grant) => grant.database === on.database && grant.table === on.table && gives(grant),
  );
}

/** The one grant on databases that counts for `name`, of the account and of each of its roles. */
function onDatabase(name: string, grants: readonly Grant[]): Grant[] {
  const best = new Map<string, Grant>();
  for (const grant of grants) {
    if (grant.database === null || grant.table !== null) continue;
    if (!matchesPattern(grant.database, name)) continue;
    const other = best.get(grant.grantee);
    const isBetter =
      other?.database == null || specificity(grant.database) > specificity(other.database);
    if (isBetter) best.set(grant.grantee, grant);
  }
  return [...best.values()];
}

type Grant = {
  readonly rights: ReadonlySet<string>;
  /** Pattern of database names; null for `*.*`. */
  readonly database: string | null;
  readonly table: string | null;
  readonly grantee: string;
};

const NAME = '`(?:[^`]|``)*`';
const GRANT = new RegExp(`^GRANT (.+?) ON (?:TABLE )?(\\*|${NAME})\\.(\\*|${NAME}) TO (.+)$`, 's');

/** Null for a line that grants a role, a routine or a proxy. */
function parseGrant(line: string): Grant | null {
  const match = GRANT.exec(line);
  if (match === null) return null;
  const [, rights = '', database = '*', table = '*', rest = ''] = match;
  return {
    rights: new Set(
      // A right on some columns only, `SELECT (a, b)`, is none on the table.
      rights
        .replaceAll(/[A-Z ]+\([^)]*\)/g, '')
        .split(',')
        .map((right) => right.trim())
        .filter(Boolean),
    ),
    database: database === '*' ? null : unquote(database),
    table: table === '*' ? null : unquote(table),
    grantee: new RegExp(`^${NAME}(?:@${NAME})?`).exec(rest)?.[0] ?? rest,
  };
}

function unquote(name: string): string {
  return name.slice(1, -1).replaceAll('``', '`');
}

/** `_` is any one character, `%` any number, a backslash takes their meaning away. */
function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern.replaceAll(/\\([\s\S])|([\s\S])/g, (_all, escaped, plain) => {
    if (plain === '_') return '[\\s\\S]';
    if (plain === '%') return '[\\s\\S]*';
    return (escaped ?? plain).replace(/[.*+?^${}()|[\]\\/-]/, '\\$&');
  });
  return new RegExp(`^${source}$`).test(name);
}

/** The later its first wildcard, the more specific a pattern is. */
function specificity(pattern: string): number {
  const wildcard = /(?<!\\)(?:\\\\)*[_%]/.exec(pattern);
  return wildcard === null ? Number.POSITIVE_INFINITY : wildcard.index;
}

function escapePattern(name: string): string {
  return name.replaceAll(/[\\_%]/g, '\\$&');
}

function targetOf({ on }: Need): { sql: string; words: string } {
  switch (on.kind) {
    case 'global':
      return { sql: '*.*', words: 'the server' };
    case 'table':
      return {
        sql: `${quoteNameText(on.database)}.${quoteNameText(on.table)}`,
        words: `${on.database}.${on.table}`,
      };
    case 'database':
      return { sql: `${quoteNameText(on.pattern)}.*`, words: on.pattern.replaceAll('\\', '') };
  }
}

/** `deploy@%` as an account in SQL: `'deploy'@'%'`. */
function accountSql(account: string): string {
  const at = account.lastIndexOf('@');
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  return `${quote(account.slice(0, at))}@${quote(account.slice(at + 1))}`;
}
