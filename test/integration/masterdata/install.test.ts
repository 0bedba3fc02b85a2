import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { check, install } from '../../../masterdata/install.ts';
import type { Db } from '../../../src/database/connect.ts';
import { inTransaction } from '../../../src/database/transaction.ts';
import { runUpTo } from '../../support/bamort/migrate.ts';
import { makeSchema } from '../../support/masterdata.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const admin = { user: 'spielleiter', email: 'sl@example.org', password: 'Geheim)@/ä' };

async function freshDatabase(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await makeSchema(db);
  return db;
}

/** As the backend does it: the user by name, then the two hashes as texts, byte by byte. */
async function logIn(db: Db, username: string, password: string): Promise<boolean> {
  const [user] = await db.query<{ password_hash: string }>(
    `SELECT * FROM users WHERE username = '${username}' ORDER BY user_id LIMIT 1`,
  );
  return user?.password_hash === createHash('md5').update(password).digest('hex');
}

describe("Bamort's installation", () => {
  test('makes an admin who can log in as the backend checks it', async () => {
    const db = await freshDatabase();

    await inTransaction(db, () => install(db, admin));

    assert.equal(await logIn(db, 'spielleiter', admin.password), true);
    assert.equal(
      await logIn(db, 'Spielleiter', admin.password),
      true,
      'names are found by collation',
    );
    assert.equal(await logIn(db, 'spielleiter', 'geheim)@/ä'), false);
    const [user] =
      await db.query(`SELECT user_id, username, role, email, preferred_language, display_name,
      password_hash REGEXP BINARY '^[0-9a-f]{32}$' AS hex, reset_pw_hash,
      ABS(TIMESTAMPDIFF(SECOND, created_at, NOW())) < 60 AND updated_at = created_at AS timed FROM users`);
    assert.deepEqual(user, {
      ...{ user_id: '1', username: 'spielleiter', role: 'admin', email: 'sl@example.org' },
      ...{
        preferred_language: 'de',
        display_name: 'spielleiter',
        hex: 1,
        reset_pw_hash: null,
        timed: 1,
      },
    });
  });

  test('makes the admin also where users have no display name yet', async () => {
    const db = await server.connect(await server.createDatabase());
    await runUpTo(db, '0.5.0');
    await db.run('ALTER TABLE users DROP COLUMN display_name');

    await install(db, admin);

    assert.equal(await logIn(db, 'spielleiter', admin.password), true);
  });

  test('may run again: nothing is there twice', async () => {
    const db = await freshDatabase();
    await install(db, admin);

    assert.deepEqual(
      await install(db, { ...admin, user: 'SPIELLEITER', password: 'other-one' }),
      [],
    );

    assert.equal(await logIn(db, 'spielleiter', admin.password), true, 'the password stays');
    for (const table of ['users', 'game_systems', 'schema_version']) {
      assert.equal((await db.query(`SELECT * FROM ${table}`)).length, 1, table);
    }
  });

  test('gives a user who is there only the role', async () => {
    const db = await freshDatabase();
    await db.run(`INSERT INTO users (username, password_hash, email, role)
      VALUES ('Spielleiter', 'abc', 'old@example.org', 'standard')`);

    await install(db, admin);

    const users = await db.query('SELECT username, password_hash, email, role FROM users');
    assert.deepEqual(users, [
      { username: 'Spielleiter', password_hash: 'abc', email: 'old@example.org', role: 'admin' },
    ]);
  });

  test('makes the game system that the migrations make', async () => {
    const [installed, migrated] = [
      await freshDatabase(),
      await server.connect(await server.createDatabase()),
    ];
    await runUpTo(migrated, '0.5.0');

    await install(installed, admin);

    const read = (db: Db) => db.query('SELECT * FROM game_systems');
    assert.deepEqual(await read(installed), await read(migrated));
  });

  test('keeps the newest version row the last one, and the backend from adding its own', async () => {
    const db = await freshDatabase();
    await db.run(`INSERT INTO schema_version (version, migration_number, applied_at, backend_version, checksum)
      VALUES ('0.4.0', 6, 5, '0.2.2', 'a'), ('0.5.0', 11, 6, '0.2.2', 'b')`);

    await install(db, admin);

    const rows = await db.query(
      'SELECT version, applied_at, checksum FROM schema_version ORDER BY id',
    );
    assert.deepEqual(rows, [
      { version: '0.4.0', applied_at: '5', checksum: 'a' },
      { version: '0.1.37', applied_at: null, checksum: null },
      { version: '0.5.0', applied_at: '6', checksum: 'b' },
    ]);
  });

  test('refuses what the backend would not take, without naming the password', async () => {
    const db = await freshDatabase();
    const wrong = { user: ' ', email: 'admin@localhost', password: 'kurz!' };

    assert.equal(check(wrong).length, 3);
    assert.deepEqual(check(admin), []);
    await assert.rejects(install(db, wrong), (error: Error) => !error.message.includes('kurz!'));
    await db.run("INSERT INTO users (username, email) VALUES ('x', 'sl@example.org')");
    await assert.rejects(install(db, admin), /e-mail address of the admin is that of another user/);
  });
});
