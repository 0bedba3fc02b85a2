/** What a start costs that finds nothing to do: docs/benchmarks.md has its time, this its work. */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { migrationsDir } from '../support/bamort/migrate.ts';
import { type Ended, makeSite } from '../support/deploy.ts';
import { makeDir, masterdataDir } from '../support/masterdata.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';

const server = await startTestServer({ after });

const admin = { ADMIN_USER: 'admin', ADMIN_EMAIL: 'a@example.org', ADMIN_PASSWORD: 'abc-123-def' };

const site = await makeSite({ after }, server, {}, { migrationsDir });
const first = await site.deploy(['up'], {
  ...{ ...admin, MASTERDATA: 'changed', MASTERDATA_DIR: masterdataDir },
});
assert.equal(first.code, 0, first.stderr);

/** The shipped master data in a folder that the test may change, and the start that finds it. */
async function copyMasterdata(
  t: Cleanup,
): Promise<{ readonly dir: string; up(env?: Record<string, string>): Promise<Ended> }> {
  const dir = await makeDir(t);
  await cp(masterdataDir, dir, { recursive: true });
  const own = { ...admin, MASTERDATA: 'changed', MASTERDATA_DIR: dir };
  return { dir, up: (env) => site.deploy(['up', '--json'], { ...own, ...env }) };
}

const outcomeOf = ({ stdout }: Ended) => (JSON.parse(stdout) as { outcome: string }).outcome;

describe('a start that finds nothing to do', () => {
  test('sends no more than six statements, however much is installed', async (t) => {
    const { up } = await copyMasterdata(t);
    const db = await site.connect();
    await db.run("SET GLOBAL log_output = 'TABLE'");
    await db.run('TRUNCATE mysql.general_log');
    await db.run('SET GLOBAL general_log = ON');

    const ended = await up();

    await db.run('SET GLOBAL general_log = OFF');
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(outcomeOf(ended), 'nothing_to_do');
    const sent = await db.query<{ text: string }>(
      `SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log
       WHERE command_type = 'Query' AND thread_id <> CONNECTION_ID()`,
    );
    assert.ok(sent.length > 3, 'the general log saw nothing: the test shows nothing');
    assert.ok(sent.length <= 6, sent.map(({ text }) => text).join('\n'));
  });

  test('loads nothing of what would change the database', async (t) => {
    const { dir, up } = await copyMasterdata(t);
    const trace = path.join(dir, 'loaded.txt');
    const hooks = path.join(dir, 'hooks.mjs');
    await writeFile(
      hooks,
      `import { registerHooks } from 'node:module';
       import { appendFileSync } from 'node:fs';
       registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(trace)}, url + '\\n'); return next(url, context); } });`,
    );

    const ended = await up({ NODE_OPTIONS: `--import=${hooks}` });

    assert.equal(outcomeOf(ended), 'nothing_to_do', ended.stderr);
    const loaded = (await readFile(trace, 'utf8')).split('\n');
    const heavy =
      /node_modules\/(zod|pino)\/|src\/(backup|scratch|schema|validation|bundle)\/|up-(planned|locked)/;
    assert.ok(loaded.some((url) => url.includes('/mysql2/')));
    assert.deepEqual(
      loaded.filter((url) => heavy.test(url)),
      [],
    );
  });

  test('does not mind master data that says the same in other bytes', async (t) => {
    const { dir, up } = await copyMasterdata(t);
    const file = path.join(dir, 'metadata.json');
    const metadata: unknown = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify(metadata, null, 8));

    const ended = await up();

    assert.equal(outcomeOf(ended), 'nothing_to_do', ended.stderr);
  });

  test('finds master data that was damaged although nothing else is to do', async (t) => {
    const { dir, up } = await copyMasterdata(t);
    const file = path.join(dir, 'spells.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"name"', '"nome"'));

    const ended = await up();

    assert.equal(ended.code, 15, ended.stderr);
  });
});

describe('a server that is read-only', () => {
  test('needs nothing while the database is as required, and is refused when there is work', async (t) => {
    const site = await makeSite(t, server, {
      '0.1.0/0001_one.up.sql': 'CREATE TABLE a (id int PRIMARY KEY);\n',
    });
    assert.equal((await site.deploy(['up'])).code, 0);
    const root = await site.connect();
    await root.run('SET GLOBAL read_only=1');
    t.after(() => root.run('SET GLOBAL read_only=0'));

    const idle = await site.deploy(['up', '--json']);

    assert.equal(idle.code, 0, idle.stderr);
    assert.equal(outcomeOf(idle), 'nothing_to_do');

    await site.write({ '0.2.0/0002_two.up.sql': 'CREATE TABLE b (id int PRIMARY KEY);\n' });
    const refused = await site.deploy(['up']);

    assert.equal(refused.code, 12, refused.stderr);
    assert.match(refused.stderr, /SERVER_READ_ONLY/);
    assert.match(refused.stderr, /database +not touched/);
  });
});

describe('a migration file that became unsound', () => {
  const files = {
    '0.1.0/0001_one.up.sql': 'CREATE TABLE a (id int PRIMARY KEY);\n',
    '0.1.0/0001_one.down.sql': 'DROP TABLE a;\n',
  };

  test('is found before anything is done as soon as there is work', async (t) => {
    const site = await makeSite(t, server, files);
    assert.equal((await site.deploy(['up'])).code, 0);
    await site.write({
      '0.1.0/0001_one.down.sql': "DROP TABLE 'a;\n",
      '0.2.0/0002_two.up.sql': 'CREATE TABLE b (id int PRIMARY KEY);\n',
    });

    const ended = await site.deploy(['up', '--json']);

    assert.equal(ended.code, 15, ended.stderr);
    assert.match(ended.stderr, /MIGRATION_FILE_INVALID/);
    assert.match(ended.stderr, /0001_one\.down\.sql:1/);
  });
});
