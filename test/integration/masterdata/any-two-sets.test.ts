/** Random sets, one synced after the other: what comes out is what a fresh installation of the second has. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { makeRandom } from '../../support/bamort/random.ts';
import {
  type FileRow,
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
const names = ['Apfel', 'äpfel', 'Birne', 'Straße', 'STRASSE', 'Stoﬀ', 'Kelle', 'Zange', 'Öl'];

/** About what the collation of the names takes for the same. */
function fold(name: string): string {
  return name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace('ß', 'ss');
}

/** Of the rows of a set some lack `note` or `shelf`, or both, if `absent` says so. */
function randomFiles(seed: number, absent: boolean): Files {
  const random = makeRandom(seed);
  // One spelling of each name: two that are equal for the database would be refused.
  const pick = () => {
    const chosen = names.filter(() => random.int(0, 1) === 1);
    return chosen.filter((name, at) => chosen.findIndex((one) => fold(one) === fold(name)) === at);
  };
  const shelves = pick().map((name) => ({ name, height: random.pick([null, 0, 1.5, 1e-7]) }));
  const products = pick().map((name) => {
    const row: FileRow = {
      name,
      price: random.pick(['0.00', '12.50', '0.05']),
      note: random.pick([null, '', 'Öl', 'öl', 'öl ']),
      shelf: shelves.length === 0 ? null : random.pick([null, ...shelves.map((one) => one.name)]),
    };
    if (absent && random.int(0, 2) === 0) delete row['note'];
    if (absent && random.int(0, 2) === 0) delete row['shelf'];
    return row;
  });
  return { shelves, products };
}

type Product = { id: number; name: string; note: string | null; shelf_name: string | null };
type Shelf = { id: number; name: string };

async function readAll(db: Db) {
  const products = await db.query<Product>('SELECT * FROM product ORDER BY BINARY name');
  const shelves = await db.query<Shelf>('SELECT * FROM shelf ORDER BY BINARY name');
  return { products, shelves };
}

/** Everything but ids: those of references as the name that they mean. */
async function readMeant(db: Db) {
  const products =
    await db.query(`SELECT p.name, p.price, HEX(p.note) AS note, p.shelf_name, s.name AS shelf,
    p.shelf_id IS NULL AS has_none FROM product AS p LEFT JOIN shelf AS s ON s.id = p.shelf_id ORDER BY BINARY p.name`);
  const shelves = await db.query('SELECT name, height FROM shelf ORDER BY BINARY name');
  return { products, shelves };
}

/** The second set with what its rows keep of the first, or null where a kept shelf is to go. */
function filledIn(files: Files, had: Awaited<ReturnType<typeof readAll>>): Files | null {
  let isSound = true;
  const products = files['products']!.map((row) => {
    const old = had.products.find(({ name }) => fold(name) === fold(String(row['name'])));
    if (old === undefined) return row;
    const kept = old.shelf_name;
    const isThere = files['shelves']!.some((one) => fold(String(one['name'])) === fold(kept ?? ''));
    if (!('shelf' in row) && kept !== null && !isThere) isSound = false;
    return { note: old.note, shelf: kept, ...row };
  });
  return isSound ? { ...files, products } : null;
}

for (const [what, tables] of [
  ['with foreign keys', shelfTables],
  ['without foreign keys', shelfTables.map((text) => text.replace(/,\s+FOREIGN KEY .*/, ')'))],
] as const) {
  describe(`any two sets, in tables ${what},`, () => {
    for (const absent of [false, true]) {
      const fields = absent ? 'where rows lack fields' : 'where rows have every field';
      test(`give what the second alone gives, and keep the ids of common rows, ${fields}`, (t) =>
        tryPairs(t, tables, absent));
    }
  });
}

async function tryPairs(t: Cleanup, tables: readonly string[], absent: boolean): Promise<void> {
  const shopDatabase = async () => {
    const db = await server.connect(await server.createDatabase());
    for (const statement of tables) await db.run(statement);
    return db;
  };
  const sync = async (db: Db, files: Files) => {
    const dir = await makeDir(t);
    await writeSet(dir, shelfShop, files);
    return summarise(await syncAndCommit(db, await readSet(dir)));
  };
  const [db, fresh] = [await shopDatabase(), await shopDatabase()];
  let refused = 0;
  for (let seed = 1; seed <= 25; seed += 1) {
    await db.run('DELETE FROM product');
    await db.run('DELETE FROM shelf');
    await sync(db, randomFiles(seed, false));
    const before = await readAll(db);
    const next = randomFiles(seed + 1000, absent);
    const meant = filledIn(next, before);
    if (meant === null) {
      const error = await sync(db, next).catch((thrown: unknown) => thrown);
      assert.ok(isDeployError(error, 'MASTERDATA_INVALID'), `seed ${seed}: ${error}`);
      assert.deepEqual(await readAll(db), before, `seed ${seed}`);
      refused += 1;
      continue;
    }

    await sync(db, next);

    await fresh.run('DELETE FROM product');
    await fresh.run('DELETE FROM shelf');
    await sync(fresh, meant);
    assert.deepEqual(await readMeant(db), await readMeant(fresh), `seed ${seed}`);
    const now = await readAll(db);
    for (const table of ['products', 'shelves'] as const) {
      for (const { id, name } of now[table] as readonly Shelf[]) {
        const old = before[table].find((one) => fold(one.name) === fold(name));
        if (old !== undefined) assert.equal(id, old.id, `seed ${seed}: ${name}`);
      }
    }
    assert.deepEqual(await sync(db, next), [], `seed ${seed}: nothing is left to do`);
  }
  assert.ok(absent ? refused > 0 && refused < 25 : refused === 0, `${refused} were refused`);
}
