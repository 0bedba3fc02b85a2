import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite } from '../support/deploy.ts';
import { findLeftovers } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

/** Statements 5 and 10 change places of rows, and the structure is the same before and after. */
const swaps = `CREATE TABLE part (id INT PRIMARY KEY, v INT NOT NULL) PARTITION BY RANGE (id)
  (PARTITION p0 VALUES LESS THAN (100), PARTITION \`p-1\` VALUES LESS THAN MAXVALUE);
CREATE TABLE \`fresh rows\` (id INT PRIMARY KEY, v INT NOT NULL);
INSERT INTO part SELECT seq, 1 FROM seq_1_to_200;
INSERT INTO \`fresh rows\` SELECT seq, 2 FROM seq_1_to_50;
ALTER TABLE part EXCHANGE PARTITION p0 WITH TABLE \`fresh rows\`;
CREATE TABLE \`left-half\` (v INT NOT NULL);
CREATE TABLE right_half (v INT NOT NULL);
INSERT INTO \`left-half\` VALUES (1);
INSERT INTO right_half VALUES (2);
RENAME TABLE \`left-half\` TO aside, right_half TO \`left-half\`, aside TO right_half;
`;

async function readSwaps(db: Db): Promise<unknown[]> {
  const row = await db.one(`SELECT (SELECT SUM(v) FROM part) AS part,
    (SELECT SUM(v) FROM \`fresh rows\`) AS fresh,
    (SELECT v FROM \`left-half\`) AS first, (SELECT v FROM right_half) AS second`);
  return Object.values(row ?? {}).map(Number);
}

describe('a statement that the structure does not show, killed', () => {
  for (const [name, number] of [
    ['EXCHANGE PARTITION', 5],
    ['RENAME in a circle', 10],
  ] as const) {
    for (const [when, point] of [
      ['before', 'apply.journalled'],
      ['after', 'apply.executed'],
    ] as const) {
      test(`${when} ${name} took effect: the next up sees it by the ids of the tables and goes on`, async (t) => {
        const site = await makeSite(t, server);
        const db = await openShop(site);
        await site.write({ '0.2.0/0002_swaps.up.sql': swaps });

        const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: `${point}#${number}=kill` });
        const ended = await site.deploy(['up']);

        assert.equal(killed.signal, 'SIGKILL', killed.stderr);
        assert.equal(ended.code, 0, ended.stderr);
        assert.doesNotMatch(ended.stderr, /is put back/);
        assert.deepEqual(await readSwaps(db), [101 + 100, 99, 2, 1]);
        assert.deepEqual(await findLeftovers(db, site), []);
      });
    }
  }

  test('is refused in the plan where the account may not read the ids, with the GRANT', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await site.write({ '0.2.0/0002_swaps.up.sql': swaps });
    await db.run('CREATE USER plain@localhost');
    for (const pattern of [site.database, `${site.database}\\_deploy\\_%`])
      await db.run(`GRANT ALL ON \`${pattern}\`.* TO plain@localhost`);

    const ended = await site.deploy(['up'], { DB_USER: 'plain' });

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /leaves no trace in the structure/);
    assert.match(ended.stderr, /GRANT PROCESS ON \*\.\* TO 'plain'@'localhost'/);
  });
});

describe('a file that is cut off between a value of its session and the statement that uses it', () => {
  for (const [what, first, second] of [
    ['@@identity', "INSERT INTO customer (name) VALUES ('last');", '@@identity'],
    ['insert_id', 'SET insert_id = 7000;\nINSERT INTO customer (name) VALUES (1);', '7000'],
  ] as const) {
    test(`is put back for ${what}, and run anew: nothing got the value of another session`, async (t) => {
      const site = await makeSite(t, server);
      const db = await openShop(site);
      const file = `CREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, parent INT);\n${first}\nALTER TABLE child ADD note INT;\nINSERT INTO child (parent) VALUES (${second});\n`;
      await site.write({ '0.2.0/0002_child.up.sql': file });
      const nth = file.split('\n').length - 2;

      const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: `apply.executed#${nth}=kill` });
      const ended = await site.deploy(['up']);

      assert.equal(killed.signal, 'SIGKILL', killed.stderr);
      assert.equal(ended.code, 0, ended.stderr);
      const last = await db.one('SELECT MAX(id) AS id FROM customer');
      assert.deepEqual(await db.query('SELECT id, parent FROM child'), [
        { id: 1, parent: last?.['id'] },
      ]);
      assert.deepEqual(await findLeftovers(db, site), []);
    });
  }
});

describe('a data function that writes to a table which cannot roll back', () => {
  const data = 'export async function up(db) { await db.run("INSERT INTO log VALUES (1)"); }\n';
  const files = {
    '0.2.0/0002_log.up.sql': 'CREATE TABLE log (id INT PRIMARY KEY) ENGINE=MyISAM;\n',
    '0.2.0/0002_log.data.ts': data,
  };

  test('through a trigger is refused, too', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run(
      'CREATE TRIGGER noting AFTER UPDATE ON customer FOR EACH ROW INSERT INTO log VALUES (1)',
    );
    await site.write({
      ...files,
      '0.2.0/0002_log.data.ts':
        'export async function up(db) { await db.run("UPDATE customer SET city = NULL WHERE id = 1"); }\n',
    });

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /sent UPDATE on log, whose engine cannot roll back/);
  });

  test('is refused in the plan', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write(files);

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /a data function sent INSERT on log, whose engine cannot roll back/);
    assert.match(ended.stderr, /\(STATEMENT_FORBIDDEN, exit 13\)/);
  });

  test('is run where the file says that this does no harm', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const up = `--! rerunnable: true\n${files['0.2.0/0002_log.up.sql']}`;
    await site.write({ ...files, '0.2.0/0002_log.up.sql': up });

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 0, ended.stderr);
    assert.equal((await db.query('SELECT * FROM log')).length, 1);
  });
});
