/** A transaction that is cut off leaves AUTO_INCREMENT moved, wherever its rows went. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import { findLeftovers } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

const audit = `CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(100));
CREATE TRIGGER noting AFTER INSERT ON customer FOR EACH ROW INSERT INTO audit (what) VALUES (NEW.name);
`;
const insert = "INSERT INTO customer (name) VALUES ('x'), ('y');\n";
const many =
  'INSERT INTO customer (name) SELECT name FROM purchase JOIN customer c USING (id) LIMIT 5;\n';

const cases: readonly [what: string, file: string][] = [
  ['a trigger inserts into', `${audit}${insert}`],
  ['a trigger has inserted into before', `${audit}${many}${insert}`],
  [
    'stands behind a view',
    "CREATE VIEW people AS SELECT id, name FROM customer;\nINSERT INTO people (name) VALUES ('x'), ('y');\n",
  ],
  [
    'a function inserts into',
    `CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(100));
DELIMITER //
CREATE FUNCTION note(given VARCHAR(100)) RETURNS INT BEGIN INSERT INTO audit (what) VALUES (given); RETURN 1; END//
DELIMITER ;
SELECT note(name) FROM customer WHERE id < 5;
`,
  ],
];

describe('rows have the ids of a run that was not disturbed, in a table that', () => {
  for (const [what, file] of cases) {
    test(what, async (t) => {
      const ids = [];
      for (const kill of [false, true]) {
        const site = await makeSite(t, server);
        const db = await openShop(site);
        await site.write({ '0.2.0/0002_rows.up.sql': file });
        if (kill) {
          // Inside the transaction of the last statement, behind its rows.
          const killed = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.record=kill' });
          assert.equal(killed.signal, 'SIGKILL', killed.stderr);
        }
        const ended = await site.deploy(['up']);
        assert.equal(ended.code, 0, ended.stderr);
        assert.deepEqual(await findLeftovers(db, site), []);
        const hasAudit = (await db.query("SHOW TABLES LIKE 'audit'")).length > 0;
        ids.push([
          await db.query('SELECT id FROM customer WHERE id > 500 ORDER BY id'),
          hasAudit ? await db.query('SELECT id, what FROM audit ORDER BY id') : [],
        ]);
      }
      assert.deepEqual(ids[1], ids[0]);
    });
  }
});
