import {
  type MissingRight,
  missingRights,
  needsOfDatabase,
  needsOfRun,
} from '../database/grants.ts';
import type { ServerFacts } from '../database/server.ts';
import { DeployError } from '../errors/deploy-error.ts';

/** What decides, besides the grants, which rights a backup needs. */
export type Routines = {
  /** Definers of the database's routines, e.g. `root@localhost`. */
  readonly definers: readonly string[];
};

/**
 * Refuses an account that does not see everything: without TRIGGER, EVENT or EXECUTE the server
 * hides objects without a word, and the backup would be smaller and look whole (backup.md §0,
 * fact 3). Pure.
 *
 * @throws DeployError `RIGHT_MISSING` with the GRANTs to run
 */
export function assertBackupRights(facts: ServerFacts, routines: Routines): void {
  const name = facts.database.name;
  const pattern = name.replaceAll(/[\\_%]/g, '\\$&');
  const rights = ['SELECT', 'LOCK TABLES', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'EXECUTE'];
  const missing = missingRights(facts, [
    {
      rights,
      on: { kind: 'database', names: [name], pattern },
      why: 'without them a backup would lack objects without saying so',
    },
  ]);
  assertNone(facts, [...missing, ...missingForBodies(facts, routines)]);
}

/**
 * Refuses an account that could not bring a set back: a schema of its own for the staging, and
 * objects in the name of other accounts. Pure.
 *
 * @throws DeployError `RIGHT_MISSING` with the GRANTs to run
 */
export function assertRestoreRights(
  facts: ServerFacts,
  set: {
    readonly definers: readonly string[];
    readonly hasCode: boolean;
    /** Default: staged. */
    readonly how?: 'staged' | 'in place';
  },
): void {
  const others = set.definers.filter((definer) => definer !== facts.currentUser);
  const asOthers =
    others.length === 0 || hasSuper(facts)
      ? []
      : missingRights(facts, [
          {
            rights: ['SET USER'],
            on: { kind: 'global' },
            why: `objects of the backup run as ${others.join(', ')}`,
          },
        ]);
  const { name } = facts.database;
  const needs = set.how === 'in place' ? needsOfDatabase(name) : needsOfRun(name);
  const missing = [...missingRights(facts, needs), ...asOthers];
  assertNone(facts, missing);
  assertBinlogTrust(facts, set.hasCode);
}

/** MariaDB: the text of another account's routine is shown to who may read mysql.proc. */
function missingForBodies(facts: ServerFacts, { definers }: Routines): MissingRight[] {
  if (definers.every((definer) => definer === facts.currentUser)) return [];
  const [major = 0, minor = 0] = facts.serverVersion.split('.').map(Number);
  // MariaDB: from 11.3 on there is a right of its own for it.
  if (major > 11 || (major === 11 && minor >= 3)) {
    const own = missingRights(facts, [
      {
        rights: ['SHOW CREATE ROUTINE'],
        on: { kind: 'database', names: [facts.database.name], pattern: facts.database.name },
        why: 'the text of other accounts’ routines is hidden without it',
      },
    ]);
    if (own.length === 0) return [];
  }
  return missingRights(facts, [
    {
      rights: ['SELECT'],
      on: { kind: 'table', database: 'mysql', table: 'proc' },
      why: 'the text of other accounts’ routines is hidden without it',
    },
  ]);
}

/** With a binary log the server lets only SUPER create functions and triggers, unless told to trust. */
function assertBinlogTrust(facts: ServerFacts, hasCode: boolean): void {
  const { log_bin: logBin, log_bin_trust_function_creators: trust } = facts.variables;
  if (!hasCode || !isOn(logBin) || isOn(trust)) return;
  const missing = missingRights(facts, [
    { rights: ['SUPER'], on: { kind: 'global' }, why: 'the server keeps a binary log' },
  ]);
  if (missing.length === 0) return;
  const what = `${facts.currentUser} may not create functions and triggers while the server keeps a binary log`;
  throw new DeployError('RIGHT_MISSING', what, {
    next: ['let an administrator run: SET GLOBAL log_bin_trust_function_creators = 1;'],
  });
}

function hasSuper(facts: ServerFacts): boolean {
  if (Number(facts.serverVersion.split('.')[0]) >= 11) return false;
  const need = { rights: ['SUPER'], on: { kind: 'global' as const }, why: '' };
  return missingRights(facts, [need]).length === 0;
}

function assertNone(facts: ServerFacts, missing: readonly MissingRight[]): void {
  if (missing.length === 0) return;
  const list = missing.map(({ right, why }) => `${right} (${why})`).join('; ');
  throw new DeployError('RIGHT_MISSING', `the account ${facts.currentUser} lacks ${list}`, {
    where: facts.database.name,
    next: ['let an administrator run:', ...missing.map(({ grant }) => grant)],
    facts: {
      missing: missing.map(({ right }) => right),
      grants: missing.map(({ grant }) => grant),
    },
  });
}

function isOn(value: string | undefined): boolean {
  return value === 'ON' || value === '1';
}
