/** What a migration costs besides its own statements: docs/benchmarks.md has the time, this the work. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import { startTestServer } from '../support/server.ts';

const server = await startTestServer({ after });

describe('a migration of CREATE, ALTER and INSERT', () => {
  test('costs two commits and seven statements besides its own, however many there are', async (t) => {
    const files = Object.fromEntries(
      [1, 2, 3, 4, 5].map((number) => [
        `1.0.0/000${number}_step.up.sql`,
        `CREATE TABLE t${number} (id int PRIMARY KEY);
         ALTER TABLE t${number} ADD COLUMN note text;
         INSERT INTO t${number} (id) VALUES (1);`,
      ]),
    );
    for (const number of [1, 2, 3, 4, 5])
      files[`1.0.0/000${number}_step.down.sql`] = `DROP TABLE t${number};\n`;
    const site = await makeSite(t, server, files);
    const db = await site.connect();
    await db.run("SET GLOBAL log_output = 'TABLE'");
    await db.run('TRUNCATE mysql.general_log');
    await db.run('SET GLOBAL general_log = ON');

    const ended = await site.deploy(['up']);

    await db.run('SET GLOBAL general_log = OFF');
    assert.equal(ended.code, 0, ended.stderr);
    const rows = await db.query<{ text: string }>(
      `SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log
       WHERE command_type = 'Query' AND thread_id =
         (SELECT thread_id FROM mysql.general_log WHERE argument LIKE 'ALTER TABLE t3 %' LIMIT 1)
       ORDER BY event_time`,
    );
    const sent = rows.map(({ text }) => text.trim());
    const part = (from: number) =>
      sent.slice(
        sent.findIndex((text) => text.startsWith(`CREATE TABLE t${from} `)),
        sent.findIndex((text) => text.startsWith(`CREATE TABLE t${from + 1} `)),
      );
    for (const number of [2, 3, 4]) {
      const statements = part(number);
      const shown = statements.map((text) => text.slice(0, 60)).join('\n');
      const journal = statements.filter((text) => /INSERT INTO \S+deploy_journal/.test(text));
      assert.equal(journal.length, 2, shown);
      assert.equal(statements.filter((text) => text === 'COMMIT').length, 1, shown);
      assert.ok(statements.length <= 10, shown);
    }

    // Going back reads the history once, however many migrations go.
    await db.run('TRUNCATE mysql.general_log');
    await db.run('SET GLOBAL general_log = ON');
    const back = await site.deploy(['rollback', '--steps', '5', '--yes', '--accept-data-loss']);
    await db.run('SET GLOBAL general_log = OFF');
    assert.equal(back.code, 0, back.stderr);
    const log = await db.query<{ text: string }>(
      `SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log
       WHERE command_type = 'Query' AND thread_id =
         (SELECT thread_id FROM mysql.general_log WHERE argument LIKE 'DROP TABLE t3%' LIMIT 1)
       ORDER BY event_time`,
    );
    const reverting = log.map(({ text }) => text.trim());
    const begun = reverting.findIndex((text) => text.startsWith('DROP TABLE t5'));
    const last = reverting.findLastIndex((text) =>
      text.startsWith('DELETE FROM migration_history'),
    );
    const between = reverting.slice(begun, last);
    const reads = between.filter((text) => /CAST\(id AS SIGNED\)/.test(text));
    assert.ok(begun > 0 && between.length > 20, reverting.join('\n'));
    assert.equal(reads.length, 1, between.join('\n'));
  });
});
