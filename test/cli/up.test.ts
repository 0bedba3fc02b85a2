import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { makeSite, until } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop, shop } from '../support/shop.ts';

const server = await startTestServer({ after }, { tcp: 'loopback', args: ['--general-log=0'] });

/** What is in a folder; nothing when there is none. */
const list = (dir: string) => readdir(dir).catch(() => [] as string[]);

describe('deploy up', () => {
  test('on an empty database runs every migration and records it', async (t) => {
    const site = await makeSite(t, server, shop);

    const ended = await site.deploy(['up', '--json'], { BACKEND_VERSION: '0.1.0' });

    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout) as Json;
    assert.equal(report['outcome'], 'done');
    assert.equal(report['mode'], 'install');
    assert.equal(report['database']['after'], '0.1.0');
    assert.equal(report['backup']['proven'], true);
    const db = await site.connect();
    const [row] = await db.query<Record<string, unknown>>('SELECT * FROM migration_history');
    assert.equal(row!['version'], '0.1.0');
    assert.match(String(row!['applied_by']), /^deploy \d/);
    assert.equal(Number(row!['rollback_available']), 1);
    assert.ok(Number(row!['execution_time_ms']) >= 0);
    const [version] = await db.query<Record<string, unknown>>('SELECT * FROM schema_version');
    assert.equal(version!['backend_version'], '0.1.0');
    assert.match(String(version!['checksum']), /^[0-9a-f]{64}$/);
  });

  test('a second time has nothing to do, writes nothing and leaves no report', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const reports = await list(site.reportDir);
    await db.run("SET GLOBAL log_output = 'TABLE'");
    await db.run('TRUNCATE mysql.general_log');
    await db.run('SET GLOBAL general_log = ON');

    const ended = await site.deploy(['up', '--json']);

    await db.run('SET GLOBAL general_log = OFF');
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((JSON.parse(ended.stdout) as { outcome: string }).outcome, 'nothing_to_do');
    assert.deepEqual(await list(site.reportDir), reports);
    const statements = await db.query<{ text: string }>(
      "SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log WHERE command_type IN ('Query', 'Execute')",
    );
    assert.ok(statements.length > 0, 'the general log saw nothing: the test shows nothing');
    const writes = statements.filter(
      ({ text }) => !/^\s*(SELECT|SHOW|SET|ROLLBACK)\b/i.test(text) || /GET_LOCK\(/i.test(text),
    );
    assert.deepEqual(writes, []);
  });

  test('a jump over a version is refused with the path, and nothing is touched', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({
      ...cities,
      '0.3.0/0003_more.up.sql': 'CREATE TABLE more (id INT PRIMARY KEY);\n',
    });
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 13);
    assert.match(ended.stderr, /0\.1\.0 → 0\.2\.0 → 0\.3\.0/);
    assert.deepEqual(await takePicture(db, site.database), before);
    const walked = await site.deploy(['up', '--json'], { UPDATE_PATH: 'stepwise' });
    assert.equal(walked.code, 0, walked.stderr);
    assert.equal((JSON.parse(walked.stdout) as { backups: unknown[] }).backups.length, 2);
  });

  test('a statement that only the rows make fail is put back: exit 20, all as before', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(citiesThatFail);
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['up', '--json']);

    assert.equal(ended.code, 20, ended.stderr);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
    assert.match(ended.stderr, /0002_cities\.up\.sql:7/);
    assert.match(ended.stderr, /Duplicate entry .* \(1062 ER_DUP_ENTRY\)/);
    assert.match(
      ended.stderr,
      /is at 0\.1\.0, as before this run: restored from backup_\d{8}_\d{6}\S* and compared/,
    );
    const report = JSON.parse(ended.stdout) as Json;
    assert.equal(report['error']['code'], 'MIGRATION_FAILED');
    assert.equal(report['database']['state'], 'as_before');
  });

  test('a first statement that fails has changed nothing: no restore is needed', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({
      '0.2.0/0002_one.up.sql': 'ALTER TABLE purchase ADD UNIQUE INDEX once (customer_id);\n',
    });
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 20, ended.stderr);
    assert.match(ended.stderr, /as before this run: compared with backup_/);
    assert.deepEqual(await takePicture(db, site.database), before);
  });

  test('a statement that fails on an empty copy is refused before anything is touched', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({
      '0.2.0/0002_typo.up.sql':
        'ALTER TABLE customer ADD a INT;\nALTER TABLE costumer ADD b INT;\n',
    });
    const before = await takePicture(db, site.database);
    const sets = await list(site.backupDir);

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 13);
    assert.match(ended.stderr, /MIGRATION_UNSOUND/);
    assert.match(ended.stderr, /0002_typo\.up\.sql:2/);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await list(site.backupDir), sets);
  });

  test('a failure while recording the version is put back: exit 20', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run(`CREATE TRIGGER no_record BEFORE INSERT ON schema_version FOR EACH ROW
      IF NEW.version = '0.2.0' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF`);
    await site.write(cities);
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 20, ended.stderr);
    assert.match(ended.stderr, /RECORD_FAILED/);
    assert.deepEqual(await takePicture(db, site.database), before);
  });

  test('a failure names the former release to bring back', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run("UPDATE schema_version SET backend_version = '1.0.7'");
    await site.write(citiesThatFail);

    const told = await site.deploy(['up'], { BACKEND_VERSION: '2.0.0' });

    assert.equal(told.code, 20, told.stderr);
    assert.match(
      told.stderr,
      /or bring the old release back: RELEASE=1\.0\.7 docker compose up -d --no-build$/m,
    );
    await db.run("UPDATE schema_version SET backend_version = 'unknown'");
    const guessed = await site.deploy(['up']);
    assert.match(guessed.stderr, /RELEASE=0\.1\.0 docker compose up -d --no-build$/m);
  });

  test('a failure after a version that the run itself recorded names no release to bring back', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run("UPDATE schema_version SET backend_version = '1.0.7'");
    await site.write({
      ...cities,
      '0.3.0/0003_one_each.up.sql':
        'ALTER TABLE customer ADD UNIQUE INDEX one_per_city (city_id);\n',
    });
    const env = { BACKEND_VERSION: '2.0.0', UPDATE_PATH: 'stepwise' };

    const [first, again] = [await site.deploy(['up'], env), await site.deploy(['up'], env)];

    assert.match(first.stderr, /is at 0\.2\.0, as before the step to 0\.3\.0: compared with/);
    assert.match(again.stderr, /is at 0\.2\.0, as before this run: compared with/);
    for (const { code, stderr } of [first, again]) {
      assert.equal(code, 20, stderr);
      assert.match(stderr, /MIGRATION_FAILED/);
      assert.doesNotMatch(stderr, /RELEASE=/);
    }
  });

  test('ON_FAILURE=stop leaves the failure as it is: exit 21, and a corrected file puts it back first', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(citiesThatFail);

    const ended = await site.deploy(['up'], { ON_FAILURE: 'stop' });

    assert.equal(ended.code, 21, ended.stderr);
    assert.equal((await db.query("SHOW TABLES LIKE 'city'")).length, 1);
    await site.write(cities);
    const second = await site.deploy(['up']);
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('a migration that is not critical and fails is taken back, and the version counts', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({
      '0.2.0/0002_nice.up.sql':
        '--! critical: false\nCREATE TABLE nice (id INT);\nALTER TABLE purchase ADD UNIQUE INDEX once (customer_id);\n',
      '0.2.0/0002_nice.down.sql': 'ALTER TABLE purchase DROP INDEX once;\nDROP TABLE nice;\n',
      '0.2.0/0003_next.up.sql': 'CREATE TABLE next_one (id INT PRIMARY KEY);\n',
    });

    const ended = await site.deploy(['up', '--json']);

    assert.equal(ended.code, 0, ended.stderr);
    assert.match(
      (JSON.parse(ended.stdout) as { warnings: string[] }).warnings.join(),
      /not critical/,
    );
    assert.equal((await db.query("SHOW TABLES LIKE 'nice'")).length, 0);
    assert.equal((await db.query("SHOW TABLES LIKE 'next_one'")).length, 1);
    const [row] = await db.query<{ success: number; error_message: string }>(
      'SELECT * FROM migration_history WHERE migration_number = 2',
    );
    assert.equal(Number(row!.success), 0);
    assert.match(row!.error_message, /1062/);
    assert.equal((await site.deploy(['up'])).code, 0);
    const status = JSON.parse((await site.deploy(['status', '--json'])).stdout) as Json;
    assert.equal(status['actual_db_version'], '0.2.0');
    assert.equal(status['failed'].length, 1);
  });
});

describe('what stops a run before it changes anything', () => {
  const cases: readonly (readonly [
    name: string,
    code: number,
    error: string,
    env: Record<string, string>,
  ])[] = [
    [
      'a wrong password',
      12,
      'ACCESS_DENIED',
      { DB_USER: 'nobody', DB_PASSWORD: 'wrong', DB_WAIT_SECONDS: '2' },
    ],
    [
      'a database that does not exist',
      12,
      'DATABASE_MISSING',
      { DB_NAME: 'no_such_db', DB_WAIT_SECONDS: '2' },
    ],
    [
      'no server',
      12,
      'SERVER_UNREACHABLE',
      { DB_HOST: '127.0.0.1', DB_PORT: '1', DB_WAIT_SECONDS: '1' },
    ],
    ['a wrong setting', 10, 'CONFIG_INVALID', { UPDATE_PATH: 'sideways' }],
  ];
  for (const [name, code, error, env] of cases) {
    test(`${name}: exit ${code}`, async (t) => {
      const site = await makeSite(t, server, shop);

      const ended = await site.deploy(['up'], env);

      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, new RegExp(`\\(${error}, exit ${code}\\)`));
      assert.match(ended.stderr, /^ {2}database {2}.*not touched/m);
    });
  }

  test('an unreadable migration: exit 15', async (t) => {
    const site = await makeSite(t, server, shop);
    await site.write({ '0.2.0/0002_odd.up.sql': "INSERT INTO a VALUES ('no end);\n" });

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 15, ended.stderr);
    assert.match(ended.stderr, /0002_odd\.up\.sql:1/);
  });

  test('a changed file: exit 13', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const text = await readFile(
      path.join(site.migrationsDir, '0.1.0/0001_customers.up.sql'),
      'utf8',
    );
    await site.write({
      ...cities,
      '0.1.0/0001_customers.up.sql': text.replace('VARCHAR(100)', 'VARCHAR(200)'),
    });
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 13);
    assert.match(ended.stderr, /CHECKSUM_CHANGED/);
    assert.deepEqual(await takePicture(db, site.database), before);
  });

  test('other line endings are no change', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    const text = await readFile(
      path.join(site.migrationsDir, '0.1.0/0001_customers.up.sql'),
      'utf8',
    );
    await site.write({ '0.1.0/0001_customers.up.sql': text.replaceAll('\n', '\r\n') });

    assert.equal((await site.deploy(['up'])).code, 0);
  });

  test('a backup folder that cannot be written: exit 14', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    const before = await takePicture(db, site.database);
    const file = path.join(site.dir, 'a-file');
    await writeFile(file, '');

    const ended = await site.deploy(['up'], { BACKUP_DIR: path.join(file, 'backups') });

    assert.equal(ended.code, 14, ended.stderr);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('a full backup folder: exit 14, and nothing of the set is left', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run('UPDATE customer SET name = CONCAT(name, MD5(RAND()), MD5(RAND()))');
    await site.write(cities);
    const before = await takePicture(db, site.database);

    // A file system of 12 KiB, in a mount namespace of its own.
    const mount = `mkdir -p "$BACKUP_DIR" && mount -t tmpfs -o size=12k none "$BACKUP_DIR" && "$@"; code=$?; ls -A "$BACKUP_DIR"; exit $code`;
    const ended = await site.start(['up'], {}, ['unshare', '-rm', 'sh', '-c', mount, 'sh']).ended;

    assert.equal(ended.code, 14, ended.stderr);
    assert.match(ended.stderr, /SPACE_SHORT|BACKUP_FAILED/);
    assert.equal(ended.stdout, '');
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('a missing right: exit 13 with the GRANT to run', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    await db.run(`CREATE USER 'weak'@'%' IDENTIFIED BY 'pw'`);
    await db.run(`GRANT ALL ON \`${site.database}\`.* TO 'weak'@'%'`);
    // Only who may speak for another account can back its routine up, and put it and its view back.
    await db.run('CREATE DEFINER = root@localhost VIEW names AS SELECT name FROM customer');
    await db.run('CREATE DEFINER = root@localhost FUNCTION one() RETURNS INT RETURN 1');
    const sets = await list(site.backupDir);

    const ended = await site.deploy(['up'], { DB_USER: 'weak', DB_PASSWORD: 'pw' });

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /GRANT ALL .*ON `.*\\_deploy\\_%`\.\* TO/);
    assert.match(ended.stderr, /GRANT SET USER ON \*\.\* TO/);
    assert.match(ended.stderr, /GRANT SELECT ON `mysql`\.`proc` TO/);
    assert.deepEqual(await list(site.backupDir), sets, 'found before the backup');
    const doctor = await site.deploy(['doctor'], { DB_USER: 'weak', DB_PASSWORD: 'pw' });
    assert.equal(doctor.code, 13, doctor.stderr);
    assert.match(doctor.stdout, /GRANT SET USER ON \*\.\* TO/);
    for (const grant of ended.stderr.match(/GRANT [^;]+;/g) ?? []) await db.run(grant.slice(0, -1));
    const granted = await site.deploy(['up'], { DB_USER: 'weak', DB_PASSWORD: 'pw' });
    assert.equal(granted.code, 0, granted.stderr);
  });
});

describe('stopping', () => {
  const slow = {
    '0.2.0/0002_slow.up.sql':
      'CREATE TABLE one (id INT PRIMARY KEY);\nINSERT INTO one SELECT SLEEP(30) FROM customer WHERE id = 1;\nCREATE TABLE two (id INT PRIMARY KEY);\n',
  };

  test('SIGTERM during a statement ends it within the grace: exit 23, the next up finishes', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(slow);
    const run = site.start(['up'], { STOP_GRACE_SECONDS: '1' });
    await until('the slow statement runs', async () => {
      const rows = await db.query(
        "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO one SELECT SLEEP%' AND db = DATABASE()",
      );
      return rows.length > 0;
    });

    run.child.kill('SIGTERM');
    const ended = await run.ended;

    assert.equal(ended.code, 23, ended.stderr);
    await site.write({
      '0.2.0/0002_slow.up.sql': slow['0.2.0/0002_slow.up.sql'].replace('SLEEP(30)', 'SLEEP(0)'),
    });
    const second = await site.deploy(['up']);
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('SIGTERM before any change, here while waiting for the lock: exit 16', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    await db.query(`SELECT GET_LOCK('deploy:${site.database}', 0)`);
    const run = site.start(['up']);
    await until('the run waits', () => /wait/i.test(run.stderr()));

    run.child.kill('SIGTERM');
    const ended = await run.ended;

    assert.equal(ended.code, 16, ended.stderr);
  });

  test('a lock that is not freed in time: exit 11, naming the holder', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write(cities);
    await db.query(`SELECT GET_LOCK('deploy:${site.database}', 0)`);

    const ended = await site.deploy(['up'], { LOCK_WAIT_SECONDS: '2' });

    assert.equal(ended.code, 11, ended.stderr);
    assert.match(ended.stderr, new RegExp(`connection ${db.id}`));
  });
});
