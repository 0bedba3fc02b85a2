/** Another application: its own tables, rows that go when the file lacks them, and what may never go. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { DeployError, isDeployError } from '../../../src/errors/deploy-error.ts';
import {
  type Files,
  makeDir,
  readSet,
  summarise,
  syncAndCommit,
  writeSet,
} from '../../support/masterdata.ts';
import { type Cleanup, startTestServer } from '../../support/server.ts';
import { shelfShop, shelfTables } from '../../support/shelf-shop.ts';

const server = await startTestServer({ after });

async function shopDatabase(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  for (const statement of shelfTables) await db.run(statement);
  return db;
}

async function sync(t: Cleanup, db: Db, files: Files): Promise<string[]> {
  const dir = await makeDir(t);
  await writeSet(dir, shelfShop, files);
  return summarise(await syncAndCommit(db, await readSet(dir)));
}

describe('rows that the file does not have', () => {
  test('go when the entity says so, children before parents', async (t) => {
    const db = await shopDatabase();
    const shelves = [{ name: 'oben' }, { name: 'unten' }];
    const products = [
      { name: 'Seife', shelf: 'oben' },
      { name: 'Besen', shelf: 'unten' },
    ];
    await sync(t, db, { shelves, products });

    const done = await sync(t, db, {
      shelves: [{ name: 'Unten' }],
      products: [{ name: 'Seife', shelf: 'unten' }],
    });

    assert.deepEqual(done, ['shelves +0 ~1 -1', 'products +0 ~1 -1']);
    assert.deepEqual(await db.query('SELECT id, name, shelf_id, shelf_name FROM product'), [
      { id: 1, name: 'Seife', shelf_id: 2, shelf_name: 'Unten' },
    ]);
  });

  test('stay, with an error, when rows of others would go with them', async (t) => {
    const db = await shopDatabase();
    await sync(t, db, { shelves: [], products: [{ name: 'Seife' }, { name: 'Besen' }] });
    await db.run('INSERT INTO order_line (product_id) VALUES (2), (2), (1)');

    const error = await sync(t, db, { shelves: [], products: [{ name: 'Seife' }] }).catch((e) => e);

    assert.ok(isDeployError(error, 'MASTERDATA_INVALID'));
    const [problem] = error.facts['problems'] as { message: string }[];
    assert.equal(
      problem?.message,
      'the row with id 2 is missing, and 2 rows of order_line need it',
    );
    assert.equal((await db.query('SELECT * FROM order_line')).length, 3);
  });
});

describe('a row that is to go', () => {
  const oben = { shelves: [{ name: 'oben' }], products: [{ name: 'Seife', shelf: 'oben' }] };
  const without = { shelves: [], products: [{ name: 'Seife' }] };
  const refused =
    'shelf: missing, and what it keeps, the row of shelves with id 1, is missing, too';

  for (const [what, tables] of [
    ['with a foreign key', shelfTables],
    ['without a foreign key', shelfTables.map((text) => text.replace(/,\s+FOREIGN KEY .*/, ')'))],
  ] as const) {
    test(`is an error when a row of the file keeps its reference to it, ${what}`, async (t) => {
      const db = await server.connect(await server.createDatabase());
      for (const statement of tables) await db.run(statement);
      await sync(t, db, oben);

      const error = await sync(t, db, without).catch((thrown) => thrown);

      assert.ok(isDeployError(error, 'MASTERDATA_INVALID'), String(error));
      assert.deepEqual(error.facts['problems'], [
        {
          ...{ file: 'products.json', index: 0, key: 'Seife', message: refused },
          where: 'products.json data[0] (Seife)',
        },
      ]);
      assert.deepEqual(await db.query('SELECT name, shelf_id FROM product'), [
        { name: 'Seife', shelf_id: 1 },
      ]);
    });
  }

  test('is an error when a column that no entity has points to it in a row that stays', async (t) => {
    const db = await shopDatabase();
    await db.run(
      'ALTER TABLE product ADD spare_id int unsigned, ADD FOREIGN KEY (spare_id) REFERENCES shelf (id) ON DELETE CASCADE',
    );
    const products = [
      { name: 'Seife', shelf: null },
      { name: 'Besen', shelf: null },
    ];
    await sync(t, db, { shelves: [{ name: 'oben' }], products });
    await db.run('UPDATE product SET spare_id = 1');

    const error = await sync(t, db, { shelves: [], products: products.slice(0, 1) }).catch(
      (thrown) => thrown,
    );

    assert.ok(isDeployError(error, 'MASTERDATA_INVALID'), String(error));
    const problems = error.facts['problems'] as { message: string }[];
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['the row with id 1 is missing, and 1 rows of product need it'],
    );
  });

  test('goes when the rows that point to it go, too', async (t) => {
    const db = await shopDatabase();
    await sync(t, db, oben);

    assert.deepEqual(await sync(t, db, { shelves: [], products: [] }), [
      'shelves +0 ~0 -1',
      'products +0 ~0 -1',
    ]);
  });
});

describe('a field that a row lacks', () => {
  test('keeps what the database has, or takes the default of the column', async (t) => {
    const db = await shopDatabase();
    const shelves = [{ name: 'oben' }];
    await sync(t, db, { shelves, products: [{ name: 'Seife', note: 'mild', shelf: 'oben' }] });

    const done = await sync(t, db, { shelves, products: [{ name: 'Seife' }, { name: 'Besen' }] });

    assert.deepEqual(done, ['products +1 ~0 -0']);
    assert.deepEqual(
      await db.query('SELECT name, note, price, shelf_name FROM product ORDER BY id'),
      [
        { name: 'Seife', note: 'mild', price: '0.00', shelf_name: 'oben' },
        { name: 'Besen', note: 'neu', price: '0.00', shelf_name: null },
      ],
    );
  });
});

describe('values that look alike', () => {
  test('are told apart: nothing, the empty text, case, spaces, and where one ends', async (t) => {
    const db = await shopDatabase();
    const notes = [null, '', '-', 'a', 'A', 'a ', 'a\u0000=b', null];
    for (const [at, note] of notes.entries()) {
      const done = await sync(t, db, {
        shelves: [],
        products: [{ name: 'Seife', note, shelf: null }],
      });

      assert.deepEqual(done, [`products +${at === 0 ? 1 : 0} ~${at === 0 ? 0 : 1} -0`]);
      assert.deepEqual(await db.query('SELECT note FROM product'), [{ note }]);
    }
  });
});

describe('a protected table', () => {
  test('that would lose a row ends the sync', async (t) => {
    const db = await shopDatabase();
    await sync(t, db, { shelves: [], products: [{ name: 'Seife' }] });
    await db.run('INSERT INTO order_line (product_id) VALUES (1)');
    await db.run('CREATE TRIGGER bite AFTER UPDATE ON product FOR EACH ROW DELETE FROM order_line');

    const error = await sync(t, db, {
      shelves: [],
      products: [{ name: 'Seife', price: '2.50' }],
    }).catch((thrown) => thrown);

    assert.ok(error instanceof DeployError && error.code === 'MASTERDATA_FAILED');
    assert.deepEqual(error.facts['problems'], ['table order_line: 1 rows before, 0 after']);
    assert.equal((await db.query('SELECT * FROM order_line')).length, 1);
    assert.deepEqual(await db.query('SELECT price FROM product'), [{ price: '0.00' }]);
  });
});

describe('a reference', () => {
  test('that alone is wrong in the database is put right, however it is spelled', async (t) => {
    const db = await shopDatabase();
    const files = (shelf: string) => ({
      shelves: [{ name: 'Straße' }, { name: 'unten' }],
      // With every field, so that nothing has to be kept: such rows are compared by their digests.
      products: [{ name: 'Seife', price: '1.00', note: '', shelf }],
    });
    for (const shelf of ['Straße', 'STRASSE']) {
      await sync(t, db, files(shelf));
      await db.run(`UPDATE product SET shelf_id = (SELECT id FROM shelf WHERE name = 'unten')`);

      assert.deepEqual(await sync(t, db, files(shelf)), ['products +0 ~1 -0']);

      const names = 'SELECT s.name FROM product AS p JOIN shelf AS s ON s.id = p.shelf_id';
      assert.deepEqual(await db.query(names), [{ name: 'Straße' }]);
      assert.deepEqual(await sync(t, db, files(shelf)), []);
    }
  });
});
