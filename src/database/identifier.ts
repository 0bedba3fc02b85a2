/** Names of schemas, tables and columns: the only place that turns a name into SQL. */
import { createHash } from 'node:crypto';
import { join, raw, type Sql } from 'sql-template-tag';

/** The tables of this program itself: never dumped, swapped, compared or shown as part of a schema. */
export const DEPLOY_TABLES = ['deploy_lock', 'deploy_run', 'deploy_journal'] as const;

/** True for a table of this program itself. Also true for `DEPLOY_LOCK`, which a server may store. */
export function isDeployTable(name: string): boolean {
  return (DEPLOY_TABLES as readonly string[]).includes(name.toLowerCase());
}

/** A name as SQL text: `` a`b `` becomes `` `a``b` ``. Valid in every sql_mode, with any character. */
export function quoteNameText(name: string): string {
  if (name === '' || name.includes('\0')) throw new TypeError('a name is not empty and has no NUL');
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A name as a piece of a `` sql`…` `` template. */
export function quoteName(name: string): Sql {
  return raw(quoteNameText(name));
}

/** `schema.name`, both quoted, as a piece of a `` sql`…` `` template. */
export function qualified(schema: string, name: string): Sql {
  return join([quoteName(schema), quoteName(name)], '.');
}

/**
 * What the names of a database's staging schemas begin with, e.g. `bamort_deploy_`.
 * A long name is shortened and gets a hash: a name may have 64 characters.
 */
export function stagingPrefix(database: string): string {
  const suffix = '_deploy_';
  const room = MAX_NAME - suffix.length - 'stg'.length;
  if (database.length <= room) return database + suffix;
  return `${database.slice(0, room - 9)}_${shortHash(database, 8)}${suffix}`;
}

/** The schema where a restore is staged (`stg`), or where the replaced tables go (`old`). */
export function stagingSchemaName(database: string, kind: 'stg' | 'old'): string {
  return stagingPrefix(database) + kind;
}

/** The first `length` hex digits of the name's SHA-256. */
export function shortHash(name: string, length: number): string {
  return createHash('sha256').update(name).digest('hex').slice(0, length);
}

const MAX_NAME = 64;
