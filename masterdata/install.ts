/**
 * What a fresh installation of Bamort has besides its schema and its master data: the rows that
 * migrations would have made, and the admin. Runs in the transaction of the caller, may run again.
 * Imports nothing at run time, as this folder may be mounted anywhere.
 */
import { createHash } from 'node:crypto';
import type { Sql } from 'sql-template-tag';
import type { Db } from '../src/database/connect.ts';

export type Admin = { readonly user: string; readonly email: string; readonly password: string };

/** What is wrong with an admin's data, as sentences; to be asked before anything is installed. */
export function check({ user, email, password }: Admin): string[] {
  const problems: string[] = [];
  if (user.trim() === '' || [...user].length > 191)
    problems.push('the user needs a name of 1 to 191 characters');
  // The backend's form for a forgotten password takes no other address, and '' can be there only once.
  if (!/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(email) || email.length > 191) {
    problems.push('the e-mail address must be a whole one, such as admin@example.org');
  }
  // The backend's own limit for a new password.
  if ([...password].length < 6) problems.push('the password needs at least 6 characters');
  return problems;
}

/**
 * Makes the first game system, the version row that the backend looks for, and the admin. A user
 * of that name, under the collation of the column, keeps everything but the role. Gives what it
 * did, as sentences without the password.
 */
export async function install(db: Db, admin: Admin): Promise<string[]> {
  const problems = check(admin);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return [
    ...(await addGameSystem(db)),
    ...(await addVersionRow(db)),
    ...(await addAdmin(db, admin)),
  ];
}

/** As migration 0007 makes it; its time is a fixed one. */
async function addGameSystem(db: Db): Promise<string[]> {
  const { affectedRows } = await db.run(sql`
    INSERT INTO game_systems (id, code, name, description, is_active, created_at, modified_at)
    SELECT 1, 'M5', 'M-System', '', 1, 1769385600, 1769385600
    FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM game_systems WHERE id = 1 OR code = 'M5')`);
  return affectedRows === 0 ? [] : ['added game system M5'];
}

/**
 * As migrations 0001 and 0007 make it: the backend appends a row '0.1.37' whenever there is none.
 * It shows the newest row as the version of the database, so that what was the newest must be
 * the newest again.
 */
async function addVersionRow(db: Db): Promise<string[]> {
  const newest = await db.one<{ id: string }>(
    'SELECT id FROM schema_version ORDER BY id DESC LIMIT 1',
  );
  const { affectedRows } = await db.run(sql`
    INSERT INTO schema_version (version, migration_number, backend_version, description)
    SELECT '0.1.37', 1, '0.1.37', 'placeholder of the installation: keeps the backend from adding one'
    FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM schema_version WHERE version = '0.1.37')`);
  if (affectedRows === 0) return [];
  if (newest !== undefined) {
    await db.run(sql`
      INSERT INTO schema_version
        (version, migration_number, applied_at, backend_version, description, checksum)
      SELECT version, migration_number, applied_at, backend_version, description, checksum
      FROM schema_version WHERE id = ${newest.id}`);
    await db.run(sql`DELETE FROM schema_version WHERE id = ${newest.id}`);
  }
  return ['added the version row that the backend looks for'];
}

async function addAdmin(db: Db, { user, email, password }: Admin): Promise<string[]> {
  const found = await db.one<{ role: string | null }>(
    sql`SELECT role FROM users WHERE username = ${user}`,
  );
  if (found?.role === 'admin') return [];
  if (found !== undefined) {
    await db.run(
      sql`UPDATE users SET role = 'admin', updated_at = NOW(3) WHERE username = ${user}`,
    );
    return [`gave the user ${user} the role admin; the password is as before`];
  }
  const taken = await db.one(sql`SELECT user_id FROM users WHERE email = ${email}`);
  if (taken !== undefined)
    throw new Error('the e-mail address of the admin is that of another user');
  // The column came with backend 0.2, and must have a value.
  const named = await db.one(`SELECT 1 FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'users' AND column_name = 'display_name'`);
  // What the backend compares: the MD5 of the password, in hex, in lower case, without salt. Made
  // here, so that no log of the server ever has the password.
  const hash = createHash('md5').update(password).digest('hex');
  await db.run(sql`
    INSERT INTO users
      (username, password_hash, email, role, preferred_language, created_at, updated_at)
    VALUES (${user}, ${hash}, ${email}, 'admin', 'de', NOW(3), NOW(3))`);
  if (named !== undefined) {
    await db.run(sql`UPDATE users SET display_name = ${user} WHERE username = ${user}`);
  }
  return [`added the admin ${user}`];
}

/** Values stay apart from the text of a statement; the connection joins them. */
function sql(strings: TemplateStringsArray, ...values: readonly unknown[]): Sql {
  return { strings, values } as unknown as Sql;
}
