/** The sessions in which the objects of a copy are created. */
import sql, { raw } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import type { StoredObject } from './model.ts';

/** Variables that this file sets, and puts back. */
const VARIABLES = [
  'sql_mode',
  'time_zone',
  'foreign_key_checks',
  'innodb_strict_mode',
  'explicit_defaults_for_timestamp',
  'character_set_client',
  'character_set_results',
  'collation_connection',
] as const;

/**
 * Runs `work` with `schema` as the current database and a session in which every statement of
 * SHOW CREATE is accepted as it is; puts the session back.
 */
export async function withCopySession(
  db: Db,
  schema: string,
  work: () => Promise<void>,
): Promise<void> {
  const before = await db.one<Record<string, string | number | null>>(
    `SELECT DATABASE() AS current, ${VARIABLES.map((name) => `@@${name} AS ${name}`).join(', ')}`,
  );
  if (before === undefined) throw new Error('the server gave no session variables');
  try {
    await db.run(sql`USE ${quoteName(schema)}`);
    await setPlainSession(db);
    // MariaDB: read-only in 10.6; there the server's own setting has to do.
    if (Number(before['explicit_defaults_for_timestamp']) !== 1)
      await db.run('SET explicit_defaults_for_timestamp=1').catch(() => {});
    await work();
  } finally {
    if (db.lost() === null) {
      await setBack(db, before);
      const current = before['current'];
      if (typeof current === 'string') await db.run(sql`USE ${quoteName(current)}`);
    }
  }
}

async function setPlainSession(db: Db): Promise<void> {
  await db.run(`SET NAMES utf8mb4, sql_mode='NO_ENGINE_SUBSTITUTION', time_zone='+00:00',
    foreign_key_checks=0, innodb_strict_mode=0, timestamp=DEFAULT`);
}

async function setBack(
  db: Db,
  before: Readonly<Record<string, string | number | null>>,
): Promise<void> {
  await db.run(`SET NAMES utf8mb4, timestamp=DEFAULT`);
  for (const name of VARIABLES.filter(
    (variable) => variable !== 'explicit_defaults_for_timestamp',
  )) {
    const value = before[name] ?? null;
    // Switches come as text, which SET does not take for them.
    await db.run(sql`SET ${raw(name)}=${/^[01]$/.test(String(value)) ? Number(value) : value}`);
  }
  if (Number(before['explicit_defaults_for_timestamp']) !== 1)
    await db.run('SET explicit_defaults_for_timestamp=0').catch(() => {});
}

/**
 * Creates one piece of code with the sql_mode, character sets and time zone that it was created
 * with, which the server keeps with it.
 */
export async function runAs(
  db: Db,
  object: StoredObject,
  text: string,
  schema: string,
  schemaCollation: string,
): Promise<void> {
  const { sqlMode, charset, connectionCollation, databaseCollation, timeZone } = object.attributes;
  const otherCollation = databaseCollation !== undefined && databaseCollation !== schemaCollation;
  try {
    if (otherCollation) await setSchemaCollation(db, schema, databaseCollation);
    if (sqlMode !== undefined) await db.run(sql`SET sql_mode=${sqlMode}`);
    if (timeZone !== undefined) await db.run(sql`SET time_zone=${timeZone}`);
    // An event whose time has passed is not created at all: the clock stands still before it.
    if (object.kind === 'event') await db.run('SET timestamp=1');
    await runInCharset(db, text, charset ?? 'utf8mb4', connectionCollation ?? '');
  } finally {
    if (db.lost() === null) {
      await setPlainSession(db);
      if (otherCollation) await setSchemaCollation(db, schema, schemaCollation);
    }
  }
}

async function runInCharset(
  db: Db,
  text: string,
  charset: string,
  connectionCollation: string,
): Promise<void> {
  await db.run(sql`SET character_set_client=${charset}`);
  if (connectionCollation !== '')
    await db.run(sql`SET collation_connection=${connectionCollation}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the same in every client character set.
  if (charset.startsWith('utf8') || /^[\x00-\x7f]*$/.test(text)) {
    await db.run(text);
    return;
  }
  // The server turns a dynamic statement into the client's character set before it reads it.
  const hex = Buffer.from(text, 'utf8').toString('hex');
  await db.run(`EXECUTE IMMEDIATE _utf8mb4 0x${hex}`);
}

async function setSchemaCollation(db: Db, schema: string, collation: string): Promise<void> {
  await db.run(sql`ALTER DATABASE ${quoteName(schema)} COLLATE ${raw(collation)}`);
}
