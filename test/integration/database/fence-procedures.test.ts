/** The fence by the procedures of docker/db/fence.sql: for an account that has EXECUTE on them and no right of root. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connect, type Db } from '../../../src/database/connect.ts';
import { closeFence, listAccounts, openFence } from '../../../src/database/fence.ts';
import { missingFenceRights } from '../../../src/database/fence-way.ts';
import { readRights } from '../../../src/database/server.ts';
import { isAccessDenied } from '../../../src/database/server-errors.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { installFence } from '../../support/fence.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after }, { tcp: 'loopback' });
const database = await server.createDatabase('kept');
const root = await server.connect(database);

installFence(server);
await root.run("CREATE USER keeper@'%' IDENTIFIED BY 'pw'");
await root.run("GRANT ALL ON kept.* TO keeper@'%'");
await root.run("GRANT EXECUTE ON `deploy\\_fence`.* TO keeper@'%'");

const openAs = (user: string) => () => connect(server.tcpAddress(user, 'pw'), { database });

/** Makes an account of the application; `isNamed`: the administrator has named it. */
async function makeAccount(user: string, host = '%', isNamed = true): Promise<() => Promise<Db>> {
  const quoted = user.replaceAll('\\', '\\\\').replaceAll("'", "''");
  await root.run(`CREATE USER '${quoted}'@'${host}' IDENTIFIED BY 'pw'`);
  await root.run(`GRANT ALL ON kept.* TO '${quoted}'@'${host}'`);
  if (isNamed) await root.run(`INSERT IGNORE INTO deploy_fence.accounts VALUES ('${quoted}')`);
  return openAs(user);
}

async function asKeeper<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const db = await openAs('keeper')();
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

describe('an account with EXECUTE on the procedures, and no right of root', () => {
  test('locks an account on all its hosts, ends its sessions, and opens again', async () => {
    const open = await makeAccount('app');
    await makeAccount('app', 'localhost');
    const session = await open();
    await session.run('CREATE TABLE t (id INT)');
    await session.run('START TRANSACTION');
    await session.run('INSERT INTO t VALUES (1)');

    await asKeeper(async (db) => {
      const accounts = await listAccounts(db, ['app']);
      await closeFence(db, accounts);

      assert.deepEqual(accounts, [
        { user: 'app', host: '%', wasLocked: false },
        { user: 'app', host: 'localhost', wasLocked: false },
      ]);
      assert.notEqual(session.lost(), null);
      assert.deepEqual(await root.query('SELECT * FROM t'), []);
      await assert.rejects(open(), isAccessDenied);
      const locked = (await listAccounts(root, ['app'])).map(({ wasLocked }) => wasLocked);
      assert.deepEqual(locked, [true, true]);
      await closeFence(db, accounts);

      await openFence(db, accounts);
      await openFence(db, accounts);
      assert.deepEqual(await listAccounts(root, ['app']), accounts);
    });
    await (await open()).close();
  });

  test('leaves an account locked that an administrator had locked', async () => {
    const open = await makeAccount('admin_locked');
    await root.run("ALTER USER admin_locked@'%' ACCOUNT LOCK");

    const accounts = await asKeeper(async (db) => {
      const listed = await listAccounts(db, ['admin_locked']);
      await closeFence(db, listed);
      await openFence(db, listed);
      return listed;
    });

    assert.equal(accounts[0]?.wasLocked, true);
    await assert.rejects(open(), isAccessDenied);
  });

  test('opens for the others when one account is gone by now', async () => {
    const open = await makeAccount('stays');
    await makeAccount('goes');

    await asKeeper(async (db) => {
      const accounts = await listAccounts(db, ['goes', 'stays']);
      await closeFence(db, accounts);
      await root.run("DROP USER goes@'%'");
      await openFence(db, accounts);
    });

    await (await open()).close();
  });

  test('whose account is not named any more says what an administrator has to run', async () => {
    await makeAccount('dropped');

    await asKeeper(async (db) => {
      const accounts = await listAccounts(db, ['dropped']);
      await closeFence(db, accounts);
      await root.run("DELETE FROM deploy_fence.accounts WHERE user = 'dropped'");
      await assert.rejects(openFence(db, accounts), (error) => {
        assert.ok(isDeployError(error, 'RIGHT_MISSING'));
        assert.match(error.next?.[0] ?? '', /ALTER USER `dropped`@`%` ACCOUNT UNLOCK;/);
        return true;
      });
    });
  });

  test('handles account names with quotes, backticks and an @', async () => {
    const name = "o'h`ara\\@home";
    await makeAccount(name);

    await asKeeper(async (db) => {
      const accounts = await listAccounts(db, [name]);
      await closeFence(db, accounts);
      assert.equal((await listAccounts(root, [name]))[0]?.wasLocked, true);
      await openFence(db, accounts);
    });

    assert.deepEqual(await listAccounts(root, [name]), [
      { user: name, host: '%', wasLocked: false },
    ]);
  });

  test('sees only accounts that the administrator has named, and no role', async () => {
    await makeAccount('unnamed', '%', false);
    await root.run('CREATE ROLE a_role');
    await root.run("INSERT INTO deploy_fence.accounts VALUES ('root'), ('keeper'), ('a_role')");

    const seen = await asKeeper((db) => listAccounts(db, ['unnamed', 'root', 'keeper', 'a_role']));

    assert.deepEqual(seen, []);
    await root.run("DELETE FROM deploy_fence.accounts WHERE user IN ('root', 'keeper', 'a_role')");
  });

  const ROLE = ['a_second_role', ''] as const;
  for (const [user, host] of [['root', 'localhost'], ['keeper', '%'], ['stranger', '%'], ROLE]) {
    test(`cannot lock ${user}, also when it is named by mistake, and cannot unlock it`, async () => {
      if (user === 'stranger') await makeAccount(user, host, false);
      else await root.run(`INSERT INTO deploy_fence.accounts VALUES ('${user}')`);
      if (user === ROLE[0]) await root.run(`CREATE ROLE ${user}`);

      await asKeeper(async (db) => {
        for (const to of ['LOCK', 'UNLOCK'])
          await assert.rejects(
            db.run(`CALL deploy_fence.switch_account('${user}', '${host}', '${to}')`),
            { errno: 1227 },
          );
      });

      const [account] = await root.query(
        `SELECT JSON_VALUE(priv, '$.account_locked') AS locked FROM mysql.global_priv WHERE user = '${user}' AND host = '${host}'`,
      );
      assert.equal(account?.['locked'] ?? null, null);
      await root.run(`DELETE FROM deploy_fence.accounts WHERE user = '${user}'`);
    });
  }

  test('ends no session of another account', async () => {
    const other = await (await makeAccount('bystander', '%', false))();

    await asKeeper(async (db) => {
      for (const id of [other.id, root.id])
        await assert.rejects(db.run(`CALL deploy_fence.kill_session(${id})`), { errno: 1095 });
      await assert.rejects(db.run('CALL deploy_fence.kill_session(4294967295)'), { errno: 1094 });
    });

    assert.equal((await other.query('SELECT 1')).length, 1);
    await other.close();
  });

  test('leaves an account alone that is named for another application', async () => {
    const session = await (await makeAccount('mine'))();
    const other = await (await makeAccount('theirs'))();

    await asKeeper(async (db) => {
      const accounts = await listAccounts(db, ['mine']);
      assert.deepEqual(accounts, [{ user: 'mine', host: '%', wasLocked: false }]);
      await closeFence(db, accounts);
      await openFence(db, accounts);
    });

    assert.notEqual(session.lost(), null);
    assert.equal((await other.query('SELECT 1')).length, 1);
    await other.close();
  });

  test('can neither read nor change what the administrator has named, nor grant anything', async () => {
    await asKeeper(async (db) => {
      for (const statement of [
        'SELECT * FROM deploy_fence.accounts',
        "INSERT INTO deploy_fence.accounts VALUES ('x')",
        'DROP PROCEDURE deploy_fence.switch_account',
        "ALTER USER app@'%' ACCOUNT LOCK",
        'SELECT priv FROM mysql.global_priv',
      ])
        await assert.rejects(db.query(statement), /denied/, statement);
    });
  });

  test('lacks no right for the fence; without the procedures it does', async () => {
    await root.run("CREATE USER plain@'%' IDENTIFIED BY 'pw'");
    await root.run("GRANT ALL ON kept.* TO plain@'%'");
    const missing = async (db: Db) => missingFenceRights(db, await readRights(db));

    const plain = await openAs('plain')();

    assert.deepEqual(await asKeeper(missing), []);
    assert.equal((await missing(plain)).length, 4);
    await plain.close();
  });
});

test('the file may be run again: named accounts and grants stay', async () => {
  const before = await root.query('SELECT user FROM deploy_fence.accounts ORDER BY user');

  installFence(server);

  assert.deepEqual(
    await root.query('SELECT user FROM deploy_fence.accounts ORDER BY user'),
    before,
  );
  assert.equal((await asKeeper((db) => listAccounts(db, ['app']))).length, 2);
});
