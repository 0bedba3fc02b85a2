/** What a file leaves in the session of the connection that all files share. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

async function openWith(t: Cleanup, files: Readonly<Record<string, string>>) {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await site.write(files);
  return { site, db, isOld: await takePicture(db, site.database) };
}

/** Stands before the real table, for every statement of its session. */
const SHADOW = 'CREATE TEMPORARY TABLE customer (id INT, name VARCHAR(100), city INT);\n';
const FIRST = '0.2.0/0002_first.up.sql';
const SECOND = '0.2.0/0003_second.up.sql';

const added = 'SELECT name FROM customer WHERE id > 500';

describe('the next file finds nothing of', () => {
  const cases: readonly [what: string, first: string, second: string, name: string][] = [
    ['a temporary table', SHADOW, "INSERT INTO customer (name) VALUES ('real');\n", 'real'],
    [
      'a temporary table that got the name of a real one',
      'CREATE TEMPORARY TABLE other (name INT);\nRENAME TABLE other TO customer;\n',
      "INSERT INTO customer (name) VALUES ('real');\n",
      'real',
    ],
    [
      'a user variable',
      "SET @who = 'left';\n",
      "INSERT INTO customer (name) VALUES (COALESCE(@who, 'nobody'));\n",
      'nobody',
    ],
    [
      'a user variable of a SELECT',
      "INSERT INTO purchase (customer_id, cents) SELECT id, LENGTH(@who := 'left') FROM customer LIMIT 1;\n",
      "INSERT INTO customer (name) VALUES (COALESCE(@who, 'nobody'));\n",
      'nobody',
    ],
    [
      'a variable of the session',
      "SET character_set_client = @@character_set_client, default_regex_flags = 'EXTENDED';\n",
      "INSERT INTO customer (name) VALUES (IF('a b' REGEXP 'a b', 'nobody', 'left'));\n",
      'nobody',
    ],
  ];
  for (const [what, first, second, name] of cases) {
    for (const killed of [false, true]) {
      test(`${what}${killed ? ', nor when the run was cut off between the two' : ''}`, async (t) => {
        const { site, db } = await openWith(t, { [FIRST]: first, [SECOND]: second });
        if (killed) {
          const cut = await site.deploy(['up'], { DEPLOY_FAIL_AT: 'apply.record#2=kill' });
          assert.equal(cut.signal, 'SIGKILL', cut.stderr);
        }

        const ended = await site.deploy(['up']);

        assert.equal(ended.code, 0, ended.stderr);
        assert.deepEqual(await db.query(added), [{ name }]);
        assert.deepEqual(await findLeftovers(db, site), []);
      });
    }
  }
});

describe('a file that fails and leaves a temporary table with the name of a real one', () => {
  const failing = `${SHADOW}ALTER TABLE purchase ADD note INT;\nALTER TABLE purchase ADD UNIQUE INDEX one (customer_id);\n`;

  test('is put back: the swap does not take the temporary one', async (t) => {
    const { site, db, isOld } = await openWith(t, { [FIRST]: failing });

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 20, ended.stderr);
    assert.match(ended.stderr, /restored from/);
    assert.deepEqual(await takePicture(db, site.database), isOld);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('and is not critical: it is taken back, and the next one finds the real table', async (t) => {
    const { site, db } = await openWith(t, {
      [FIRST]: `--! critical: false\n${failing}`,
      [FIRST.replace('.up.', '.down.')]:
        'UPDATE customer SET city = NULL WHERE id < 0;\nALTER TABLE purchase DROP COLUMN note;\n',
      [SECOND]: "INSERT INTO customer (name, city) VALUES ('real', 'Bonn');\n",
    });

    const ended = await site.deploy(['up']);

    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /0002|migration 2/);
    assert.deepEqual(await db.query(added), [{ name: 'real' }]);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});

test('going back leaves nothing of one file to the next, either', async (t) => {
  const { site, db, isOld } = await openWith(t, {
    [FIRST]: "INSERT INTO customer (name) VALUES ('first');\n",
    [FIRST.replace('.up.', '.down.')]: "DELETE FROM customer WHERE name = 'first';\n",
    [SECOND]: "INSERT INTO customer (name) VALUES ('second');\n",
    [SECOND.replace('.up.', '.down.')]: `DELETE FROM customer WHERE name = 'second';\n${SHADOW}`,
  });
  assert.equal((await site.deploy(['up'])).code, 0);

  const ended = await site.deploy(['rollback', '--steps', '2', '--yes', '--accept-data-loss']);

  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await db.query(added), []);
  const { history: _now, ...now } = await takePicture(db, site.database);
  const { history: _before, ...before } = isOld;
  assert.deepEqual(now, before);
});
