import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connect, type Db } from '../../../src/database/connect.ts';
import {
  holdEvent,
  listEvents,
  type RecordedEvent,
  releaseEvents,
} from '../../../src/database/events.ts';
import {
  closeFence,
  foreignSessions,
  listAccounts,
  openFence,
  unfenceStatements,
} from '../../../src/database/fence.ts';
import {
  missingRights,
  needsOfEvents,
  needsOfFence,
  needsOfRun,
} from '../../../src/database/grants.ts';
import { readServer } from '../../../src/database/server.ts';
import { isAccessDenied } from '../../../src/database/server-errors.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after }, { tcp: 'loopback' });
const database = await server.createDatabase('fenced');
const root = await server.connect(database);

/** Makes an account and gives a function that connects as it over TCP. */
async function makeAccount(
  user: string,
  host: string,
  ...grants: string[]
): Promise<() => Promise<Db>> {
  await root.run(`CREATE USER '${user}'@'${host}' IDENTIFIED BY 'pw'`);
  for (const grant of grants) await root.run(`GRANT ${grant} TO '${user}'@'${host}'`);
  return () => connect(server.tcpAddress(user, 'pw'), { database });
}

describe('the fence', () => {
  test('locks an account on all its hosts, ends its sessions, and opens again', async () => {
    const open = await makeAccount('app', '%', 'ALL ON fenced.*');
    await makeAccount('app', 'localhost', 'ALL ON fenced.*');
    const session = await open();
    await session.run('CREATE TABLE t (id INT)');
    await session.run('START TRANSACTION');
    await session.run('INSERT INTO t VALUES (1)');

    const accounts = await listAccounts(root, ['app']);
    await closeFence(root, accounts);

    assert.deepEqual(
      accounts.map(({ host, wasLocked }) => ({ host, wasLocked })),
      [
        { host: '%', wasLocked: false },
        { host: 'localhost', wasLocked: false },
      ],
    );
    assert.notEqual(session.lost(), null);
    assert.deepEqual(await root.query('SELECT * FROM t'), []);
    await assert.rejects(open(), isAccessDenied);
    await closeFence(root, accounts);

    await openFence(root, accounts);
    await openFence(root, accounts);
    await (await open()).close();
    assert.deepEqual(await listAccounts(root, ['app']), accounts);
  });

  test('leaves an account locked that an administrator had locked', async () => {
    const open = await makeAccount('admin_locked', '%');
    await root.run("ALTER USER admin_locked@'%' ACCOUNT LOCK");

    const accounts = await listAccounts(root, ['admin_locked']);
    await closeFence(root, accounts);
    await openFence(root, accounts);

    assert.equal(accounts[0]?.wasLocked, true);
    await assert.rejects(open(), isAccessDenied);
    assert.deepEqual(unfenceStatements(accounts), []);
  });

  test('knows an account that was locked and unlocked before as open, and roles as no accounts', async () => {
    await makeAccount('once', '%');
    await root.run("ALTER USER once@'%' ACCOUNT LOCK");
    await root.run("ALTER USER once@'%' ACCOUNT UNLOCK");
    await root.run('CREATE ROLE a_role');

    assert.deepEqual(await listAccounts(root, ['once', 'a_role', 'nobody']), [
      { user: 'once', host: '%', wasLocked: false },
    ]);
  });

  test('opens for the others when one account is gone by now', async () => {
    const open = await makeAccount('stays', '%', 'SELECT ON fenced.*');
    await makeAccount('goes', '%');
    const accounts = await listAccounts(root, ['goes', 'stays']);
    await closeFence(root, accounts);
    await root.run("DROP USER goes@'%'");

    await openFence(root, accounts);

    await (await open()).close();
  });

  test('handles account names with quotes and backticks', async () => {
    await root.run("CREATE USER 'o''h`ara\\\\'@'%'");
    const accounts = await listAccounts(root, ["o'h`ara\\"]);
    await closeFence(root, accounts);
    const [locked] = await listAccounts(root, ["o'h`ara\\"]);
    assert.equal(locked?.wasLocked, true);
    await openFence(root, accounts);
    assert.deepEqual(unfenceStatements(accounts), ["ALTER USER `o'h``ara\\`@`%` ACCOUNT UNLOCK;"]);
  });

  test('never closes for the account that it works with', async () => {
    const open = await makeAccount('self', '%', 'ALL ON *.*');
    const db = await open();
    const accounts = await listAccounts(db, ['self']);

    await assert.rejects(closeFence(db, accounts), { code: 'CONFIG_INVALID' });

    await (await open()).close();
    await db.close();
  });
});

describe('without the rights', () => {
  test('the state of accounts is not read', async () => {
    const db = await (await makeAccount('weak', '%', 'ALL ON fenced.*'))();
    await assert.rejects(listAccounts(db, ['app']), { code: 'RIGHT_MISSING' });
    await db.close();
  });

  test('nothing is locked by who cannot see the sessions', async () => {
    const open = await makeAccount(
      'blind',
      '%',
      'CREATE USER, CONNECTION ADMIN ON *.*',
      'ALL ON fenced.*',
    );
    const victim = await makeAccount('victim', '%', 'SELECT ON fenced.*');
    const db = await open();
    const accounts = await listAccounts(root, ['victim']);

    await assert.rejects(closeFence(db, accounts), { code: 'RIGHT_MISSING' });

    await (await victim()).close();
    await db.close();
  });

  test('sessions that may not be ended are an error', async () => {
    const open = await makeAccount(
      'toothless',
      '%',
      'CREATE USER, PROCESS ON *.*',
      'ALL ON fenced.*',
    );
    const victim = await makeAccount('victim2', '%', 'SELECT ON fenced.*');
    const db = await open();
    const session = await victim();
    const accounts = await listAccounts(root, ['victim2']);

    await assert.rejects(closeFence(db, accounts), { code: 'RIGHT_MISSING' });

    assert.equal(session.lost(), null);
    await openFence(root, accounts);
    await db.close();
    await session.close();
  });

  test('missingRights says the GRANT, and with it the right is there', async () => {
    const open = await makeAccount('grows', '%', 'ALL ON fenced.*');
    const needs = [...needsOfRun(database), ...needsOfFence()];
    const before = await open();
    const missing = missingRights(await readServer(before, database), needs);
    assert.equal(missing.length, 5);

    for (const { grant } of missing) await root.run(grant.replace(/;$/, ''));

    const afterwards = await open();
    assert.deepEqual(missingRights(await readServer(afterwards, database), needs), []);
    await afterwards.run('CREATE DATABASE fenced_deploy_stg');
    await afterwards.run('DROP DATABASE fenced_deploy_stg');
    await before.close();
    await afterwards.close();
  });

  test('rights that come with a default role count', async () => {
    await root.run('CREATE ROLE deployer');
    await root.run('GRANT ALL ON fenced.* TO deployer');
    await root.run('GRANT ALL ON `fenced\\_deploy\\_%`.* TO deployer');
    await root.run("CREATE USER by_role@'%' IDENTIFIED BY 'pw'");
    await root.run("GRANT deployer TO by_role@'%'");
    await root.run("SET DEFAULT ROLE deployer FOR by_role@'%'");
    const db = await connect(server.tcpAddress('by_role', 'pw'), { database });
    const facts = await readServer(db, database);
    assert.deepEqual(missingRights(facts, needsOfRun(database)), []);
    await db.close();
  });
});

describe('foreignSessions', () => {
  test('lists the sessions of others in the database', async () => {
    const open = await makeAccount('reader', '%', 'SELECT ON fenced.*');
    const session = await open();

    const sessions = await foreignSessions(root, database);

    assert.ok(sessions !== 'unknown');
    assert.deepEqual(
      sessions.filter(({ id }) => id === session.id).map(({ user, command }) => [user, command]),
      [['reader', 'Sleep']],
    );
    assert.ok(!sessions.some(({ id }) => id === root.id));
    await session.close();
  });

  test('are unknown without the PROCESS right', async () => {
    const open = await makeAccount('unseeing', '%', 'SELECT ON fenced.*');
    const db = await open();
    assert.equal(await foreignSessions(db, database), 'unknown');
    await db.close();
  });
});

describe('events', () => {
  const read = () =>
    root.query<{ name: string; status: string }>(
      'SELECT event_name AS name, definer AS definer, status AS status FROM information_schema.events ORDER BY 1',
    );
  const holdAll = async (events: readonly RecordedEvent[]) => {
    for (const event of events) await holdEvent(root, database, event);
  };

  test('are held and released, keep their definer, and stay disabled where they were', async () => {
    await root.run(
      'CREATE DEFINER=root@localhost EVENT hourly ON SCHEDULE EVERY 1 HOUR DO SELECT 1',
    );
    await root.run('CREATE EVENT asleep ON SCHEDULE EVERY 1 HOUR DISABLE DO SELECT 1');
    const before = await read();

    const events = await listEvents(root, database);
    await holdAll(events);
    const held = await read();
    await releaseEvents(root, database, events);

    assert.deepEqual(
      events.map(({ name, definer, status }) => ({ name, definer, status })),
      [{ name: 'hourly', definer: 'root@localhost', status: 'ENABLED' }],
    );
    assert.equal(held.find(({ name }) => name === 'hourly')?.status, 'SLAVESIDE_DISABLED');
    assert.deepEqual(await read(), before);
    await root.run('DROP EVENT hourly');
    await root.run('DROP EVENT asleep');
  });

  test('that a migration disables, drops, makes or renames are as it wants them when released', async () => {
    for (const name of ['disabled', 'dropped', 'renamed', 'changed', 'elsewhere'])
      await root.run(`CREATE EVENT ${name} ON SCHEDULE EVERY 1 HOUR DO SELECT 1`);
    await root.run('ALTER EVENT elsewhere DISABLE ON SLAVE');
    const events = await listEvents(root, database);
    await holdAll(events.filter(({ status }) => status === 'ENABLED'));

    await root.run('ALTER EVENT disabled DISABLE');
    await root.run('DROP EVENT dropped');
    await root.run('ALTER EVENT renamed RENAME TO named');
    await root.run("ALTER EVENT changed COMMENT 'x'");
    await root.run('CREATE EVENT made ON SCHEDULE EVERY 1 HOUR DISABLE DO SELECT 1');
    await releaseEvents(root, database, events);

    assert.deepEqual(
      (await read()).map(({ name, status }) => [name, status]),
      [
        ['changed', 'ENABLED'],
        ['disabled', 'DISABLED'],
        ['elsewhere', 'SLAVESIDE_DISABLED'],
        ['made', 'DISABLED'],
        ['named', 'ENABLED'],
      ],
    );
    for (const { name } of await read()) await root.run(`DROP EVENT ${name}`);
  });

  test('that somebody else keeps from firing meanwhile stay so', async () => {
    await root.run('CREATE EVENT ours ON SCHEDULE EVERY 1 HOUR DO SELECT 1');
    await root.run('CREATE EVENT asleep ON SCHEDULE EVERY 1 HOUR DISABLE DO SELECT 1');
    const events = await listEvents(root, database);
    await holdAll(events);

    await root.run('ALTER EVENT asleep DISABLE ON SLAVE');
    await root.run('SET timestamp=UNIX_TIMESTAMP()+60');
    await root.run(
      'CREATE EVENT foreign_one ON SCHEDULE EVERY 1 HOUR DISABLE ON SLAVE DO SELECT 1',
    );
    await root.run('SET timestamp=DEFAULT');
    await releaseEvents(root, database, events);

    assert.deepEqual(
      (await read()).map(({ name, status }) => [name, status]),
      [
        ['asleep', 'SLAVESIDE_DISABLED'],
        ['foreign_one', 'SLAVESIDE_DISABLED'],
        ['ours', 'ENABLED'],
      ],
    );
    for (const { name } of await read()) await root.run(`DROP EVENT ${name}`);
  });

  test('of another character set keep it, and every character of their text and name', async () => {
    const db = await server.connect(database);
    for (const statement of [
      `SET @text='CREATE DEFINER=somebody@localhost EVENT grüße ON SCHEDULE EVERY 1 HOUR COMMENT ''Köln'' DO SELECT ''Müller'', "ß"'`,
      "SET SESSION sql_mode='NO_BACKSLASH_ESCAPES', time_zone='+05:00'",
      'SET SESSION character_set_client=latin1, collation_connection=latin1_german1_ci',
      'EXECUTE IMMEDIATE @text',
    ])
      await db.run(statement);
    const readAll = async () => {
      const stored =
        await root.query(`SELECT name, definer, status, sql_mode, time_zone, comment, character_set_client,
        collation_connection, HEX(body) AS body, body_utf8 FROM mysql.event`);
      return [...stored, ...(await root.query('SHOW CREATE EVENT `grüße`'))];
    };
    const readSession = () => root.query('SELECT @@character_set_client, @@collation_connection');
    const before = [await readAll(), await readSession()];

    const events = await listEvents(root, database);
    await holdAll(events);
    const held = await read();
    await releaseEvents(root, database, events);

    assert.equal(held[0]?.status, 'SLAVESIDE_DISABLED');
    assert.deepEqual([await readAll(), await readSession()], before);
    await assert.rejects(
      holdEvent(root, database, { ...events[0]!, definer: `${'x'.repeat(200)}@y` }),
    );
    assert.deepEqual(await readSession(), before[1]);
    await root.run('DROP EVENT `grüße`');
  });

  test('whose only time passed while they were held are not dropped but left disabled, and named', async () => {
    await root.run(
      'CREATE EVENT once ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 SECOND DO SELECT 1',
    );
    const events = await listEvents(root, database);
    await holdAll(events);
    await root.query('SELECT SLEEP(1.5)');

    assert.deepEqual(await releaseEvents(root, database, events), ['once']);

    assert.deepEqual(
      (await read()).map(({ name, status }) => [name, status]),
      [['once', 'DISABLED']],
    );
    await root.run('DROP EVENT once');
  });

  test('of another account are refused without SET USER, and keep their definer', async () => {
    await root.run(
      'CREATE OR REPLACE DEFINER=root@localhost EVENT daily ON SCHEDULE EVERY 1 DAY DO SELECT 1',
    );
    const db = await (await makeAccount('event_user', '%', 'ALL ON fenced.*'))();
    const [daily] = await listEvents(root, database);

    await assert.rejects(holdEvent(db, database, daily!), { code: 'RIGHT_MISSING' });

    assert.deepEqual(await listEvents(root, database), [daily]);
    const facts = await readServer(db, database);
    const [missing] = missingRights(facts, needsOfEvents([daily!], facts));
    await root.run(missing!.grant);
    const granted = await connect(server.tcpAddress('event_user', 'pw'), { database });
    await holdEvent(granted, database, daily!);
    await releaseEvents(granted, database, [daily!]);
    assert.deepEqual(await listEvents(root, database), [daily]);
    await granted.close();
    await db.close();
  });
});

describe('readServer', () => {
  test('reads what the server is', async () => {
    const facts = await readServer(root, database);
    assert.equal(facts.flavor, 'mariadb');
    assert.match(facts.serverVersion, /^1[0-9]\.\d+\.\d+$/);
    assert.equal(facts.currentUser, 'root@localhost');
    assert.deepEqual([facts.readOnly, facts.replica, facts.galera], [false, false, false]);
    assert.equal(facts.database.charset, 'utf8mb4');
    assert.equal(facts.variables['lower_case_table_names'], '0');
    assert.ok(facts.sizeBytes > 0);
  });

  test('reads it as an account that may see little', async () => {
    const db = await (await makeAccount('small', '%', 'SELECT ON fenced.*'))();
    const facts = await readServer(db, database);
    assert.equal(facts.replica, false);
    assert.deepEqual(facts.grants, [
      'GRANT USAGE ON *.* TO `small`@`%`',
      'GRANT SELECT ON `fenced`.* TO `small`@`%`',
    ]);
    await db.close();
  });

  test('sees that the server is read-only', async (t) => {
    await root.run('SET GLOBAL read_only=1');
    t.after(() => root.run('SET GLOBAL read_only=0'));
    assert.equal((await readServer(root, database)).readOnly, true);
  });

  test('sees that the server is a replica', async (t) => {
    const own = await startTestServer(t, { args: ['--server-id=2'] });
    const db = await own.connect();
    await own.createDatabase('app');
    assert.equal((await readServer(db, 'app')).replica, false);
    await db.run("CHANGE MASTER TO master_host='127.0.0.1', master_user='x', master_port=1");
    assert.equal((await readServer(db, 'app')).replica, true);
  });

  test('tells that the database is missing', async () => {
    await assert.rejects(readServer(root, 'nowhere'), { code: 'DATABASE_MISSING' });
  });
});
