/** The times of the history, when a migration changes how the version tables store them. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import { startTestServer } from '../support/server.ts';

const server = await startTestServer({ after });

const tables = ['schema_version', 'migration_history'];
const modify = (type: string) =>
  tables.map((table) => `ALTER TABLE ${table} MODIFY applied_at ${type}`);
const empty = tables.map((table) => `UPDATE ${table} SET applied_at = NULL;\n`).join('');

/** Whoever only reads the text of the second does not see which table it changes. */
const ways = {
  'by an ALTER': modify('timestamp NULL').map((text) => `${text};\n`),
  'by what nobody can read': modify('timestamp NULL').map(
    (text) => `EXECUTE IMMEDIATE CONCAT('${text.replace('_', "_', '")}');\n`,
  ),
};

describe('when a migration makes times of the numbers in applied_at', () => {
  for (const [way, statements] of Object.entries(ways)) {
    test(`${way}, what follows is written as the tables are then, also on the way back`, async (t) => {
      const site = await makeSite(t, server, {
        '1.0.0/0001_one.up.sql': 'CREATE TABLE one (id int PRIMARY KEY);\n',
        '1.0.0/0001_one.down.sql': 'DROP TABLE one;\n',
        '1.0.0/0002_times.up.sql': `--! rerunnable: true\n${empty}${statements.join('')}`,
        '1.0.0/0002_times.down.sql': `${empty}${modify('bigint NULL').join(';\n')};\n`,
        '1.0.0/0003_three.up.sql': 'CREATE TABLE three (id int PRIMARY KEY);\n',
        '1.0.0/0003_three.down.sql': 'DROP TABLE three;\n',
      });
      const db = await site.connect();

      const ended = await site.deploy(['up']);

      assert.equal(ended.code, 0, ended.stderr);
      for (const table of tables) {
        const rows = await db.query<{ number: string; age: string }>(
          `SELECT migration_number AS number, TIMESTAMPDIFF(SECOND, applied_at, UTC_TIMESTAMP()) AS age
           FROM ${table} WHERE migration_number > 1 ORDER BY id`,
        );
        assert.deepEqual(
          rows.map(({ number }) => Number(number)),
          [2, 3],
        );
        for (const { age } of rows) assert.ok(Number(age) >= 0 && Number(age) < 600, `${age}`);
      }

      const back = await site.deploy(['rollback', '--steps', '2', '--yes', '--accept-data-loss']);

      assert.equal(back.code, 0, back.stderr);
      const last = await db.one<{ age: string }>(
        'SELECT UNIX_TIMESTAMP() - applied_at AS age FROM schema_version ORDER BY id DESC LIMIT 1',
      );
      assert.ok(Number(last?.age) >= 0 && Number(last?.age) < 600, `${last?.age}`);
    });
  }
});
