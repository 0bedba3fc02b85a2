/** What going back loses, found under whatever name it has, and counted on a copy with the rows. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site, until } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

type Cleanup = { after(fn: () => Promise<void>): void };
type Files = readonly (readonly [up: string, down: string])[];

/** A shop at 0.2.0, which has a migration from 2 on for each of `files`; then the application writes. */
async function openAt(t: Cleanup, files: Files, writes: readonly string[]) {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  for (const [index, [up, down]] of files.entries()) {
    const name = `0.2.0/000${index + 2}_more`;
    await site.write({ [`${name}.up.sql`]: up, [`${name}.down.sql`]: down });
  }
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  for (const statement of writes) await db.run(statement);
  return { site, db, steps: String(files.length) };
}

/** By migration, newest first: what it loses. */
async function lossesOf(at: { readonly site: Site; readonly steps: string }): Promise<unknown> {
  const args = ['rollback', '--steps', at.steps, '--dry-run', '--json'];
  const plan = await at.site.deploy(args);
  const { verdicts } = JSON.parse(plan.stdout || '{}') as Json;
  assert.ok(verdicts, plan.stderr);
  return verdicts.map(({ losses }: Json) => losses);
}

async function assertRefused(at: { readonly site: Site; readonly db: Db; readonly steps: string }) {
  const before = await takePicture(at.db, at.site.database);
  const refused = await at.site.deploy(['rollback', '--steps', at.steps, '--yes']);
  assert.equal(refused.code, 13, refused.stderr);
  assert.match(refused.stderr, /DATA_LOSS/);
  assert.deepEqual(await takePicture(at.db, at.site.database), before);
}

const phone = 'ALTER TABLE customer ADD phone VARCHAR(30) NULL;\n';
const kinds = `CREATE TABLE kind (id INT PRIMARY KEY);
INSERT INTO kind VALUES (1);
`;
const things = `CREATE TABLE thing (id INT PRIMARY KEY, kind_id INT NOT NULL,
  CONSTRAINT thing_kind FOREIGN KEY (kind_id) REFERENCES kind (id) ON DELETE CASCADE);
`;
const memo = ['CREATE TABLE memo (id INT PRIMARY KEY);\n', 'DROP TABLE memo;\n'] as const;

describe('what a rollback would lose is found and counted', () => {
  const cases: Readonly<
    Record<string, readonly [files: Files, writes: readonly string[], losses: unknown]>
  > = {
    'in a column that the down file writes with other letters': [
      [[phone, 'ALTER TABLE customer DROP COLUMN Phone;\n']],
      ['UPDATE customer SET phone = id WHERE id < 8'],
      [['column customer.Phone: 7 values']],
    ],
    'in a table that a later migration has renamed': [
      [
        ['CREATE TABLE note (id INT PRIMARY KEY);\n', 'DROP TABLE note;\n'],
        ['RENAME TABLE note TO paper;\n', 'RENAME TABLE paper TO note;\n'],
      ],
      ['INSERT INTO paper VALUES (1), (2)'],
      [[], ['table note: 2 rows', 'table paper: 2 rows do not come back']],
    ],
    'in a column that a later migration has renamed': [
      [
        [phone, 'ALTER TABLE customer DROP COLUMN phone;\n'],
        [
          'ALTER TABLE customer RENAME COLUMN phone TO tel;\n',
          'ALTER TABLE customer RENAME COLUMN tel TO phone;\n',
        ],
      ],
      ['UPDATE customer SET tel = id WHERE id < 4'],
      [[], ['column customer.phone: 3 values']],
    ],
    'in a table that the down file puts aside to build it anew': [
      [
        [
          'ALTER TABLE purchase ADD note TEXT;\n',
          `ALTER TABLE purchase DROP FOREIGN KEY purchase_customer;
RENAME TABLE purchase TO purchase_old;
CREATE TABLE purchase (id INT AUTO_INCREMENT PRIMARY KEY, customer_id INT NOT NULL, cents BIGINT NOT NULL,
  CONSTRAINT purchase_customer FOREIGN KEY (customer_id) REFERENCES customer (id)) COLLATE utf8mb4_unicode_ci;
INSERT INTO purchase SELECT id, customer_id, cents FROM purchase_old;
DROP TABLE purchase_old;
`,
        ],
      ],
      ["UPDATE purchase SET note = 'by hand'"],
      [
        [
          'table purchase_old: 1000 rows',
          'table purchase: not as it was after going forward again',
        ],
      ],
    ],
    'by the cascades of a DELETE whose own rows come back, beside another loss': [
      [[kinds + things, 'DELETE FROM kind WHERE id = 1;\nDROP TABLE thing, kind;\n'], memo],
      ['INSERT INTO thing VALUES (1, 1), (2, 1), (3, 1)', 'INSERT INTO memo VALUES (1)'],
      [['table memo: 1 rows'], ['table thing: 3 rows']],
    ],
    'by a DELETE and an UPDATE, in rows': [
      [
        [
          kinds,
          "DELETE FROM purchase WHERE cents > 500;\nUPDATE customer SET name = 'x' WHERE id < 10;\nDROP TABLE kind;\n",
        ],
      ],
      [],
      [
        [
          'DELETE: DELETE FROM purchase WHERE cents > 500: 250 rows',
          "UPDATE: UPDATE customer SET name = 'x' WHERE id < 10: 9 rows",
        ],
      ],
    ],
    'in a table that the down file drops although its migration does not make it': [
      [[memo[0], `${memo[1]}DROP TABLE IF EXISTS legacy;\n`]],
      ['CREATE TABLE legacy (id INT PRIMARY KEY)', 'INSERT INTO legacy VALUES (1), (2)'],
      [['table legacy: 2 rows']],
    ],
    'in a sequence, which would begin anew': [
      [['CREATE SEQUENCE number;\n', 'DROP SEQUENCE number;\n']],
      ['SELECT NEXTVAL(number)'],
      [['sequence number: how far it has counted']],
    ],
    'in NULLs that the former column does not allow': [
      [
        [
          `${memo[0]}ALTER TABLE customer MODIFY city VARCHAR(100) NULL COMMENT 'unknown: NULL';\n`,
          `SET sql_mode = '';\nALTER TABLE customer MODIFY city VARCHAR(100) NOT NULL;\nDROP TABLE memo;\n`,
        ],
      ],
      ['UPDATE customer SET city = NULL'],
      [['column customer.city: 500 values']],
    ],
    'in the history of a system-versioned table without rows': [
      [
        [
          'CREATE TABLE price (id INT PRIMARY KEY) WITH SYSTEM VERSIONING;\n',
          'DROP TABLE price;\n',
        ],
      ],
      ['INSERT INTO price VALUES (1), (2)', 'DELETE FROM price'],
      [['table price: 2 rows']],
    ],
    'by a trigger that the down file makes itself': [
      [
        [
          memo[0],
          'CREATE TRIGGER memo_in AFTER INSERT ON memo FOR EACH ROW DELETE FROM purchase;\nINSERT INTO memo VALUES (1);\nDROP TABLE memo;\n',
        ],
      ],
      [],
      [['INSERT: INSERT INTO memo VALUES (1)']],
    ],
  };
  for (const [where, [files, writes, losses]] of Object.entries(cases)) {
    test(where, async (t) => {
      const at = await openAt(t, files, writes);

      assert.deepEqual(await lossesOf(at), losses);
      await assertRefused(at);
    });
  }

  test('in rows of another table that hang on deleted ones, which come back alone', async (t) => {
    const at = await openAt(
      t,
      [
        [kinds + things, 'DROP TABLE thing;\nDROP TABLE kind;\n'],
        ['INSERT INTO kind VALUES (2);\n', 'DELETE FROM kind WHERE id = 2;\n'],
        memo,
      ],
      ['INSERT INTO thing VALUES (1, 2), (2, 2)', 'INSERT INTO memo VALUES (1)'],
    );

    assert.deepEqual(await lossesOf({ ...at, steps: '2' }), [
      ['table memo: 1 rows'],
      ['DELETE: DELETE FROM kind WHERE id = 2: 1 rows', 'table thing: 2 rows do not come back'],
    ]);
  });
});

describe('a way back from which nothing leads forward again', () => {
  const up =
    "CREATE TABLE note (id INT PRIMARY KEY);\nINSERT INTO customer (id, name) VALUES (900, 'x');\n";

  test('can be gone all the same, and the plan says so', async (t) => {
    const at = await openAt(t, [[up, 'DROP TABLE note;\n']], ['INSERT INTO note VALUES (1), (2)']);

    const refused = await at.site.deploy(['rollback', '--steps', '1', '--yes']);

    assert.equal(refused.code, 13, refused.stderr);
    assert.match(refused.stderr, /DATA_LOSS/);
    assert.match(refused.stderr, /would lose table note: 2 rows/);
    assert.match(
      refused.stderr,
      /going forward again would fail.* migration 2 more \(migrations\/0\.2\.0\/0002_more\.up\.sql:2\): Duplicate entry/,
    );
    const args = ['rollback', '--steps', '1', '--yes', '--accept-data-loss'];
    const back = await at.site.deploy(args);
    assert.equal(back.code, 0, back.stderr);
    assert.match(`${back.stdout}${back.stderr}`, /going forward again would fail/);
    const status = JSON.parse((await at.site.deploy(['status', '--json'])).stdout) as Json;
    assert.equal(status['actual_db_version'], '0.1.0');
  });

  test('is not called tried, even where nothing is taken', async (t) => {
    const down = 'DELETE FROM note;\nDROP TABLE note;\n';
    const at = await openAt(t, [[up, down]], []);

    const plan = await at.site.deploy(['rollback', '--steps', '1', '--dry-run']);

    assert.equal(plan.code, 30, plan.stderr);
    assert.match(plan.stdout, /without loss: it overwrites no rows/);
    assert.match(plan.stdout, /warning +going forward again would fail/);
  });
});

describe('a down file that fails says what to correct, and that rollback is to be given again', () => {
  const note = 'CREATE TABLE note (id INT PRIMARY KEY);\n';
  const cases: Readonly<Record<string, readonly [down: string, code: number, at: RegExp]>> = {
    'on a copy with the rows': [
      'ALTER TABLE customer MODIFY name VARCHAR(3) NOT NULL;\nDROP TABLE note;\n',
      13,
      /0002_more\.down\.sql:1\n(?:.*\n)*.*not touched/,
    ],
    'on the empty copy': [
      'DROP TABLE note;\nDROP TABLE nothing;\n',
      13,
      /0002_more\.down\.sql:2\n(?:.*\n)*.*not touched/,
    ],
    'on the database itself, where nothing had to be tried': [
      'ALTER TABLE customer ADD UNIQUE INDEX one_per_city (city);\nDROP TABLE note;\n',
      20,
      /0002_more\.down\.sql:1\n(?:.*\n)*.*is at 0\.2\.0, as before this run/,
    ],
  };
  for (const [where, [down, code, at]] of Object.entries(cases)) {
    test(where, async (t) => {
      const { site, db } = await openAt(t, [[note, down]], []);
      const before = await takePicture(db, site.database);

      const ended = await site.deploy(['rollback', '--steps', '1', '--yes', '--accept-data-loss']);

      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, at);
      assert.match(
        ended.stderr,
        /next +correct the down file, which no checksum covers, .* deploy rollback as before/,
      );
      assert.doesNotMatch(ended.stderr, /up deploy|RELEASE=/);
      assert.deepEqual(await takePicture(db, site.database), before);
    });
  }
});

describe('what the application writes after the plan', () => {
  const note = ['CREATE TABLE note (id INT PRIMARY KEY);\n', 'DROP TABLE note;\n'] as const;
  const cases: Readonly<Record<string, readonly [files: Files, write: string, loss: RegExp]>> = {
    'to a table that was empty': [
      [note],
      'INSERT INTO note VALUES (1), (2)',
      /would lose table note: 2 rows/,
    ],
    'to rows that would have come back': [
      [[`${note[0]}INSERT INTO note VALUES (1), (2);\n`, note[1]]],
      'INSERT INTO note VALUES (3)',
      /would lose table note: 3 rows/,
    ],
  };
  for (const [where, [files, write, loss]] of Object.entries(cases)) {
    test(`${where} is not lost: the rollback ends before it changes anything`, async (t) => {
      const at = await openAt(t, files, []);
      const run = at.site.start(['rollback', '--steps', '1', '--yes'], {
        DEPLOY_FAIL_AT: 'run.opened=pause',
      });
      await until('it has planned', () => run.stderr().includes('paused at run.opened'));
      await at.db.run(write);
      const before = await takePicture(at.db, at.site.database);
      run.child.kill('SIGUSR2');

      const ended = await run.ended;

      assert.equal(ended.code, 13, ended.stderr);
      assert.match(ended.stderr, /DATA_LOSS/);
      assert.match(ended.stderr, loss);
      assert.match(ended.stderr, /not touched/);
      assert.deepEqual(await takePicture(at.db, at.site.database), before);
      assert.deepEqual(await findLeftovers(at.db, at.site), []);
    });
  }

  test('elsewhere does not end it', async (t) => {
    const at = await openAt(t, [[`${note[0]}INSERT INTO note VALUES (1);\n`, note[1]]], []);
    const run = at.site.start(['rollback', '--steps', '1', '--yes'], {
      DEPLOY_FAIL_AT: 'run.opened=pause',
    });
    await until('it has planned', () => run.stderr().includes('paused at run.opened'));
    await at.db.run("INSERT INTO customer (name) VALUES ('new')");
    run.child.kill('SIGUSR2');

    const ended = await run.ended;

    assert.equal(ended.code, 0, ended.stderr);
    const [customer] = await at.db.query("SELECT id FROM customer WHERE name = 'new'");
    assert.ok(customer);
  });
});
